"""What a churn rule found, in a sentence."""

from decimal import Decimal

import ibis
import pytest

from productpulse_assets.risk.signal_sentences import SENTENCES, condition_sentence
from resources.tables import rows_of, table_of
from rules.churn_rules import SignalTest
from rules.signal_sources import SIGNAL_SOURCES
from tests.graph import unbound


def sentence(signal: str, operator: str, threshold: object, value: object, kind: str | None = None) -> str:
    """The sentence about one customer's value of a signal."""
    signals = table_of([{signal: value}], ibis.schema({signal: kind or unbound("customer_signals").schema()[signal]}))
    test = SignalTest(signal_name=signal, operator=operator, threshold=threshold)
    (row,) = rows_of(signals.select(sentence=condition_sentence(signals, test, "USD")))
    return row["sentence"]


@pytest.mark.parametrize(
    ("signal", "operator", "threshold", "value", "expected"),
    [
        ("mrr", "greater_or_equal", 1500, Decimal("2811.40"), "pays $2,811 a month (rule: 1,500 or more)"),
        ("tenure_days", "less_than", 30, 29, "customer for 29 days (rule: below 30)"),
        ("days_to_renewal", "between", [0, 45], 1, "renewal in 1 day (rule: 0 to 45)"),
        ("is_activated", "equals", False, False, "not activated"),
        ("is_activated", "is_true", None, True, "activated"),
        ("logins_recent", "equals", 0, 0, "0 logins in the last 28 days (rule: exactly 0)"),
        ("logins_baseline", "greater_than", 2.5, 3.25, "usually 3.2 logins in 28 days (rule: above 2.5)"),
        ("usage_change", "less_or_equal", -0.5, -0.676, "logins changed by -67.6 % (rule: -50.0 % or less)"),
        ("key_actions_recent", "less_than", 2, 1, "1 key action in the last 28 days (rule: below 2)"),
        ("key_actions_baseline", "greater_than", 1, 4.0, "usually 4.0 key actions in 28 days (rule: above 1)"),
        ("key_action_change", "less_than", -0.6, -1.0, "key actions changed by -100.0 % (rule: below -60.0 %)"),
        ("days_since_last_login", "greater_or_equal", 21, 27, "last login 27 days ago (rule: 21 or more)"),
        ("latest_nps_score", "less_or_equal", 6, 2, "latest NPS score is 2 (rule: 6 or less)"),
        ("nps_age_days", "less_or_equal", 30, 30, "latest NPS score 30 days old (rule: 30 or less)"),
        (
            "failed_payment_count", "greater_or_equal", 1, 1,
            "1 failed payment in the last 90 days, not recovered (rule: 1 or more)",
        ),
        ("support_ticket_count", "greater_or_equal", 3, 4, "4 support tickets in the last 90 days (rule: 3 or more)"),
        ("urgent_ticket_count", "greater_or_equal", 1, 2, "2 urgent tickets in the last 90 days (rule: 1 or more)"),
        ("open_ticket_count", "greater_or_equal", 1, 1, "1 open ticket (rule: 1 or more)"),
        ("open_urgent_ticket_count", "greater_or_equal", 1, 2, "2 open urgent tickets (rule: 1 or more)"),
        ("downgraded_recently", "is_true", None, True, "moved to a lower price in the last 90 days"),
        ("is_past_due", "not_equals", True, False, "no subscription is past due"),
        ("plan", "in", ["Starter", "Growth"], "Growth", "plan is Growth (rule: one of Starter, Growth)"),
        ("latest_nps_score", "is_missing", None, None, "latest nps score is not known"),
        ("is_past_due", "is_missing", None, None, "is past due is not known"),
    ],
)  # fmt: skip
def test_a_condition_is_a_sentence_with_its_value(signal, operator, threshold, value, expected):
    assert sentence(signal, operator, threshold, value) == expected


def test_every_signal_has_a_sentence_of_its_own():
    assert set(SENTENCES) == set(SIGNAL_SOURCES) - {"plan"}


def test_a_boolean_column_of_the_customer_reads_yes_or_no():
    assert sentence("has_contract", "equals", False, False, kind="boolean") == "has contract is no"
