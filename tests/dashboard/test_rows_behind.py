"""The panel shows the customers behind a number of the address, and they add up to it, in any period and filters."""

import re
from decimal import Decimal

import pytest

from dashboard.asked_rows import Asked
from dashboard.lists_behind import find_behind
from rules.text.formats import money

pytestmark = pytest.mark.slow
MAY = "FROM customer_months WHERE month = DATE '2026-05-01'"


def shown(app) -> str:
    return " ".join(each.value.replace("\\", "") for each in [*app.markdown, *app.caption])


def one(database, query):
    return database.execute(query).fetchone()[0]


def test_the_customers_of_an_address_add_up_to_the_value(homes, opened, demo_sql):
    asked = {"rows": "churned_revenue", "rows_period": "2026-05", "rows_where": ["plan:Starter"]}
    app = opened(homes["demo"], "executive_cockpit", **asked)
    wanted = demo_sql.execute(
        f"SELECT customer_id, mrr_churned {MAY} AND plan = 'Starter' AND mrr_churned > 0 ORDER BY 1"
    )
    customers = wanted.fetchall()
    total = money(sum(amount for _customer, amount in customers), cents=True)
    assert customers
    assert f"**Churned MRR**, May 2026, plan Starter: **{total}**" in shown(app)
    assert f"The amounts add up to the value: **{total}**." in shown(app)
    grid = app.dataframe[-1].value
    assert sorted(zip(grid["customer_id"], grid["part_amount"], strict=True)) == customers


def test_a_rate_has_the_rows_of_both_sides(homes, opened, demo_sql):
    state = {"rows": "customer_churn_rate", "rows_period": "2026-05", "rows_side": "Denominator", "segment": ["SMB"]}
    app = opened(homes["demo"], "kpi_review", **state)
    paying = one(demo_sql, f"SELECT sum(paying_start) {MAY} AND segment = 'SMB'")
    assert f"The amounts add up to the denominator: **{paying}**." in shown(app)


def test_a_mean_says_that_it_is_no_sum(homes, opened):
    app = opened(homes["demo"], "kpi_review", rows="data_quality_score")
    assert "it is no sum of them" in shown(app)


def test_an_unknown_name_has_a_message(homes, opened):
    for state in ({"rows": "no*such"}, {"rows": "cohort", "rows_where": ["cohort:soon"]}):
        app = opened(homes["demo"], "executive_cockpit", **state)
        assert any("There are no rows of" in box.value for box in app.info) and not app.exception


CHARTS = {
    "SELECT count(*) FROM churn_risk_profiles WHERE segment = 'SMB' AND risk_band = 'High'": Asked(
        "risk", "", {"segment": "SMB", "risk_band": "High"}
    ),
    "SELECT count(*) FROM churn_evidence WHERE rule_id = (SELECT min(rule_id) FROM churn_evidence)": Asked(
        "risk", "", {"rule": "low_usage"}
    ),
    "SELECT estimated_revenue_loss FROM leakage_summary WHERE leakage_type = 'Refund'": Asked(
        "leakage", "", {"leakage_type": "Refund"}
    ),
    "SELECT change FROM revenue_drivers WHERE dimension = 'plan' AND member = 'Starter'": Asked(
        "mrr_change", "2026-06", {"plan": "Starter"}
    ),
    "SELECT users FROM segment_funnel WHERE segment = 'SMB' AND step = 'Activated'": Asked(
        "funnel", "", {"step": "Activated", "segment": "SMB"}
    ),
    "SELECT retained_customers FROM cohort_summary WHERE is_total AND cohort_month = DATE '2025-06-01' "
    "AND months_since_cohort = 3": Asked("cohort", "", {"cohort": "2025-06", "months": "3"}),
    "SELECT sum(interventions) FROM owner_workload WHERE owner = 'Billing Operations' AND week = '2026-06-29'": Asked(
        "work", "", {"owner": "Billing Operations", "week": "2026-06-29"}
    ),
}
"""By the SQL of a number in a chart, what its point opens."""


@pytest.mark.parametrize(("query", "asked"), CHARTS.items(), ids=[asked.name for asked in CHARTS.values()])
def test_the_rows_of_a_chart_add_up_to_its_number(reading, demo_sql, query, asked):
    if "rule" in asked.where:
        asked = Asked("risk", "", {"rule": one(demo_sql, "SELECT min(rule_id) FROM churn_evidence")})
    behind = find_behind(reading, asked)
    first = behind.rows.filter(behind.rows.side == behind.sides[0])
    (total,) = reading.rows(first.aggregate(total=first.contribution.sum()))
    assert total["total"] == one(demo_sql, query) != 0


def test_the_bridge_of_a_plan_closes_with_who_entered_and_left_it(homes, opened, demo_sql):
    app = opened(homes["demo"], "executive_cockpit", plan=["Growth"], period="2026-Q2")
    mrr = one(demo_sql, "SELECT sum(mrr_end) FROM customer_months WHERE month = DATE '2026-06-01' AND plan = 'Growth'")
    assert next(each.value.replace("\\", "") for each in app.metric if each.label == "MRR") == money(mrr)
    blocks = next(box for box in app.selectbox if "at the start of the month" in box.label).options
    amounts = [text.rpartition(": ")[2].replace("$", "").replace(",", "") for text in blocks]
    assert any(text.startswith("Entered slice") for text in blocks)
    opening, *moved, closing = map(Decimal, amounts)
    assert abs(opening + sum(moved) - closing) < len(blocks)  # each amount is rounded
    assert money(mrr).replace("$", "").replace(",", "") == amounts[-1]


def test_the_same_month_of_last_year(homes, opened, demo_sql):
    tiles = opened(homes["demo"], "executive_cockpit", period="2026-06")
    sums = {
        month: one(demo_sql, f"SELECT sum(mrr_end) FROM customer_months WHERE month = DATE '{month}'")
        for month in ("2026-06-01", "2025-06-01")
    }
    assert f"+{money(sums['2026-06-01'] - sums['2025-06-01'])} vs June 2025" in shown(tiles)
    assert tiles.metric[0].proto.delta_description == "vs May 2026"


def test_a_metric_of_the_present_has_no_value_in_a_past_period(homes, opened):
    app = opened(homes["demo"], "executive_cockpit", period="2026-Q1")
    assert "Known for the present only." in shown(app)
    assert "This page shows the present" in shown(opened(homes["demo"], "risk_queue", period="2026-Q1"))


def test_actions_and_workload_are_those_of_the_chosen_customers(homes, opened, demo_sql):
    plan = "FROM intervention_plan JOIN customers USING (customer_id) WHERE segment = 'SMB'"
    first = one(demo_sql, f"SELECT arg_min(recommendation_title, priority_rank) {plan}")
    assert first in shown(opened(homes["demo"], "executive_cockpit", segment=["SMB"]))
    app = opened(homes["demo"], "top_actions", segment=["SMB"])
    weeks = next(box.options for box in app.selectbox if "Interventions by owner" in box.label)
    counts = [int(re.search(r"([\d,]+) interventions?", text)[1].replace(",", "")) for text in weeks]
    assert (
        sum(counts)
        == one(demo_sql, f"SELECT count(*) {plan}")
        < one(demo_sql, "FROM intervention_plan SELECT count(*)")
    )
