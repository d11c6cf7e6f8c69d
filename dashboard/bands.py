"""The bands of risk and of priority, the worst first, as the rules name them."""

from rules.churn_rules import load_churn_rules
from rules.recommendation_rules import load_recommendation_rules


def risk_bands() -> list[str]:
    """Bands of the churn risk score."""
    return list(load_churn_rules().bands)


def priority_bands() -> list[str]:
    """Bands of an intervention's priority."""
    return list(load_recommendation_rules().priority_bands)
