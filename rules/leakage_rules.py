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
"""The leakage_type of each detector. Of two that see the same loss in one billing period, the first wins."""


class Detector(Strict):
    """What is said of every kind of leakage."""

    enabled: bool
    is_recurring: bool
    description: Text
    recommended_action: Text


class FailedPayment(Detector):
    """A failed payment that none made good in `recovery_days`."""

    recovery_days: int = Field(ge=0)


class UnpaidActiveSubscription(Detector):
    """A Past Due subscription, at no less than `minimum_months` of its price."""

    minimum_months: int = Field(ge=1)


class MissedInvoice(Detector):
    """A billing date without a transaction in the `tolerance_days` before and after it."""

    tolerance_days: int = Field(ge=0)


class UnderbilledSubscription(Detector):
    """A billing period paid short by more than the share `tolerance_rate` of its price."""

    tolerance_rate: float = Field(ge=0, le=1)


class Refund(Detector):
    """A payment given back."""


class ActiveUsageWithoutBilling(Detector):
    """Logins in `login_days` though nothing has been paid for since `unbilled_days` or more."""

    login_days: int = Field(ge=1)
    unbilled_days: int = Field(ge=0)


class Detectors(Strict):
    """One entry per kind of leakage."""

    failed_payment: FailedPayment
    unpaid_active_subscription: UnpaidActiveSubscription
    missed_invoice: MissedInvoice
    underbilled_subscription: UnderbilledSubscription
    refund: Refund
    active_usage_without_billing: ActiveUsageWithoutBilling

    def of(self, name: str) -> Detector:
        """The detector of that name, one of LABELS."""
        return getattr(self, name)


class LeakageRules(Strict):
    """leakage_rules.yaml: `window_days` back from the as-of date, and the detectors."""

    window_days: int = Field(ge=0)
    detectors: Detectors
