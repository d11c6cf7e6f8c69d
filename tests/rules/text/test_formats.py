"""How numbers are said."""

import datetime as dt
from decimal import Decimal

import pytest

from rules.text.formats import (
    action_money,
    age_text,
    change_text,
    count_text,
    escape_invisible,
    is_unknown,
    money,
    month_text,
    movement_text,
    number_text,
    percent,
    period_text,
    printable_line,
    priority_money,
    value_text,
    without_credentials,
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (284090, "$284,090"),
        (Decimal("284090.49"), "$284,090"),
        (1000, "$1,000"),
        (999.99, "$999.99"),  # cents say something below a thousand
        (61.27, "$61.27"),
        (-61.27, "-$61.27"),
        (-284090, "-$284,090"),
        (0, "$0"),
        (-0.001, "$0.00"),  # not -$0.00
    ],
)
def test_money(value, shown):
    assert money(value) == shown


def test_money_with_cents_and_in_other_currencies():
    assert money(Decimal("284090"), cents=True) == "$284,090.00"
    assert money(0, cents=True) == "$0.00"
    assert money(1234, "EUR") == "€1,234"
    assert money(-12.5, "GBP") == "-£12.50"
    assert money(1234, "CHF") == "CHF 1,234"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0315, "3.1 %"), (1, "100.0 %"), (0, "0.0 %"), (-0.05, "-5.0 %"), (12.5, "1,250.0 %"), (-0.0001, "0.0 %")],
)
def test_percent(value, shown):
    assert percent(value) == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown", "exact"),
    [
        (284090.0, "money", "$284,090", "$284,090.00"),
        (0.03154, "rate", "3.2 %", "3.15 %"),
        (1234.0, "count", "1,234", "1,234"),
        (-0.3, "count", "0", "0"),
        (3.14159, "ratio", "3.14", "3.14"),
        (1234.5, "number", "1,234.50", "1,234.50"),
        (41.26, "score", "41.3", "41.3"),
        (12.0, "days", "12.0 days", "12.0 days"),
        (7.25, "months", "7.2 months", "7.2 months"),
        (0.0, "score", "0.0", "0.0"),
        (-0.04, "score", "0.0", "0.0"),
        (None, "money", "not available", "not available"),
        (float("nan"), "rate", "not available", "not available"),
    ],
)
def test_a_value_by_its_unit(value, unit, shown, exact):
    assert value_text(value, unit) == shown
    assert value_text(value, unit, exact=True) == exact


@pytest.mark.parametrize(
    ("change", "unit", "shown"),
    [
        (1500.0, "money", "+$1,500"),
        (-1500.0, "money", "-$1,500"),
        (0.0, "money", "$0"),
        (0.004, "rate", "+0.4 pp"),
        (-0.02, "rate", "-2.0 pp"),
        (-0.00001, "rate", "0.0 pp"),
        (-3.0, "count", "-3"),
        (-0.001, "ratio", "0.00"),
        (-2.5, "days", "-2.5 days"),
        (None, "count", "not available"),
    ],
)
def test_a_change_has_its_sign(change, unit, shown):
    assert change_text(change, unit) == shown


def test_a_change_in_another_currency():
    assert change_text(-1500, "money", "EUR") == "-€1,500"


def test_only_none_and_nan_are_unknown():
    assert is_unknown(None) and is_unknown(float("nan"))
    assert not is_unknown(0) and not is_unknown(0.0) and not is_unknown(Decimal("0"))


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ("2026-06-30", "2026-06-30", "2026-06-30"),
        ("2026-06-01", "2026-06-30", "Jun 2026"),
        ("2026-04-01", "2026-06-30", "Apr to Jun 2026"),
        ("2025-11-01", "2026-01-31", "Nov 2025 to Jan 2026"),
        (None, None, "no complete month"),
    ],
)
def test_the_days_that_a_value_covers(start, end, text):
    assert period_text(*(day and dt.date.fromisoformat(day) for day in (start, end))) == text


@pytest.mark.parametrize(
    ("change", "unit", "text"),
    [
        (1500.0, "money", "up $1,500"),
        (-1500.0, "money", "down $1,500"),
        (-0.018, "rate", "down 1.8 pp"),
        (0.0, "money", "unchanged"),
        (0.00001, "rate", "unchanged"),
        (None, "money", "not available"),
    ],
)
def test_a_change_in_words(change, unit, text):
    assert movement_text(change, unit) == text


def test_a_bare_number_has_the_decimals_it_is_given():
    assert (number_text(66.4), number_text(10.66, 1), number_text(0.9, 2)) == ("66", "10.7", "0.90")
    assert (number_text(None), number_text(-0.001, 2)) == ("not available", "0.00")


def test_one_of_something_and_more():
    assert count_text(1, "customer") == "1 customer"
    assert count_text(0, "customer") == "0 customers"
    assert count_text(1200, "person", "people") == "1,200 people"


def test_a_month_by_its_name():
    assert month_text(dt.date(2026, 6, 30)) == "June 2026"


@pytest.mark.parametrize(
    ("age", "told"),
    [
        (dt.timedelta(seconds=20), "less than a minute"),
        (dt.timedelta(minutes=1), "1 minute"),
        (dt.timedelta(minutes=59, seconds=50), "1 hour"),
        (dt.timedelta(hours=47), "47 hours"),
        (dt.timedelta(hours=60), "2 days"),
        (dt.timedelta(days=3), "3 days"),
    ],
)
def test_an_age(age, told):
    assert age_text(age) == told


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://app:hunter2@db/prod is not a folder", "postgres://…@db/prod is not a folder"),
        ("/work/postgres:/app:hunter2@db/prod", "/work/postgres:/…@db/prod"),
        ("host=db password='a b' user=x", "host=db password=… user=x"),
        ("ON a.key = b.key, of ops@example.com", "ON a.key = b.key, of ops@example.com"),
    ],
)
def test_a_password_in_a_text_is_left_out(text, shown):
    assert without_credentials(text) == shown


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Active", "Active"),
        ("\u200bActive\u00a0", "\\u200bActive\\xa0"),
        ("C1\u202e2C", "C1\\u202e2C"),
        ("two\nlines\tand\rmore", "two\\nlines\\tand\\rmore"),
        ("\x1b[31mred\x00", "\\x1b[31mred\\x00"),
        ("\ufeffid", "\\ufeffid"),
        ("a\u3164b\ufe0f", "a\\u3164b\\ufe0f"),
        ("\udcff", "\\udcff"),
        ("Élan 株式会社 שלום 🙂", "Élan 株式会社 שלום 🙂"),
        (None, "None"),
    ],
)
def test_what_cannot_be_seen_is_shown_as_its_code_in_a_message(text, seen):
    assert printable_line(text) == seen


def test_a_long_text_is_cut_in_a_message_and_line_ends_stay_where_they_are_wanted():
    assert printable_line("x" * 100, 10) == "x" * 9 + "…"
    assert escape_invisible("a\u200b\nb", keep="\n") == "a\\u200b\nb"


@pytest.mark.parametrize(
    ("monthly", "value", "cash", "text"),
    [
        (2495, 29940, 0, "$2,495 a month, $29,940 over 12 months"),
        (100, 250, 50, "$100.00 a month, $250.00 over 2.5 months, and $50.00 once"),
        (0, 0, 1200, "$1,200 once"),
        (None, None, None, "not available"),
    ],
)
def test_a_months_revenue_and_cash_are_never_one_amount(monthly, value, cash, text):
    row = {"monthly_revenue": monthly, "recurring_value": value, "one_off_cash": cash}
    assert action_money(row) == text
    assert action_money(dict.fromkeys(row, 0)) == "$0"
    if monthly is not None:
        assert priority_money(row) == text.split(" a month, ")[-1].split(", and")[0]
