"""survival.yaml as a model: how long customers stay, and how far that is projected."""

from pydantic import Field

from rules.loading.files import Strict

FILE = "survival"

ALL, SIGNUP_QUARTER = "all_customers", "signup_quarter"
"""The dimensions of survival_curves beside those of segments.yaml."""


class Survival(Strict):
    """survival.yaml; ages and horizons are in months."""

    return_begins_new_spell: bool = True
    horizon_months: int = Field(default=36, ge=1, le=240)
    least_at_risk: int = Field(default=30, ge=1)
    least_churned: int = Field(default=25, ge=2)
