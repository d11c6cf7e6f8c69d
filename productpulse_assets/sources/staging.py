"""Every row of a source, typed and judged: which rules of its contract it breaks."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pandera.ibis as pa
from ibis import _

from asset_checks.contracts import ENDED_STATUSES, MONEY_TYPE, is_row_id, table_schema
from asset_checks.row_rules import follows, is_among, passes
from productpulse_assets.sources.casting import canonical, converted, is_given, typed
from productpulse_assets.sources.readers.blanks import plain_name
from rules.models import Sources

PLACE = ("source_file", "row_number")
ROW_DIGITS = 9
"""So that ids of row numbers are in the order of the rows."""


@dataclass(frozen=True)
class Broken:
    """A rule of the contract: the rows where `fails` holds are rejected under its name."""

    column_name: str
    check_name: str
    fails: ir.BooleanColumn


@dataclass(frozen=True)
class Parent:
    """The keys a child may refer to, and those of rejected parents."""

    column: str
    dataset: str
    kept: ir.Column
    rejected: ir.Column

    @property
    def state(self) -> str:
        """The column that is true for a kept parent, false for a rejected one and NULL for an unknown one."""
        return f"{self.column}_is_kept"


def source_columns(raw: ir.Table, schema: pa.DataFrameSchema, renames: dict[str, str]) -> dict[str, str]:
    """Our column -> the source's own, matched without regard to case and to blanks around; absent
    ones are left out."""
    there = {plain_name(name): name for name in raw.columns if name not in PLACE}
    wanted = {column: plain_name(renames.get(column, column)) for column in schema.columns}
    return {column: there[name] for column, name in wanted.items() if name in there}


def type_columns(raw: ir.Table, schema: pa.DataFrameSchema, sources: Sources, renames: dict[str, str]) -> ir.Table:
    """One row per source row: its place, the contract's columns typed, `has_<column>` where a
    value was given."""
    found = source_columns(raw, schema, renames)
    columns: dict[str, ir.Value] = {}
    for column, kind in table_schema(schema).items():
        if column not in found and is_row_id(schema, column):
            columns[column] = raw.source_file + ":" + raw.row_number.cast("string").lpad(ROW_DIGITS, "0")
            columns[f"has_{column}"] = ibis.literal(True)
            continue
        if column not in found:
            columns[column] = ibis.null(kind)
            columns[f"has_{column}"] = ibis.literal(False)
            continue
        value = typed(raw[found[column]], kind, sources, f"{schema.name}.{column}")
        for check in schema.columns[column].checks:
            if allowed := check.statistics.get("allowed"):
                value = canonical(value, allowed)
        columns[column] = value.upper() if column == "currency" else value
        columns[f"has_{column}"] = is_given(raw[found[column]], sources)
    return raw.select(*PLACE, **columns)


def with_exclusive_ends(table: ir.Table, schema: pa.DataFrameSchema, sources: Sources) -> ir.Table:
    """end_date as the contract has it, the day after the last one, from what sources.yaml says of the source's ends."""
    source = sources.of(schema.name)
    if source.inclusive_ends:
        table = table.mutate(end_date=(table.end_date + ibis.interval(days=1)).cast("timestamp").cast("date"))
    if source.ends_of_active_rows == "planned":
        has_ended = is_among(table.status, ENDED_STATUSES)
        table = table.mutate(
            end_date=ibis.ifelse(has_ended, table.end_date, ibis.null("date")),
            has_end_date=table.has_end_date & has_ended,
        )
    return table


def in_reporting_currency(table: ir.Table, schema: pa.DataFrameSchema, sources: Sources) -> ir.Table:
    """Money columns converted; `has_rate` is false where the currency has no rate."""
    money = [name for name, column in schema.columns.items() if column.dtype.type == MONEY_TYPE]
    if "currency" not in schema.columns:
        return table.mutate(has_rate=ibis.literal(True))
    known = [sources.reporting_currency, *sources.exchange_rates]
    return table.mutate(
        has_rate=table.currency.isnull() | is_among(table.currency, known),
        **{name: converted(table[name], table.currency, sources) for name in money},
    )


def with_parents(table: ir.Table, parents: list[Parent]) -> ir.Table:
    """For each parent a column `<key>_is_kept`: true, false (the parent was rejected) or NULL."""
    for parent in parents:
        kept = parent.kept.as_table().select(**{"parent_key": parent.kept, parent.state: ibis.literal(True)})
        lost = parent.rejected.as_table().distinct().rename(parent_key=parent.rejected.get_name())
        lost = lost.anti_join(kept, "parent_key").mutate(**{parent.state: ibis.literal(False)})
        states = kept.union(lost.select("parent_key", parent.state))
        joined = table.left_join(states, table[parent.column] == states.parent_key)
        table = joined.drop("parent_key")
    return table


def broken_rules(table: ir.Table, schema: pa.DataFrameSchema) -> list[Broken]:
    """Every rule of the contract that a row can break by itself, as it applies to `table`."""
    rules: list[Broken] = []
    for name, column in schema.columns.items():
        kind = column.dtype.type
        if not column.nullable:
            rules.append(Broken(name, "not_null", ~table[f"has_{name}"]))
        if not kind.is_string():
            unread = table[f"has_{name}"] & table[name].isnull() & table.has_rate
            rules.append(Broken(name, f"parses_as_{_kind_word(kind)}", unread))
        rules += [Broken(name, check.name, ~passes(check, table, name)) for check in column.checks]
    for check in schema.metadata["row_rules"]:
        rules.append(Broken(check.statistics["column"], check.name, ~passes(check, table, None)))
    if "currency" in schema.columns:
        # What is no code at all breaks that rule alone.
        is_code = [passes(check, table, "currency") for check in schema.columns["currency"].checks]
        rules.append(Broken("currency", "known_currency", ibis.and_(~table.has_rate, *is_code)))
    return rules


def broken_references(table: ir.Table, parents: list[Parent]) -> list[Broken]:
    """The rules that a row breaks by whom it refers to; `table` is one of `with_parents`."""
    rules: list[Broken] = []
    for parent in parents:
        is_given = table[parent.column].notnull()
        state = table[parent.state]
        rules.append(Broken(parent.column, f"known_{parent.dataset[:-1]}", is_given & state.isnull()))
        rules.append(Broken(parent.column, "parent_rejected", is_given & (state == False)))  # noqa: E712
    return rules


def judged(table: ir.Table, schema: pa.DataFrameSchema, rules: list[Broken]) -> ir.Table:
    """The typed columns with `broken`: bit i is set when the row breaks rule i."""
    return table.select(*PLACE, *schema.columns, broken=_bits(rules, first=0))


def judged_by_parents(
    staged: ir.Table, schema: pa.DataFrameSchema, rules: list[Broken], parents: list[Parent]
) -> tuple[ir.Table, list[Broken]]:
    """Judged rows with the bits of their references too, and all rules, by bit.

    Apart from `judged`, for a join does not keep the order of the rows that are stored.
    """
    if not parents:
        return staged, rules
    table = with_parents(staged, parents)
    references = broken_references(table, parents)
    broken = table.broken + _bits(references, first=len(rules))
    return table.select(*PLACE, *schema.columns, broken=broken), rules + references


def _bits(rules: list[Broken], first: int) -> ir.IntegerColumn:
    bits = [ibis.ifelse(rule.fails.fill_null(False), 1 << bit, 0) for bit, rule in enumerate(rules, first)]
    broken = bits[0]
    for bit in bits[1:]:
        broken = broken + bit
    return broken.cast("int64")


def _kind_word(kind) -> str:
    if kind.is_decimal():
        return "number"
    return "whole_number" if kind.is_integer() else str(kind)


def census(staged: ir.Table, rows: ir.Table, key: tuple[str, ...]) -> ir.Table:
    """One row: all rows, sound ones, and whether the keys of those stored follow on each other.

    `rows` are those of `staged`, judged by their parents too.
    """
    by_themselves = staged.filter(_.broken == 0)
    order = by_themselves.select(is_next=follows(by_themselves, key)).aggregate(
        in_key_order=_.is_next.all().fill_null(True)
    )
    return rows.aggregate(rows=_.count(), sound=(_.broken == 0).sum().fill_null(0)).cross_join(order)


def later_duplicates(staged: ir.Table, key: tuple[str, ...]) -> ir.Table:
    """The sound rows whose key an earlier sound row of the source already has.

    `is_exact` when every column is the same as in the first row of that key.
    """
    sound = staged.filter(_.broken == 0)
    repeated = sound.group_by(list(key)).aggregate(times=_.count()).filter(_.times > 1)
    rows = sound.semi_join(repeated, list(key))
    columns = [name for name in staged.columns if name not in (*PLACE, "broken")]
    window = ibis.window(group_by=list(key), order_by=list(PLACE))
    same = ibis.literal(True)
    for name in columns:
        same = same & rows[name].identical_to(rows[name].first(include_null=True).over(window))
    ranked = rows.mutate(place_in_key=ibis.row_number().over(window), is_exact=same)
    return ranked.filter(_.place_in_key > 0).select(*PLACE, *key, "is_exact")
