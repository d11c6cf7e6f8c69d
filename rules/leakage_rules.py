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
"""The leakage_type of each detector. Where two find the same loss in one billing period, the first one counts."""


class Detector(Strict):
    """The settings that every kind of leakage has."""

    enabled: bool
    is_recurring: bool
    description: Text
    recommended_action: Text


class FailedPayment(Detector):
    """A failed payment without a successful one in the next `recovery_days`."""

    recovery_days: int = Field(ge=0)


class UnpaidActiveSubscription(Detector):
    """A Past Due subscription; the loss is at least `minimum_months` of its price."""

    minimum_months: int = Field(ge=1)


class MissedInvoice(Detector):
    """A billing date without a transaction in the `tolerance_days` before and after it."""

    tolerance_days: int = Field(ge=0)


class UnderbilledSubscription(Detector):
    """A billing period for which more than the share `tolerance_rate` of its price was not paid."""

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
    """leakage_rules.yaml: the detectors, and the days before the as-of date that they look at."""

    window_days: int = Field(ge=0)
    detectors: Detectors
