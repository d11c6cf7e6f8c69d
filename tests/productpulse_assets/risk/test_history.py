"""What changed for each customer between the as-of dates of the history."""

import dataclasses
import datetime as dt
from decimal import Decimal

import ibis
import pyarrow as pa
import pytest

from asset_checks.history import HISTORY
from productpulse_assets.metrics.recorded import past_rows
from productpulse_assets.risk.history import (
    DAYS,
    RECORDED,
    past_risk,
    risk_history,
    shown_days,
    with_changes,
    with_rule_changes,
)
from resources.decision_history import KPIS, RISK, damage_of, read_typed_day, write_day
from resources.tables import table_of
from rules.decision_hash import decision_hash
from tests.builders import calendar, day, rows, store
from tests.errors import raises
from tests.graph import RULES, unbound

MAY, JUNE = "2026-05-31", "2026-06-30"


def recorded(as_of, customer, score, band, rules_hash="one", **more):
    row = {"as_of_date": day(as_of), "customer_id": customer, "risk_score": score, "risk_band": band}
    return dict.fromkeys(RECORDED) | row | {"is_current": False, "rules_hash": rules_hash} | more


def changes(*found):
    table = table_of(found, RECORDED)
    days = table.group_by("as_of_date").aggregate(rules_hash=ibis._.rules_hash.max())
    return rows(
        with_changes(table, days), "customer_id", "as_of_date", "previous_risk_band", "score_change", "band_since"
    )


def test_a_change_is_counted_from_the_date_before_and_a_band_from_its_first_date():
    assert changes(
        recorded("2026-04-30", "A", 0.5, "High"),
        recorded(MAY, "A", 0.1, "Low"),
        recorded(JUNE, "A", 0.5, "High"),
        recorded("2026-07-31", "A", 0.625, "High"),
    ) == [
        ("A", "2026-04-30", None, None, "2026-04-30"),
        ("A", MAY, "High", -0.4, MAY),
        ("A", JUNE, "Low", 0.4, JUNE),
        ("A", "2026-07-31", "High", 0.125, JUNE),
    ]


def test_a_customer_who_was_away_on_the_date_before_begins_again():
    assert changes(
        recorded("2026-04-30", "A", 0.5, "High"),
        recorded(MAY, "B", 0.1, "Low"),
        recorded(JUNE, "A", 0.5, "High"),
        recorded(JUNE, "B", None, None),
    ) == [
        ("A", "2026-04-30", None, None, "2026-04-30"),
        ("A", JUNE, None, None, JUNE),
        ("B", MAY, None, None, MAY),
        ("B", JUNE, "Low", None, None),
    ]


def test_a_score_that_moved_with_the_rules_is_no_change_of_the_customer():
    found = changes(recorded(MAY, "A", 0.1, "Low"), recorded(JUNE, "A", 0.5, "High", rules_hash="other"))
    assert found[1] == ("A", JUNE, "Low", None, JUNE)


def test_today_is_the_last_date_and_leakage_that_is_not_known_is_null():
    profiles = [{"customer_id": "A", "risk_score": 0.5, "risk_band": "High", "mrr": Decimal(50)}]
    cases = [
        {"customer_id": "A", "leakage_type": "Refund", "estimated_revenue_loss": Decimal(3)},
        {"customer_id": "A", "leakage_type": "Refund", "estimated_revenue_loss": Decimal(4)},
        {"customer_id": "B", "leakage_type": "Missed Invoice", "estimated_revenue_loss": Decimal(5)},
    ]
    kinds = [
        {"leakage_type": "Refund"},
        {"leakage_type": "Missed Invoice"},
        {"leakage_type": "Unpaid Active Subscription", "not_available_reason": "unknown"},
    ]
    given = {"churn_risk_profiles": profiles, "revenue_leakage": cases, "leakage_summary": kinds}
    tables = {
        name: table_of([dict.fromkeys(unbound(name).schema()) | row for row in found], unbound(name).schema())
        for name, found in given.items()
    }
    tables |= {
        "calendar": calendar("2026-05-01", JUNE),
        "recorded_risk": table_of([recorded(MAY, "A", 0.1, "Low")], RECORDED),
    }
    stored = store(tables)
    found = risk_history(**{name: stored.table(name) for name in tables}, rules=RULES)
    columns = ("as_of_date", "customer_id", "leakage_refund", "leakage_missed_invoice", "leakage_unpaid_active_subscription", "health_status")  # fmt: skip
    assert rows(ibis.memtable(found.to_pyarrow()), *columns) == [
        (MAY, "A", None, None, None, None),
        (JUNE, "A", 7.0, 0.0, None, "At Risk"),
        (JUNE, "B", 0.0, 5.0, None, "Not Paying"),
    ]


def test_of_old_months_the_last_recorded_date_is_shown():
    days = [dt.date(2026, 3, 1), dt.date(2026, 3, 30), dt.date(2026, 5, 26), dt.date(2026, 5, 27), dt.date(2026, 6, 30)]
    assert shown_days(days, dt.date(2026, 6, 30)) == days[1:4]
    assert shown_days(days, dt.date(2026, 7, 30)) == [days[1], days[3], days[4]]


def write(history, kind, as_of, **columns):
    write_day(ibis.memtable(pa.table(columns)), history, kind, day(as_of))


def test_a_damaged_file_is_reported_and_the_others_are_read(tmp_path):
    write(tmp_path, RISK, MAY, as_of_date=[day(MAY)], customer_id=["A"])
    damaged = tmp_path / RISK / "2026-04-30.parquet"
    damaged.write_bytes(b"PAR1 no more")
    write(tmp_path, RISK, "2026-03-31", as_of_date=["no date"], customer_id=["A"])
    assert rows(past_risk(tmp_path, day(JUNE)), "as_of_date", "customer_id") == [(MAY, "A")]
    problem = damage_of(tmp_path, RISK, day("2026-04-30"), RECORDED)
    assert str(damaged) in problem
    with raises("history.damaged_file"):
        read_typed_day(tmp_path, RISK, day("2026-03-31"), RECORDED)
    listed = [{"as_of_date": day("2026-04-30"), "problem": problem}, {"as_of_date": day(MAY)}]
    days = table_of([dict.fromkeys(DAYS) | row for row in listed], DAYS)
    (warned,) = HISTORY.results(lambda _name: days, HISTORY.keys)
    assert not warned.passed
    assert str(damaged) in warned.description


def test_a_rule_change_is_marked_on_the_first_date_of_the_new_rules():
    days = [{"as_of_date": day(MAY), "rules_hash": text} for text in ("one", None, "one", "two", "two")]
    assert [row["is_rule_change"] for row in with_rule_changes(days)] == [None, None, False, True, False]


def test_only_what_changes_a_number_changes_the_hash():
    (first, *others), churn = RULES.churn_rules.rules, RULES.churn_rules

    def changed(**values):
        rule = first.model_copy(update=values)
        return decision_hash(
            dataclasses.replace(RULES, churn_rules=churn.model_copy(update={"rules": (rule, *others)}))
        )

    assert changed(description="Other words.", driver_label="Other") == decision_hash(RULES)
    assert changed(weight=Decimal("0.99")) != decision_hash(RULES)
    assert changed(enabled=False) != decision_hash(RULES)
    assert len(decision_hash(RULES)) == 12


def kpi_rows(history, as_of, *, is_current):
    names = ["revenue_at_risk", "monthly_recurring_revenue", "data_quality_score"]
    write(history, KPIS, as_of, as_of_date=[day(as_of)] * 3, metric_name=names, value=[7.0, 8.0, 0.5],
          is_current=[is_current] * 3)  # fmt: skip


def test_metrics_of_the_present_have_their_values_at_past_month_ends(tmp_path):
    kpi_rows(tmp_path, MAY, is_current=False)
    kpi_rows(tmp_path, "2026-04-30", is_current=True)
    kpi_rows(tmp_path, "2026-03-30", is_current=True)  # not the end of its month
    kpi_rows(tmp_path, JUNE, is_current=True)  # the present month has its own value
    found = past_rows(tmp_path, dt.date(2026, 6, 30), RULES.metric_catalog)
    assert [(row["metric_name"], str(row["month"]), row["value"]) for row in found] == [
        ("data_quality_score", "2026-04-01", 0.5),  # only a run of the day itself saw that day's files
        ("revenue_at_risk", "2026-04-01", 7.0),
        ("revenue_at_risk", "2026-05-01", 7.0),
    ]


@pytest.mark.parametrize("as_of", [dt.date(2026, 6, 30), dt.date(2026, 6, 1)])
def test_no_month_from_the_present_one_on_comes_from_the_history(tmp_path, as_of):
    kpi_rows(tmp_path, JUNE, is_current=True)
    assert past_rows(tmp_path, as_of, RULES.metric_catalog) == []
