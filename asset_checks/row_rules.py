"""The rules that a row can break, as Pandera checks.

A check is one boolean per row, computed in the database: the gate counts with it, and the sources separate kept rows
from rejects with it, so that both always agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import pandera.ibis as pa
from pandera.api.ibis.types import IbisData

from rules.text.formats import one_line

SHOWN_FAILURES = 5
"""The number of failing rows that a check fetches; the rest are counted in the database."""


IDS = "Ids are compared as written: c1 is not C1, and 007 is not 7. 7.0 is 7 only if every id of the column has a .0."

NUMBERS = (
    "Numbers are written 1234.50: no thousands separators, no currency sign, a decimal point; another way is set as "
    "number_format in sources.yaml. Without it, 1.234 is not read if no other value shows that the point is decimal."
)

HINTS = {
    "parses_as_number": NUMBERS,
    "parses_as_whole_number": NUMBERS,
    "currency_agrees": "The currency around an amount must be that of the row's currency column or, without a value "
    "there, the reporting currency if it is a sign of several currencies, such as $.",
    "known_event": "Words of events are listed under datasets > subscriptions > shape > words in sources.yaml.",
    "known_customer": IDS,
    "known_subscription": IDS,
    "parses_as_date": "Dates are written 2026-06-30; other formats can be listed under date_formats in sources.yaml. "
    "1970-01-01 and days before 1900-01-02 are written by programs instead of an empty date.",
}
"""The expected form of a value, for the rules that are broken most often."""


def alias_advice(dataset: str, column: str, values: Sequence[str], limit: int = 3) -> str:
    """What to do about words that only the source uses: `give the meaning of 'Churned' under aliases > …`."""
    words = [f"'{one_line(value, 60)}'" for value in values[:limit]]
    more = ["the others"] if len(values) > limit else []
    *first, last = words + more
    listed = f"{', '.join(first)} and {last}" if first else last
    return f"give the meaning of {listed} under aliases > {dataset}.{column} in sources.yaml"


def _check(predicate: Callable[[IbisData], ir.BooleanColumn], name: str, error: str, **statistics: object) -> pa.Check:
    return pa.Check(predicate, name=name, error=error, n_failure_cases=SHOWN_FAILURES, statistics=statistics)


def not_negative() -> pa.Check:
    """0 or more."""
    return _check(lambda data: data.table[data.key] >= 0, "not_negative", "must be 0 or more")


def positive() -> pa.Check:
    """More than 0."""
    return _check(lambda data: data.table[data.key] > 0, "positive", "must be more than 0")


def between(low: int, high: int) -> pa.Check:
    """From `low` to `high`, both included."""
    return _check(
        lambda data: data.table[data.key].between(low, high),
        f"between_{low}_and_{high}",
        f"must be from {low} to {high}",
    )


def is_among(column: ir.Column, values: Sequence[str]) -> ir.BooleanColumn:
    """Whether a value is one of a few `values`.

    DuckDB runs `isin` with more than four values as a join, which does not keep the order of the rows.
    """
    return ibis.or_(*(column == value for value in values))


def one_of(*values: str) -> pa.Check:
    """One of `values`, exactly as written."""
    return _check(
        lambda data: is_among(data.table[data.key], values),
        "allowed_values",
        f"must be one of {', '.join(values)}",
        allowed=values,
    )


def currency_code() -> pa.Check:
    """Three capital letters."""
    return _check(
        lambda data: data.table[data.key].re_search("^[A-Z]{3}$"),
        "currency_code",
        "must be a three-letter currency code such as USD",
    )


def not_before(later: str, earlier: str) -> pa.Check:
    """`later` is on or after `earlier`; a row without either passes."""
    return _check(
        # Pandera fails a check that is NULL in every row, so a row without one of the dates passes explicitly.
        lambda data: (data.table[later] >= data.table[earlier]).fill_null(True),
        f"{later}_not_before_{earlier}",
        f"{later} must not be before {earlier}",
        column=later,
    )


def ended_when(status: str, ended: tuple[str, ...], end: str) -> pa.Check:
    """A row whose `status` is one of `ended` has a value in `end`."""
    return _check(
        lambda data: ~data.table[status].isin(ended) | data.table[end].notnull(),
        f"ended_has_{end}",
        f"a row with {status} {' or '.join(ended)} must have its {end}",
        column=end,
    )


def key_value(table: ir.Table, columns: Sequence[str]) -> ir.Value:
    """The key of each row as one value."""
    return table[columns[0]] if len(columns) == 1 else ibis.struct({name: table[name] for name in columns})


def follows(table: ir.Table, columns: Sequence[str]) -> ir.BooleanColumn:
    """Whether each row's key is greater than the key of the row stored before it; NULL in the first row.

    Where this is true in every row, the table is sorted by its key and the key is unique. DuckDB finds this in one
    pass, without the memory that a count of distinct keys needs.
    """
    after = ibis.literal(False)
    for name in reversed(columns):
        before = table[name].lag()
        after = (table[name] > before) | ((table[name] == before) & after)
    return after


def unique_key(*columns: str) -> pa.Check:
    """The key is unique: one hash count in the database, where Pandera's own check sorts windows."""

    def is_unique(data: IbisData) -> ir.BooleanScalar:
        return key_value(data.table, columns).nunique() == data.table.count()

    return pa.Check(
        is_unique,
        name="unique_key",
        error=f"{' + '.join(columns)} must be unique",
        statistics={},
    )


def passes(check: pa.Check, table: ir.Table, column: str | None) -> ir.BooleanColumn:
    """Whether each row satisfies `check`; NULL breaks only the rule `not_null`."""
    backend: Any = check.get_backend(table)(check)  # pandera annotates no backend
    return backend.apply(IbisData(table, column)).fill_null(True)
