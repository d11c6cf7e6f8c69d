"""mrr_policy.yaml: what counts as MRR, and from when to when."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rules.loading.files import Strict

FILE = "mrr_policy"
CAUSES = ("quantity", "price", "plan", "addon", "discount")
"""The causes of an expansion or a contraction, in the columns mrr_expansion_<cause> and mrr_contraction_<cause>."""
Days = Annotated[int, Field(ge=0, le=3660)]


class MrrPolicy(Strict):
    """One policy, which holds for every month of the data."""

    past_due_days: Days | None
    churn_on: Literal["ended", "end_of_paid_period", "cancellation_requested"]
    gap_days: Days
    count_free: bool
    count_paused: bool
    discounts: Literal["billed", "contracted"]
    month_bounds: Literal["ignore", "count"]
    fx: Literal["constant", "month_end"]


CHOICES: dict[str, tuple[int | bool | str | None, ...]] = {
    "past_due_days": (None, 30, 60, 90),
    "churn_on": ("ended", "end_of_paid_period", "cancellation_requested"),
    "gap_days": (0, 31, 90),
    "count_free": (False, True),
    "count_paused": (False, True),
    "discounts": ("billed", "contracted"),
    "month_bounds": ("ignore", "count"),
    "fx": ("constant", "month_end"),
}
"""By setting: the choices that a report compares with the policy."""

WORDS: dict[str, dict[int | bool | str | None, str]] = {
    "churn_on": {
        "ended": "MRR ends on the end_date of the subscription.",
        "end_of_paid_period": "MRR ends with the billing period in which the end_date lies.",
        "cancellation_requested": "MRR ends on the day on which the customer asked to cancel; without it on cancel_at, "
        "and without both on the end_date.",
    },
    "count_free": {
        False: "A subscription with the price 0 is not a paying one.",
        True: "A subscription with the price 0 counts as a paying one, with an MRR of 0.",
    },
    "count_paused": {
        False: "A paused subscription has no MRR from paused_from on.",
        True: "A paused subscription keeps its MRR.",
    },
    "discounts": {
        "billed": "MRR is what is billed: discounts are taken off until they end.",
        "contracted": "MRR is the price without discounts.",
    },
    "month_bounds": {
        "ignore": "A subscription that begins and ends within one month has no MRR.",
        "count": "A subscription that begins and ends within one month counts at the end of it, if the customer has no "
        "other MRR then.",
    },
    "fx": {
        "constant": "Prices in other currencies are converted at one constant rate.",
        "month_end": "Prices in other currencies are converted at the rate of the month's last day.",
    },
}


def setting_words(name: str, value: int | bool | str | None) -> str:
    """What a value of a setting means, as a sentence."""
    if name == "past_due_days":
        if value is None:
            return "A Past Due subscription keeps its MRR until it ends."
        return f"A Past Due subscription has no MRR from {value} days after the end of its last paid period on."
    if name == "gap_days":
        if value == 0:
            return "A gap between two subscriptions that includes the last day of a month is churn and a reactivation."
        return f"A gap of up to {value} days between two subscriptions is neither churn nor a reactivation."
    return WORDS[name][value]


def choice_text(value: int | bool | str | None) -> str:
    """A value as it is written in the file."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
