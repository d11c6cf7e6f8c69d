"""recommendations: the action for each finding, and their order."""

import ibis
import pytest

from productpulse_assets.decisions.recommendations import recommendations
from rules.operators import OPERATORS
from tests.builders import rows, stored
from tests.productpulse_assets.decisions.cases import CALL, COLLECT, IN_USE, advice, company, when

PEOPLE = (
    {"mrr": 100, "is_activated": True, "latest_nps_score": 6},
    {"customer_id": "C2", "mrr": 200, "risk_band": "Low", "main_driver": None, "is_activated": False},
)
ASKED = [
    ("mrr", "less_than", (200,), "C1"),
    ("mrr", "less_or_equal", (200,), "C1 C2"),
    ("mrr", "greater_than", (100,), "C2"),
    ("mrr", "greater_or_equal", (100,), "C1 C2"),
    ("risk_band", "equals", ("High",), "C1"),
    ("risk_band", "not_equals", ("High",), "C2"),
    ("risk_band", "in", (["High", "Critical"],), "C1"),
    ("risk_band", "not_in", (["High", "Critical"],), "C2"),
    ("main_driver", "contains", ("tract",), "C1"),
    ("mrr", "between", ([100, 199.99],), "C1"),
    ("is_activated", "is_true", (), "C1"),
    ("latest_nps_score", "is_missing", (), "C2"),
]


@pytest.mark.parametrize(("column", "operator", "value", "who"), ASKED)
def test_a_condition_may_name_any_column_and_use_any_operator(follow, column, operator, value, who):
    follow(CALL | when(column, operator, *value))
    assert " ".join(customer for (customer,) in rows(advice(*PEOPLE), "customer_id")) == who


def test_every_operator_is_tested_above():
    assert {operator for _, operator, _, _ in ASKED} == set(OPERATORS)


@pytest.mark.parametrize("operator", ["not_equals", "less_than"])
def test_an_unknown_value_meets_no_condition(follow, operator):
    follow(CALL | when("latest_nps_score", operator, 10))
    assert rows(advice(*PEOPLE), "customer_id") == [("C1",)]


def test_all_conditions_must_hold_for_the_case_and_its_customer(follow):
    large = {"column": "estimated_revenue_loss", "operator": "greater_or_equal", "value": 50}
    follow(COLLECT | {"conditions": [*COLLECT["conditions"], large, *when("segment", "equals", "SMB")["conditions"]]})
    leaks = (
        {"leakage_id": "yes"},
        {"leakage_id": "small", "estimated_revenue_loss": 49.99},
        {"leakage_id": "other", "leakage_type": "Failed Payment"},
        {"leakage_id": "big firm", "customer_id": "C2"},
    )
    table = advice({}, {"customer_id": "C2", "segment": "Enterprise"}, leaks=leaks)
    assert rows(table, "subject_id", "one_off_cash", "evidence_source") == [("yes", 50, "revenue_leakage")]


def test_texts_are_filled_from_the_row_with_the_customer_id_for_a_missing_name(follow):
    action = "Call {company_name} about {main_driver}: {mrr}, NPS {latest_nps_score}."
    follow(CALL | {"expected_action": action}, COLLECT)
    nameless = {"customer_id": "C2", "company_name": None, "mrr": 1234.6, "main_driver": None}
    table = advice({"latest_nps_score": 3}, nameless, leaks=({},))
    assert rows(table, "customer_id", "recommendation_title", "expected_action", "reason") == [
        ("C1", "Call Acme", "Call Acme about Detractor: $100.00, NPS 3.", "Risky."),
        ("C1", "Collect $50.00", "Ask why.", "Refunded."),
        ("C2", "Call C2", "Call C2 about unknown: $1,235, NPS unknown.", "Risky."),
    ]


def ids(table, name="recommendation_id"):
    return [value for (value,) in rows(table, name, by=("customer_id", "subject_id", "rule_id"))]


def test_an_id_stays_from_day_to_day_and_differs_for_another_subject(follow):
    follow(CALL, CALL | {"rule_id": "visit"}, COLLECT)
    today = ids(advice({}, {"customer_id": "C2"}, leaks=({}, {"leakage_id": "L2"})))
    changed = {"as_of_date": "2026-07-01", "mrr": 900, "risk_band": "Critical", "company_name": "Acme Inc."}
    tomorrow = ids(advice(changed, {"customer_id": "C2"}, leaks=({"estimated_revenue_loss": 9}, {"leakage_id": "L2"})))
    assert tomorrow == today
    assert len(set(today)) == len(today) == 6


@pytest.mark.parametrize(("effort", "score"), [("Low", 1200.0), ("Medium", 600.0), ("High", 400.0)])
def test_priority_is_value_times_confidence_times_severity_by_effort(follow, effort, score):
    # 1,000 x 0.8 x 1.5 = 1,200, through 1, 2 and 3.
    follow(CALL | {"confidence_weight": 0.8, "severity_weight": 1.5, "effort_level": effort})
    table = advice({"mrr": 1000})
    assert rows(table, "recurring_value", "priority_score", "confidence_level") == [(1000, score, "High")]


def test_weights_are_double_in_the_database(follow):
    follow(CALL | {"confidence_weight": 0.7, "severity_weight": 1.25})
    tables = company({})
    unbound = {name: ibis.table(table.schema(), name=name) for name, table in tables.items()}
    asked = recommendations(**unbound, rules=IN_USE["rules"])
    table = stored(str(ibis.to_sql(asked, dialect="duckdb")), **tables)
    weights = ("confidence_weight", "severity_weight", "effort_weight")
    assert {name: str(table.schema()[name]) for name in weights} == dict.fromkeys(weights, "float64")
    assert rows(table, *weights) == [(0.7, 1.25, 1.0)]


def test_half_a_cent_of_priority_is_rounded_up(follow):
    # 10.75 x 0.7 x 1.2 / 2 = 4.515, which is a little less in binary.
    follow(CALL | {"confidence_weight": 0.7, "severity_weight": 1.2, "effort_level": "Medium"})
    assert rows(advice({"mrr": 10.75}), "priority_score") == [(4.52,)]


def test_a_band_begins_exactly_at_its_floor(follow):
    follow(CALL)
    money = [5000, 4999.99, 1000, 999.99, 200, 199.99, 0.01]
    table = advice(*({"customer_id": f"C{place}", "mrr": mrr} for place, mrr in enumerate(money)))
    bands = ["Critical", "High", "High", "Medium", "Medium", "Low", "Low"]
    assert rows(table, "priority_score", "priority_band", by=("priority_rank",)) == list(zip(money, bands, strict=True))


def test_of_equal_priority_the_larger_revenue_comes_first_then_the_customer_id(follow):
    follow(
        CALL | when("mrr", "less_or_equal", 100),
        CALL | {"rule_id": "visit", "effort_level": "Medium"} | when("mrr", "greater_than", 100),
    )
    table = advice({"customer_id": "C2"}, {"customer_id": "C1"}, {"customer_id": "C3", "mrr": 200})
    assert rows(table, "priority_rank", "customer_id", "priority_score") == [
        (1, "C3", 100),
        (2, "C1", 100),
        (3, "C2", 100),
    ]


def test_a_disabled_rule_recommends_nothing(follow):
    follow(CALL | {"enabled": False}, CALL | {"rule_id": "visit"})
    assert rows(advice({}), "rule_id") == [("visit",)]


def test_leakage_of_a_customer_who_does_not_pay_has_recommendations_too(follow):
    follow(CALL, COLLECT | {"title": "Win {company_name} back, NPS {latest_nps_score}"})
    table = advice({"mrr": None}, leaks=({},))
    assert rows(table, "rule_id", "customer_id", "segment", "recommendation_title", "one_off_cash") == [
        ("collect", "C1", "SMB", "Win Acme back, NPS unknown", 50)
    ]


WORTH = ("customer_id", "monthly_revenue", "value_months", "recurring_value", "one_off_cash", "priority_score")


def contract(customer, start, term_months, price=100, **given):
    return {
        "customer_id": customer, "start_date": start, "term_anchor": start if term_months else None,
        "term_months": term_months, "monthly_price": price,
    } | given  # fmt: skip


@pytest.mark.parametrize(
    ("horizon", "worth"), [(12, [12, 12, 12, 20, 15]), (2, [2, 8, 2.5, 20, 15]), (1, [1, 8, 2, 20, 15])]
)
def test_revenue_counts_over_the_horizon_or_the_rest_of_a_longer_contract(follow, horizon, worth):
    # As of 2026-06-30: C1 has no term; C2's year ends on 2027-02-10, 7 months and 11 days away; C3 pays 50 without a
    # term and 50 by the quarter, until 2026-09-05, 2 months and some days away; C4 has signed for 36 months, of which
    # 19 and 11 days are left; C5 has one known end, 15 months away to the day. Ended contracts do not count.
    follow(CALL, value_horizon_months=horizon)
    people = [{"customer_id": name} for name in ("C1", "C2", "C3", "C4", "C5")]
    terms = (
        contract("C1", "2026-01-15", None),
        contract("C2", "2025-02-10", 12),
        contract("C3", "2026-06-05", 3, price=50),
        contract("C3", "2026-01-05", None, price=50),
        contract("C3", "2026-01-05", 12, price=900, end_date="2026-06-01"),
        contract("C4", "2025-02-10", 36),
        contract("C5", "2025-02-10", None, term_anchor="2027-09-30"),
    )
    assert rows(advice(*people, terms=terms), *WORTH) == [
        (name, 100, months, 100 * months, 0, 100 * months)
        for name, months in zip(("C1", "C2", "C3", "C4", "C5"), worth, strict=True)
    ]


def test_a_case_is_cash_once_unless_its_loss_is_the_price_of_a_month(follow):
    win_back = COLLECT | {"rule_id": "win", **when("leakage_type", "equals", "Active Usage Without Billing")}
    follow(COLLECT, win_back, value_horizon_months=12)
    leaks = ({}, {"leakage_id": "L2", "customer_id": "C2", "leakage_type": "Active Usage Without Billing"})
    table = advice({}, {"customer_id": "C2", "mrr": None}, leaks=leaks)
    assert rows(table, *WORTH) == [("C1", 0, None, 0, 50, 50), ("C2", 50, 12, 600, 0, 600)]


def test_a_yearly_customer_is_worth_a_year(follow):
    follow(CALL, value_horizon_months=12)
    table = advice({"mrr": 2495.08}, terms=(contract("C1", "2025-07-10", 12, price=2495.08),))
    assert rows(table, "monthly_revenue", "recurring_value") == [(2495.08, 29940.96)]
