"""The first paragraph of the executive summary: the state of the business, and what is not available."""

import datetime as dt

import pytest

from productpulse_assets.reports.lead import build_lead
from productpulse_assets.reports.markdown import render
from tests.productpulse_assets.reports.rendered import page

MONTH = {"period_start": dt.date(2026, 6, 1), "period_end": dt.date(2026, 6, 30)}


def metric(name, label, value, unit="money", change=None, reason=None):
    facts = {"metric_name": name, "label": label, "value": value, "unit": unit, "change": change}
    return {name: facts | MONTH | {"not_available_reason": reason}}


KNOWN = (
    metric("monthly_recurring_revenue", "MRR", 297975.0, change=-2140.0)
    | metric("paying_customers", "Paying customers", 628.0, "count")
    | metric("net_new_revenue", "Net new MRR", -2140.0)
    | metric("customer_churn_rate", "Customer churn", 0.04, "rate", change=0.018)
    | metric("revenue_at_risk", "Revenue at risk", 14460.0)
    | metric("at_risk_customers", "Customers at risk", 33.0, "count")
    | metric("revenue_leakage", "Revenue leakage", 42203.0)
    | metric("revenue_leakage_ratio", "Revenue leakage ratio", 0.055, "rate")
)
HEALTH = [
    {"area": "Growth", "score": 26.0, "status": "Critical"},
    {"area": "Leakage", "score": 11.0, "status": "Critical"},
    {"area": "Support", "score": 50.0, "status": "Watch"},
    {"area": "Activation", "score": None, "status": "Not available"},
]


def lead(rows, health=()):
    """The text of the paragraph, on one line."""
    return " ".join(page(render("lead", "USD", lead=build_lead(rows, list(health)))).text.split())


def test_the_paragraph_has_the_headlines():
    assert lead(KNOWN, HEALTH) == (
        "MRR is $297,975 from 628 paying customers, down $2,140 on the month before. "
        "Net new MRR in Jun 2026 is -$2,140, and customer churn 4.0 %, up 1.8 pp on the month before. "
        "Revenue at risk is $14,460, the MRR of 33 customers. "
        "Revenue leakage is $42,203, 5.5 % of the collected revenue. "
        "Needs attention: Leakage (Critical, 11 of 100) and Growth (Critical, 26 of 100)."
    )


def test_a_reason_is_given_once():
    reason = "Needs the dataset transactions, which is absent."
    rows = KNOWN | metric("revenue_leakage", "Revenue leakage", None, reason=reason)
    rows |= metric("revenue_at_risk", "Revenue at risk", None, reason=reason)
    text = lead(rows)
    assert text.endswith(f"Not available: Revenue at risk, Revenue leakage. {reason}")
    assert text.count("Revenue leakage") == 1 and "$0" not in text


def test_churn_is_shown_without_net_new_revenue():
    rows = KNOWN | metric("net_new_revenue", "Net new MRR", None, reason="There are no rows.")
    assert "Customer churn in Jun 2026 is 4.0 %, up 1.8 pp on the month before." in lead(rows)


def test_a_metric_that_the_catalog_does_not_have_is_left_out():
    text = lead({name: row for name, row in KNOWN.items() if name != "revenue_at_risk"})
    assert "at risk" not in text and "Not available" not in text


def test_no_customer_at_risk_means_no_revenue_at_risk():
    rows = KNOWN | metric("revenue_at_risk", "Revenue at risk", 0.0)
    rows |= metric("at_risk_customers", "Customers at risk", 0.0, "count")
    assert "Revenue at risk is $0." in lead(rows)


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        ([90.0, 50.0], "No area of the business needs attention."),
        ([90.0, None], "No area of the business with a score needs attention."),
        ([49.9], "Needs attention: A (Risk, 50 of 100)."),
    ],
)
def test_areas_with_a_score_below_50_need_attention(scores, sentence):
    health = [{"area": "A", "score": score, "status": "Risk"} for score in scores]
    assert lead({}, health) == sentence
