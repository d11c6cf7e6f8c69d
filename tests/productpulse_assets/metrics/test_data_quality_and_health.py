"""Data quality, health and anomalies: scores worked out by hand."""

import datetime as dt
from pathlib import Path

import ibis
import pytest

from asset_checks.anomalies import anomaly_results, usual_ranges
from asset_checks.contracts import CONTRACTS, DATASETS, REJECTS_SCHEMA
from productpulse_assets.metrics.data_quality import data_quality_scores
from productpulse_assets.metrics.health import area_row, check_areas, score_of
from productpulse_assets.sources.inventory import SCHEMA as INVENTORY
from resources.tables import rows_of, table_of
from rules.loading.problems import RulesError
from rules.models import DataQuality, HealthArea
from tests.builders import calendar, dataset
from tests.graph import RULES


def reject(check, row, dataset="nps_scores"):
    return dict.fromkeys(REJECTS_SCHEMA) | {
        "dataset": dataset,
        "source_file": "f.csv",
        "row_number": row,
        "check_name": check,
    }


def scores(rejects=(), **given):
    tables = {name: dataset(name, *given.get(name, ())) for name in DATASETS}
    tables |= {
        f"{name}_rejects": table_of([row for row in rejects if row["dataset"] == name], REJECTS_SCHEMA)
        for name in DATASETS
    }
    stock = [dict.fromkeys(INVENTORY) | {"dataset": name, "is_available": name in given} for name in DATASETS]
    table = data_quality_scores(
        source_inventory=table_of(stock, INVENTORY),
        calendar=calendar("2026-01-01", "2026-06-30"),
        rules=RULES,
        **tables,
    )
    return {row["dataset"]: row for row in rows_of(table)}


def test_shares_of_rows_not_of_broken_rules():
    answers = [{"date": "2026-06-30", "score": 9, "feedback_category": "Price"}] * 6
    rejects = [
        reject("between_0_and_10", 7), reject("parses_as_date", 7),  # one row, two rules
        reject("unique_key", 8), reject("known_customer", 9), reject("parent_rejected", 10),
    ]  # fmt: skip
    row = scores(rejects, customers=[{}], nps_scores=answers)["nps_scores"]
    assert (row["rows_in"], row["rows_kept"], row["rows_rejected"]) == (10, 6, 4)
    assert (row["validity_score"], row["uniqueness_score"], row["referential_integrity_score"]) == (0.9, 0.9, 0.8)
    assert row["completeness_score"] == row["timeliness_score"] == 1.0
    assert row["overall_score"] == pytest.approx((0.9 + 0.9 + 0.8 + 1 + 1) / 5)
    assert row["status"] == "Good"


def test_a_row_that_a_query_leaves_out_lowers_no_score():
    row = scores([reject("left_out", 7)], customers=[{}], nps_scores=[{"date": "2026-06-30", "score": 9}])["nps_scores"]
    assert (row["rows_in"], row["rows_rejected"], row["validity_score"]) == (2, 1, 1.0)


def test_completeness_counts_cells_of_the_columns_that_have_values():
    channels = scores(customers=[{"company_name": "A", "is_active": True}, {"company_name": None, "is_active": None}])
    # Seven columns, two rows: of fourteen cells, two are empty.
    assert channels["customers"]["completeness_score"] == pytest.approx(12 / 14)
    open_end = scores(subscriptions=[{"end_date": None, "auto_renew": True, "currency": "USD"}])
    assert open_end["subscriptions"]["completeness_score"] == 1.0  # a period that runs is not a gap


@pytest.mark.parametrize(("age", "score"), [(0, 1.0), (7, 1.0), (26, 0.5), (45, 0.0), (100, 0.0)])
def test_timeliness_falls_from_a_week_to_45_days(age, score):
    day = dt.date(2026, 6, 30) - dt.timedelta(days=age)
    assert scores(nps_scores=[{"date": day, "score": 9}])["nps_scores"]["timeliness_score"] == score


def test_an_absent_dataset_has_no_scores_and_a_poor_one_has_a_business_risk():
    found = scores(nps_scores=[{"date": "2026-01-01", "score": 9}])
    assert found["transactions"]["overall_score"] is None
    assert found["transactions"]["status"] == "Not available"
    assert found["nps_scores"]["business_risk"].startswith("Detractors are not called")
    assert set(found) == set(CONTRACTS)


MORE_IS_BETTER = HealthArea(metric="retention_rate", healthy=0.98, risk=0.90)
LESS_IS_BETTER = HealthArea(metric="customer_churn_rate", healthy=0.02, risk=0.08)


@pytest.mark.parametrize(
    ("value", "area", "score"),
    [
        (0.98, MORE_IS_BETTER, 100), (0.94, MORE_IS_BETTER, 50), (0.90, MORE_IS_BETTER, 0),
        (0.99, MORE_IS_BETTER, 100), (0.80, MORE_IS_BETTER, 0),
        (0.02, LESS_IS_BETTER, 100), (0.05, LESS_IS_BETTER, 50), (0.08, LESS_IS_BETTER, 0), (0.5, LESS_IS_BETTER, 0),
    ],
)  # fmt: skip
def test_a_score_is_linear_between_its_two_ends_in_both_directions(value, area, score):
    assert score_of(value, area) == pytest.approx(score)


def test_an_area_explains_its_score_or_why_it_has_none():
    known = {
        "retention_rate": {"value": 0.96, "label": "Customer retention", "unit": "rate", "not_available_reason": None}
    }
    row = area_row("Customer Retention", MORE_IS_BETTER, known, RULES)
    assert (row["score"], row["status"]) == (75.0, "Stable")
    assert row["explanation"] == "Customer retention is 96.0 %; 98.0 % scores 100 and 90.0 % scores 0."
    unknown = {"retention_rate": known["retention_rate"] | {"value": None, "not_available_reason": "No month yet."}}
    row = area_row("Customer Retention", MORE_IS_BETTER, unknown, RULES)
    assert (row["score"], row["status"], row["explanation"]) == (None, "Not available", "No month yet.")


def test_all_eight_areas_are_there_and_one_of_an_unknown_metric_is_refused():
    scores = RULES.health_scores
    assert list(scores.areas) == [
        "Customer Retention", "Customer Churn", "User Activation", "User Engagement", "Support Load",
        "Revenue Growth", "Revenue Leakage", "Data Quality",
    ]  # fmt: skip
    wrong = scores.model_copy(update={"areas": {"Growth": HealthArea(metric="growth", healthy=1, risk=0)}})
    with pytest.raises(RulesError) as caught:
        check_areas(wrong, RULES.metric_catalog, Path("rules/health_scores.yaml"))
    assert str(caught.value).startswith(
        "health_scores.yaml cannot be used (rules/health_scores.yaml):\n"
        "  areas > Growth > metric: is 'growth'; accepted: monthly_recurring_revenue, "
    )


HISTORY = ibis.schema({"metric_name": "string", "month": "date", "value": "float64", "is_complete": "boolean"})


def history(values, last_is_complete=True):
    months = [dt.date(2025 + number // 12, number % 12 + 1, 1) for number in range(len(values))]
    lines = [
        {"metric_name": "customer_churn_rate", "month": month, "value": value, "is_complete": True}
        for month, value in zip(months, values, strict=True)
    ]
    lines[-1]["is_complete"] = last_is_complete
    return table_of(lines, HISTORY)


def judged(values, **options):
    (result,) = anomaly_results(RULES.metric_catalog, ["customer_churn_rate"], history(values, **options))
    return result


USUAL = [0.02, 0.04] * 6  # mean 0.03, sample deviation 0.010445


def test_three_sigmas_of_the_twelve_months_before():
    (row,) = rows_of(usual_ranges(history([0.9, *USUAL, 0.05])))
    assert (row["mean"], row["months"]) == (pytest.approx(0.03), 12)  # the 0.9 is a month too old
    assert row["deviation"] == pytest.approx(0.0104447, abs=1e-6)
    assert judged([*USUAL, 0.0613]).passed  # the edge is 0.061334
    assert not judged([*USUAL, 0.0614]).passed
    assert not judged([*USUAL, -0.0014]).passed


def test_a_month_that_is_not_over_is_not_judged():
    assert judged([*USUAL, 0.03, 0.5], last_is_complete=False).passed


def test_eleven_months_are_too_few():
    assert judged([*USUAL[1:], 0.5]).description.startswith("Not judged")


def test_a_metric_that_never_changed_may_not_change():
    assert judged([0.02] * 13).passed
    assert not judged([0.02] * 12 + [0.021]).passed


def test_rules_without_the_newer_sections_get_the_shipped_values():
    written = RULES.data_quality
    old = DataQuality.model_validate(written.model_dump(exclude={"as_of", "reconciliation"}))
    assert old == written
