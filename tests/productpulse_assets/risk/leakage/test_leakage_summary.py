"""leakage_summary: all six kinds, always, and what is not known said so."""

import shutil

import pytest
import yaml

from rules.rule_set import SHIPPED, read_rules
from tests.builders import rows
from tests.productpulse_assets.risk.leakage.examples import fail, give_back, kinds, leakage, login, pay, sub, summary

pytestmark = pytest.mark.slow

PAYMENTS = [pay("2026-04-05"), pay("2026-05-05"), fail("2026-06-05", 30), give_back("2026-05-06", 90)]
LAPSED = sub("S2", customer_id="C2", status="Canceled", end_date="2026-04-05")
USAGE = [login("2026-06-20") | {"customer_id": "C2"}]
FIGURES = ("leakage_type", "cases", "customers", "estimated_revenue_loss", "not_available_reason")
NO_PAYMENTS = "Needs the dataset transactions, which is absent."


@pytest.fixture
def changed(tmp_path):
    """The rules of a folder whose file has other values for one detector."""

    def change(detector, **values):
        for file in SHIPPED.glob("*.yaml"):
            shutil.copy(file, tmp_path)
        path = tmp_path / "leakage_rules.yaml"
        content = yaml.safe_load(path.read_text())
        content["detectors"][detector] |= values
        path.write_text(yaml.safe_dump(content))
        return read_rules(tmp_path)

    return change


def test_every_kind_has_its_row_also_with_no_cases():
    table = summary([sub(), LAPSED], PAYMENTS, USAGE)
    assert rows(table, *FIGURES) == [
        ("Active Usage Without Billing", 1, 1, 100.0, None),
        ("Failed Payment", 1, 1, 100.0, None),
        ("Missed Invoice", 0, 0, 0.0, None),
        ("Refund", 1, 1, 90.0, None),
        ("Underbilled Subscription", 0, 0, 0.0, None),
        ("Unpaid Active Subscription", 0, 0, 0.0, None),
    ]
    assert dict(rows(table, "leakage_type", "share_of_loss"))["Failed Payment"] == pytest.approx(100 / 290)
    assert set(rows(table, "amount_collected", "window_start", "window_end")) == {(200.0, "2026-04-01", "2026-06-30")}


def test_what_was_collected_is_what_was_paid_in_the_window():
    outside = [pay("2026-03-31", 1000), pay("2026-07-01", 1000)]
    edges = [pay("2026-04-01", 1), pay("2026-06-30", 2)]
    table = summary([sub(billing_cycle=None)], [*outside, *edges])
    assert set(rows(table, "amount_collected")) == {(3.0,)}
    assert set(rows(summary([sub(billing_cycle=None)], outside), "amount_collected")) == {(0.0,)}


def test_without_any_loss_there_are_no_shares():
    table = summary([sub(billing_cycle=None)], [pay("2026-06-05")], USAGE)
    assert set(rows(table, "estimated_revenue_loss", "share_of_loss")) == {(0.0, None)}


def test_without_transactions_five_kinds_are_unknown():
    given = [sub(status="Past Due"), LAPSED], [], USAGE
    assert kinds(leakage(*given)) == [("Active Usage Without Billing", "2026-04-05", 100.0)]
    table = summary(*given)
    assert rows(table.filter(table.cases.notnull()), *FIGURES) == [("Active Usage Without Billing", 1, 1, 100.0, None)]
    unknown = table.filter(table.cases.isnull())
    assert rows(unknown, *FIGURES[1:], "amount_collected") == [(None, None, None, NO_PAYMENTS, None)] * 5


def test_without_usage_one_kind_is_unknown():
    table = summary([sub()], PAYMENTS)
    assert rows(table.filter(table.cases.isnull()), *FIGURES) == [
        (
            "Active Usage Without Billing",
            None,
            None,
            None,
            "Needs the dataset product_usage, which is absent.",
        )
    ]


def test_without_both_there_are_no_cases_and_no_zeros():
    assert kinds(leakage([sub(status="Past Due")])) == []
    assert set(rows(summary([sub()]), "cases", "estimated_revenue_loss", "share_of_loss")) == {(None, None, None)}


def test_who_was_past_due_on_a_past_day_is_unknown():
    table = summary([sub()], PAYMENTS, USAGE, is_current=False)
    assert rows(table.filter(table.cases.isnull()), "leakage_type", "is_enabled", "not_available_reason") == [
        (
            "Unpaid Active Subscription",
            True,
            "Needs the status Past Due, which is known only as of the newest date in the data.",
        )
    ]


def test_a_detector_that_is_switched_off_finds_nothing_and_says_so(changed):
    rules = changed("refund", enabled=False)
    assert kinds(leakage([sub()], PAYMENTS, rules=rules)) == [("Failed Payment", "2026-06-05", 100.0)]
    table = summary([sub()], PAYMENTS, USAGE, rules=rules)
    assert rows(table.filter(~table.is_enabled), *FIGURES) == [
        ("Refund", None, None, None, "Switched off in leakage_rules.yaml.")
    ]


def test_a_loss_that_a_switched_off_detector_covered_comes_to_light(changed):
    payments = [pay("2026-04-05"), fail("2026-05-05"), fail("2026-06-05")]
    assert [kind for kind, *_ in kinds(leakage([sub(status="Past Due")], payments))] == ["Unpaid Active Subscription"]
    rules = changed("unpaid_active_subscription", enabled=False)
    found = kinds(leakage([sub(status="Past Due")], payments, rules=rules))
    assert [kind for kind, *_ in found] == ["Failed Payment"] * 2


@pytest.mark.parametrize(
    ("detector", "change", "before", "after"),
    [
        ("failed_payment", {"recovery_days": 40}, 1, 1),  # has had no effect since there is a ledger
        ("failed_payment", {"enabled": False}, 1, 0),
        ("failed_payment", {"recommended_action": "Call."}, 1, 1),
    ],
)
def test_the_rules_are_read_from_the_file(changed, detector, change, before, after):
    payments = [fail("2026-05-05"), pay("2026-06-05")]
    assert len(kinds(leakage([sub()], payments))) == before
    found = leakage([sub()], payments, rules=changed(detector, **change))
    assert len(kinds(found)) == after
    assert "recommended_action" not in change or rows(found, "recommended_action") == [("Call.",)]
