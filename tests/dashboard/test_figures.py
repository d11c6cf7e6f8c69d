"""The numbers on the pages agree with plain SQL over the snapshot."""

from decimal import Decimal

import pytest

from dashboard.quick_views import QUICK_VIEWS
from rules.scenarios import Base, simulate
from rules.text.formats import money, value_text

pytestmark = pytest.mark.slow


def one(database, query):
    return database.execute(query).fetchone()[0]


def metric(app, label):
    (found,) = [each.value.replace("\\", "") for each in app.metric if each.label == label]
    return found


def test_the_cockpit_has_the_headlines_and_the_three_most_urgent_actions(homes, opened, demo_sql):
    app = opened(homes["demo"], "executive_cockpit")
    mrr = one(demo_sql, "SELECT sum(mrr_end) FROM customer_months WHERE month = (SELECT max(month) FROM calendar)")
    assert app.metric[0].value.replace("\\", "") == money(mrr)
    titles = demo_sql.execute("SELECT recommendation_title FROM intervention_plan ORDER BY priority_rank LIMIT 4")
    shown = " ".join(each.value.replace("\\", "") for each in app.main.markdown)
    first, second, third, fourth = (title for (title,) in titles.fetchall())
    assert all(title in shown for title in (first, second, third))
    assert fourth not in shown


PLAN = "FROM intervention_plan LEFT JOIN customer_360 USING (customer_id)"
WHERE = {
    "All": "true",
    "Critical & High": "priority_band IN ('Critical', 'High')",
    "Quick wins": "effort_level = 'Low' AND confidence_level = 'High'",
    "Billing recovery": "category = 'Billing Recovery'",
    "Retention": "category = 'Retention'",
    "This week": "scheduled_week = (SELECT min(week) FROM owner_workload)",
}


@pytest.mark.parametrize("view", QUICK_VIEWS)
def test_a_quick_view_shows_its_interventions(homes, opened, demo_sql, view):
    app = opened(homes["demo"], "top_actions", view=view)
    count, monthly, cash = demo_sql.execute(
        f"SELECT count(*), sum(monthly_revenue), sum(one_off_cash) {PLAN} WHERE {WHERE[view]}"
    ).fetchone()
    assert count > 0
    text = app.main.markdown[0].value.replace("\\", "")
    about = [f"{money(monthly)} a month, "] * bool(monthly) + [f"{money(cash)} once"] * bool(cash)
    assert f"**{count}** interventions about **{about[0]}" in text and about[-1] in text
    assert count < 133 or view == "All"


def test_search_and_filters_are_combined(homes, opened, demo_sql):
    app = opened(homes["demo"], "top_actions", q="bill", owner=["Billing Operations"], segment=["SMB"])
    count = one(
        demo_sql,
        f"""SELECT count(*) {PLAN} WHERE suggested_owner = 'Billing Operations' AND customer_360.segment = 'SMB'
            AND concat_ws(' ', recommendation_title, company_name, customer_id, reason, category, suggested_owner)
                ILIKE '%bill%'""",
    )
    assert count > 0
    assert any(f"**{count}** interventions" in each.value for each in app.main.markdown)


def test_the_table_of_actions_is_sorted_and_paged(homes, opened, demo_sql):
    app = opened(
        homes["demo"], "top_actions", **{"as": "Table", "actions_sort": "Recurring revenue", "actions_page": "2"}
    )
    wanted = demo_sql.execute(
        "SELECT priority_rank FROM intervention_plan ORDER BY recurring_value DESC, priority_rank LIMIT 50 OFFSET 50"
    ).fetchall()
    shown = app.dataframe[0].value
    assert list(shown["priority_rank"]) == [rank for (rank,) in wanted]


def test_a_customer_is_found_by_a_part_of_its_name(homes, opened, demo_sql):
    app = opened(homes["demo"], "customer_360", find="zenith apparel studio")
    (about,) = demo_sql.execute(
        "SELECT current_mrr, total_revenue, churn_risk_score FROM customer_360 "
        "WHERE company_name = 'Zenith Apparel Studio, Inc.'"
    ).fetchall()
    assert metric(app, "MRR") == value_text(about[0], "money")
    assert metric(app, "Collected so far") == value_text(about[1], "money")
    assert metric(app, "Risk score") == f"{about[2]:.2f}"


def test_the_customer_in_the_address_is_shown_even_if_the_list_does_not_have_it(homes, opened, demo_sql):
    last = one(demo_sql, "SELECT max(customer_id) FROM customers")
    app = opened(homes["demo"], "customer_360", customer=last)
    assert last in app.subheader[0].value.replace("\\", "")


def test_a_search_without_matches_has_a_message(homes, opened):
    app = opened(homes["demo"], "customer_360", find="no such customer")
    assert any("No customer" in box.value for box in app.info)


def test_the_totals_of_the_risk_queue_are_those_of_its_rows(homes, opened, demo_sql):
    app = opened(homes["demo"], "risk_queue", risk_band=["High"])
    count, mrr, risk = demo_sql.execute(
        "SELECT count(*), sum(mrr), sum(revenue_at_risk) FROM churn_risk_profiles WHERE risk_band = 'High'"
    ).fetchone()
    assert metric(app, "Customers in view") == str(count)
    assert metric(app, "Their MRR") == money(mrr)
    assert metric(app, "Revenue at risk") == money(risk)
    assert set(app.dataframe[0].value["risk_band"]) == {"High"}


def test_leakage_is_filtered_by_kind(homes, opened, demo_sql):
    app = opened(homes["demo"], "revenue_leakage", kind=["Refund"])
    cases, accounts = app.dataframe[-2].value, app.dataframe[-1].value
    assert len(cases) == one(demo_sql, "SELECT count(*) FROM revenue_leakage WHERE leakage_type = 'Refund'")
    open_accounts = one(demo_sql, "SELECT count(*) FROM receivables WHERE open_bills > 0")
    assert len(accounts) == min(open_accounts, 50)  # a page of them
    assert sum(map(Decimal, map(str, cases["estimated_revenue_loss"]))) == one(
        demo_sql, "SELECT estimated_revenue_loss FROM leakage_summary WHERE leakage_type = 'Refund'"
    )


def test_a_slider_shows_the_published_impact_by_default_and_a_computed_one_when_moved(homes, opened, demo_sql):
    app = opened(homes["demo"], "scenario_simulator")
    usual = dict(demo_sql.execute("SELECT scenario_name, annualized_impact FROM scenario_analysis").fetchall())
    yearly = [each.value.replace("\\", "") for each in app.metric if each.label == "In twelve months"]
    assert sorted(yearly) == sorted(money(amount) for amount in usual.values())
    values = dict(demo_sql.execute("SELECT metric_name, value FROM kpi_summary").fetchall())
    days = one(demo_sql, "SELECT max(window_end) - min(window_start) + 1 FROM leakage_summary")
    wanted = simulate("churn_reduction", 0.35, Base(values, days)).annualized_impact
    moved = opened(homes["demo"], "scenario_simulator", churn_reduction="35")
    assert money(wanted) in [each.value.replace("\\", "") for each in moved.metric]
    assert wanted > usual["churn_reduction"]


def test_rows_in_are_the_sum_of_kept_and_rejected_rows_and_each_reject_is_listed(homes, opened):
    app = opened(homes["hostile"], "data_quality")
    rows_in, kept, rejected = (
        int(metric(app, label).replace(",", "")) for label in ("Rows in", "Rows kept", "Rows rejected")
    )
    assert rows_in == kept + rejected
    assert rejected == 1
    found = app.dataframe[-1].value
    assert list(found["dataset"]) == ["transactions"]
    assert "window.hacked" in found["value"].iloc[0]


def test_a_trace_is_followed_down_to_its_finding(homes, opened, demo_sql):
    trace = one(demo_sql, "SELECT min(trace_id) FROM decision_traces WHERE entity_type = 'Intervention'")
    app = opened(homes["demo"], "decision_traces", trace=trace)
    shown = " ".join(each.value.replace("\\", "") for each in app.main.markdown)
    steps = demo_sql.execute(
        """WITH RECURSIVE path AS (
             SELECT trace_id, parent_trace_id, entity_id FROM decision_traces WHERE trace_id = $trace
             UNION ALL SELECT d.trace_id, d.parent_trace_id, d.entity_id FROM decision_traces d
             JOIN path ON path.parent_trace_id = d.trace_id)
           SELECT entity_id FROM path""",
        {"trace": trace},
    ).fetchall()
    assert len(steps) == 3
    assert all(entity in shown for (entity,) in steps)


def test_every_metric_is_in_the_review_with_its_value(homes, opened, demo_sql):
    app = opened(homes["demo"], "kpi_review", metric="customer_churn_rate")
    assert len(app.dataframe[0].value) == one(demo_sql, "SELECT count(*) FROM kpi_summary")
    churn = one(demo_sql, "SELECT value FROM kpi_summary WHERE metric_name = 'customer_churn_rate'")
    assert app.metric[-1].value.replace("\\", "") == value_text(churn, "rate", exact=True)


def test_retention_of_one_segment(homes, opened, demo_sql):
    app = opened(homes["demo"], "cohort_retention", segment="SMB")
    wanted = demo_sql.execute(
        "SELECT customers, retained_customers FROM cohort_summary WHERE segment = 'SMB' "
        "ORDER BY cohort_month, months_since_cohort LIMIT 50"
    ).fetchall()
    shown = app.dataframe[0].value
    assert list(zip(shown["customers"], shown["retained_customers"], strict=True)) == wanted
