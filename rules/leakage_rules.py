"""leakage_rules.yaml: the kinds of revenue leakage, their windows and tolerances."""

from __future__ import annotations

from pydantic import Field

from rules.loading.files import Strict
from rules.models import Text

FILE = "leakage_rules"
LABELS = {
    "failed_payment": "Failed Payment",
    "unpaid_active_subscription": "Unpaid Active Subscription",
    "missed_invoice": "Missed Invoice",
    "underbilled_subscription": "Underbilled Subscription",
    "refund": "Refund",
    "active_usage_without_billing": "Active Usage Without Billing",
}
"""The leakage_type of each detector."""

MONTHLY_LOSSES = (LABELS["active_usage_without_billing"],)
"""The kinds whose loss is the price of a month that is not billed; the loss of the others is cash, once."""


class Detector(Strict):
    """The settings that every kind of leakage has."""

    enabled: bool
    is_recurring: bool
    description: Text
    recommended_action: Text


class FailedPayment(Detector):
    """An open bill whose attempts all failed.

    recovery_days of older files has no effect: the ledger tells which bill a payment is for.
    """

    recovery_days: int | None = Field(default=None, ge=0)


class UnpaidActiveSubscription(Detector):
    """The open bills of a Past Due subscription.

    minimum_months of older files has no effect: no more is lost than is open.
    """

    minimum_months: int | None = Field(default=None, ge=1)


class MissedInvoice(Detector):
    """An open bill without an attempt, `tolerance_days` or more after its due date."""

    tolerance_days: int = Field(ge=0)


class UnderbilledSubscription(Detector):
    """A bill of which more than the share `tolerance_rate` is open after a payment."""

    tolerance_rate: float = Field(ge=0, le=1)


class Refund(Detector):
    """A payment given back."""


class ActiveUsageWithoutBilling(Detector):
    """Logins in the last `login_days`, though the paid period ended at least `unbilled_days` ago."""

    login_days: int = Field(ge=1)
    unbilled_days: int = Field(ge=0)


class Detectors(Strict):
    """One detector per kind of leakage."""

    failed_payment: FailedPayment
    unpaid_active_subscription: UnpaidActiveSubscription
    missed_invoice: MissedInvoice
    underbilled_subscription: UnderbilledSubscription
    refund: Refund
    active_usage_without_billing: ActiveUsageWithoutBilling

    def of(self, name: str) -> Detector:
        """The detector with this name, a key of LABELS."""
        detector: Detector = getattr(self, name)
        return detector


class LeakageRules(Strict):
    """leakage_rules.yaml: `window_days` back from the as-of date, the payment terms, and the detectors."""

    window_days: int = Field(ge=0)
    payment_terms_days: int = Field(default=0, ge=0)
    detectors: Detectors
