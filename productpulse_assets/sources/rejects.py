"""Rejected rows, each with the rule it broke: no row is dropped without a record."""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
from ibis import _

from asset_checks.contracts import REJECTS_SCHEMA
from productpulse_assets.sources.casting import source_text
from productpulse_assets.sources.staging import PLACE, ContractRule

VALUE_LENGTH = 200


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]  # Ibis has no types
def to_json(row) -> dt.json:  # type: ignore[no-untyped-def]  # Ibis has no annotation for any struct
    """A struct as JSON text; the function has the same name in DuckDB and Spark."""


def rejected_rows(
    staged: ir.Table, raw: ir.Table, rules: list[ContractRule], found: dict[str, str], key: tuple[str, ...]
) -> ir.Table:
    """One row per broken rule, without dataset; `found` maps our columns to those of `raw`."""
    return _rows_of_bits(staged, "broken", raw, rules, found, key)


def unknown_values(
    kept: ir.Table, raw: ir.Table, rules: list[ContractRule], found: dict[str, str], key: tuple[str, ...]
) -> ir.Table:
    """One row per value of a kept row that was left empty, without dataset."""
    return _rows_of_bits(kept, "unknown", raw, rules, found, key)


def _rows_of_bits(
    staged: ir.Table, mark: str, raw: ir.Table, rules: list[ContractRule], found: dict[str, str], key: tuple[str, ...]
) -> ir.Table:
    names = ibis.memtable(
        {
            "bit": [1 << bit for bit, rule in enumerate(rules)],
            "column_name": [rule.column_name for rule in rules],
            "check_name": [rule.check_name for rule in rules],
        }
    )
    marked = staged.filter(_[mark] != 0).select(*PLACE, mark, row_key=_key_text(staged, key))
    pairs = marked.join(names, (marked[mark] & names.bit) != 0).drop(mark, "bit")
    return _with_source_row(pairs, raw, found)


def rejected_duplicates(duplicates: ir.Table, raw: ir.Table, found: dict[str, str], key: tuple[str, ...]) -> ir.Table:
    """One row per later row of a key, without dataset."""
    rows = duplicates.select(
        *PLACE,
        row_key=_key_text(duplicates, key),
        column_name=ibis.literal(key[0]),
        check_name=ibis.ifelse(duplicates.is_exact, "duplicate_row", "unique_key"),
    )
    return _with_source_row(rows, raw, found)


def rejected_readings(spans: ir.Table, raw: ir.Table) -> ir.Table:
    """One row per row of an export in another shape that cannot be part of a period, without dataset."""
    rows = spans.filter(_.problem_check.notnull()).select(
        *PLACE,
        column_name="problem_column",
        check_name="problem_check",
        value=_.problem_value.left(VALUE_LENGTH),
        row_key=ibis.coalesce(spans.base_id, spans.customer_id),
    )
    joined = rows.inner_join(_as_json(raw), list(PLACE))
    return joined.select(*PLACE, "column_name", "check_name", "value", "row_key", "row_json")


def rejected_for(rows: ir.Table, reason: ir.StringColumn, check_name: str, row_key: ir.StringValue) -> ir.Table:
    """One row per row of `rows`, without dataset: they are rejected as whole rows, and the value is the reason.

    `reason` and `row_key` are expressions on the table that `rows` are filtered from.
    """
    given = [name for name in rows.columns if name not in PLACE]
    return rows.select(
        *PLACE,
        column_name=ibis.null("string"),
        check_name=ibis.literal(check_name),
        value=reason.left(VALUE_LENGTH),
        row_key=row_key,
        row_json=to_json(ibis.struct({name: _in_json(rows[name]) for name in given})).cast("string"),
    )


def rejected_lines(malformed: ir.Table) -> ir.Table:
    """One row per line that could not be split into fields, without dataset."""
    return malformed.select(
        *PLACE,
        column_name=ibis.null("string"),
        check_name=_.check_name,
        value=_.value.left(VALUE_LENGTH),
        row_key=ibis.null("string"),
        row_json=to_json(ibis.struct({"line": malformed.line})).cast("string"),
    )


def as_rejects(dataset: str, rows: ir.Table) -> ir.Table:
    """Rejects of one dataset, with the columns that every rejects table has."""
    return rows.mutate(dataset=ibis.literal(dataset)).select(*REJECTS_SCHEMA).cast(REJECTS_SCHEMA)


def _with_source_row(rows: ir.Table, raw: ir.Table, found: dict[str, str]) -> ir.Table:
    source = _as_json(raw, **{f"given_{ours}": source_text(raw[theirs]) for ours, theirs in found.items()})
    joined = rows.inner_join(source, list(PLACE))
    values = [(joined.column_name == ours, joined[f"given_{ours}"]) for ours in found]
    value = ibis.cases(*values, else_=ibis.null("string")).left(VALUE_LENGTH)
    return joined.select(*PLACE, "column_name", "check_name", value=value, row_key=_.row_key, row_json=_.row_json)


def _as_json(raw: ir.Table, **columns: ir.Value) -> ir.Table:
    """The place of each row, row_json with all of it, and `columns`."""
    given = {name: _in_json(raw[name]) for name in raw.columns if name not in PLACE}
    return raw.select(*PLACE, row_json=to_json(ibis.struct(given)).cast("string"), **columns)


def _in_json(raw: ir.Column) -> ir.Column:
    # JSON has no timestamps: they are text in any case.
    return source_text(raw) if raw.type().is_timestamp() else raw


def _key_text(table: ir.Table, key: tuple[str, ...]) -> ir.StringColumn:
    parts = [table[name].cast("string") for name in key]
    text = parts[0]
    for part in parts[1:]:
        text = text + " " + part
    return text
