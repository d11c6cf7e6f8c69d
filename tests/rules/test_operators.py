"""Every operator on a column of four rows, the last of them unknown."""

import datetime as dt
from typing import get_args

import ibis
import pytest

from resources.tables import table_of
from rules.operators import OPERATORS, Operator, comparison, type_problem, value_problem

COLUMNS = {
    "number": ("int64", [1, 5, 9, None]),
    "money": ("decimal(18, 2)", [1, 5, 9, None]),
    "text": ("string", ["Starter", "Scale", "Enterprise", None]),
    "change": ("float64", [-0.24999999999999994, -0.25000000000000006, -0.2499, None]),  # the first two are -0.25
    "date": ("date", [dt.date(2026, 1, 1), dt.date(2026, 1, 5), dt.date(2026, 1, 9), None]),
    "truth": ("boolean", [True, False, True, None]),
}
TABLE = table_of(
    [{name: values[row] for name, (_kind, values) in COLUMNS.items()} for row in range(4)],
    ibis.schema({name: kind for name, (kind, _values) in COLUMNS.items()}),
)

HOLDS = [
    ("less_than", "number", 5, [True, False, False, None]),
    ("less_or_equal", "number", 5, [True, True, False, None]),
    ("greater_than", "number", 5, [False, False, True, None]),
    ("greater_or_equal", "number", 5, [False, True, True, None]),
    ("equals", "number", 5, [False, True, False, None]),
    ("equals", "text", "Scale", [False, True, False, None]),
    ("equals", "text", "scale", [False, False, False, None]),  # upper and lower case differ
    ("equals", "truth", False, [False, True, False, None]),
    ("not_equals", "number", 5, [True, False, True, None]),
    ("in", "text", ["Starter", "Enterprise"], [True, False, True, None]),
    ("in", "number", [9], [False, False, True, None]),
    ("not_in", "text", ["Starter", "Enterprise"], [False, True, False, None]),
    ("contains", "text", "S", [True, True, False, None]),
    ("contains", "text", "a%", [False, False, False, None]),  # no pattern: a percent sign is itself
    ("between", "number", [1, 5], [True, True, False, None]),  # both ends count
    ("between", "number", [2, 4], [False, False, False, None]),
    ("between", "date", [dt.date(2026, 1, 5), dt.date(2026, 1, 9)], [False, True, True, None]),
    ("less_than", "date", dt.date(2026, 1, 5), [True, False, False, None]),
    ("greater_than", "money", 4.99, [False, True, True, None]),
    ("less_or_equal", "change", -0.25, [True, True, False, None]),
    ("less_than", "change", -0.25, [False, False, False, None]),
    ("greater_or_equal", "change", -0.25, [True, True, True, None]),
    ("greater_than", "change", -0.25, [False, False, True, None]),
    ("equals", "change", -0.25, [True, True, False, None]),
    ("not_equals", "change", -0.25, [False, False, True, None]),
    ("in", "change", [-0.25, 1], [True, True, False, None]),
    ("between", "change", [-0.25, -0.25], [True, True, False, None]),
    ("less_or_equal", "change", -0.24999999999, [True, True, False, None]),  # thresholds are rounded alike
    ("is_true", "truth", None, [True, False, True, None]),
    ("is_missing", "number", None, [False, False, False, True]),
    ("is_missing", "text", None, [False, False, False, True]),
]


@pytest.mark.parametrize(("operator", "column", "value", "expected"), HOLDS)
def test_what_an_operator_holds_for(operator, column, value, expected):
    held = TABLE.select(held=comparison(operator, TABLE[column], value)).to_pyarrow()["held"].to_pylist()
    assert held == expected


def test_every_operator_has_a_case_here():
    assert {operator for operator, *_case in HOLDS} == set(OPERATORS)


@pytest.mark.parametrize("operator", sorted(set(OPERATORS) - {"is_missing"}))
def test_an_unknown_value_satisfies_no_operator_but_is_missing(operator):
    cases = [case for case in HOLDS if case[0] == operator]
    assert cases and all(expected[3] is None for _operator, _column, _value, expected in cases)


@pytest.mark.parametrize(
    ("operator", "value", "problem"),
    [
        ("is_true", True, "is_true takes no value"),
        ("is_missing", 0, "is_missing takes no value"),
        ("less_than", None, "less_than needs a value"),
        ("in", None, "in needs a value"),
        ("in", "Scale", "in needs a list of at least one value"),
        ("in", [], "in needs a list of at least one value"),
        ("not_in", [], "not_in needs a list of at least one value"),  # it would hold for unknown values
        ("equals", ["Scale"], "equals needs a single value, not a list"),
        ("equals", {"a": 1}, "equals needs a single value, not a list"),
        ("between", 5, "between needs a list of at least one value"),
        ("between", [1], "between needs a list of two: the lowest and the highest value"),
        ("between", [1, 2, 3], "between needs a list of two: the lowest and the highest value"),
    ],
)
def test_what_is_wrong_with_a_value(operator, value, problem):
    assert value_problem(operator, value) == problem


@pytest.mark.parametrize(("operator", "column", "value", "_expected"), HOLDS)
def test_nothing_is_wrong_with_the_cases_above(operator, column, value, _expected):
    assert value_problem(operator, value) is None
    assert type_problem(operator, value, TABLE[column]) is None


@pytest.mark.parametrize(
    ("operator", "column", "value", "problem"),
    [
        ("equals", "text", 5, "5 cannot be compared with a column of type string; accepted: text"),
        ("equals", "number", "5", "'5' cannot be compared with a column of type int64; accepted: a number"),
        ("equals", "number", True, "True cannot be compared with a column of type int64; accepted: a number"),
        ("equals", "truth", 1, "1 cannot be compared with a column of type boolean; accepted: true or false"),
        ("less_than", "date", "2026-01-05", "'2026-01-05' cannot be compared with a column of type date; accepted: a date such as 2026-06-30"),
        ("in", "number", [1, "x"], "'x' cannot be compared with a column of type int64; accepted: a number"),
        ("in", "text", ["a", None], "None cannot be compared with a column of type string; accepted: text"),
        ("between", "number", [5, 1], "between needs the lowest value first; 5 is above 1"),
        ("contains", "number", "5", "contains needs a text column; this one is int64"),
        ("is_true", "text", None, "is_true needs a true/false column; this one is string"),
    ],
)  # fmt: skip
def test_why_a_column_cannot_be_compared(operator, column, value, problem):
    assert type_problem(operator, value, TABLE[column]) == problem


def test_every_operator_of_the_files_has_an_expression():
    assert get_args(Operator) == tuple(OPERATORS)
