"""Every row of a source, typed, with the rules of its contract that it breaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pandera.ibis as pa
from ibis import _

from asset_checks.contracts import (
    AMOUNTS,
    ENDED_STATUSES,
    MONEY_TYPE,
    STATUS,
    is_computed,
    is_row_id,
    may_be_unknown,
    table_schema,
)
from asset_checks.row_rules import follows, is_among, passes
from productpulse_assets.sources.aliases import is_ignored, without_ignored
from productpulse_assets.sources.casting import (
    cast_column,
    cast_plain,
    contract_spelling,
    has_value,
    trimmed_text,
    with_aliases,
)
from productpulse_assets.sources.currency import has_amounts_in_currencies
from productpulse_assets.sources.numbers import (
    FORMATS,
    Amount,
    agrees,
    cast_amount,
    currency_of,
    is_unclear,
)
from productpulse_assets.sources.readers.blanks import plain_name
from rules.models import DatasetSource, Sources
from rules.rejects import IGNORED_STATUS

PRECISE = dt.Decimal(18, 6)
"""Amounts that are not yet in the money of the contract: prices of a unit, cents of another currency."""

PRICE_KINDS = {"every": dt.int64, "seats": dt.Decimal(12, 2)}
"""The types of the columns that a price is computed with: a number of units, and of seats or parts of one."""

PLACE = ("source_file", "row_number")
MARKS = ("broken", "unknown")
"""Helper columns of a staged table: the rules that a row breaks, and those that its values left empty break."""
ROW_DIGITS = 9
"""Ids from row numbers have leading zeros, so that they sort like the rows."""


@dataclass(frozen=True)
class ContractRule:
    """A rule of the contract: rows where `fails` is true are rejected under its name."""

    column_name: str
    check_name: str
    fails: ir.BooleanColumn


@dataclass(frozen=True)
class Parent:
    """The keys that a child may refer to, and the keys of rejected parents; `rows` are the kept parents themselves."""

    column: str
    dataset: str
    kept: ir.Column
    rejected: ir.Column
    rows: ir.Table | None = None

    @property
    def state(self) -> str:
        """The column that is true for a kept parent, false for a rejected one and NULL for an unknown one."""
        return f"{self.column}_is_kept"


def source_columns(raw: ir.Table, schema: pa.DataFrameSchema, source: DatasetSource) -> dict[str, str]:
    """Our column -> the source's column. Case and blanks around a name do not count; absent columns are left out.

    Also the columns that the price is computed with, by the names of the settings.
    """
    present = {plain_name(name): name for name in raw.columns if name not in PLACE}
    made = source.constants.keys() | set(source.from_dates)
    ours = [column for column in schema.columns if column not in made and not is_computed(schema, column)]
    wanted = {column: source.headers.get(column, column) for column in ours} | price_headers(source)
    return {column: present[plain_name(name)] for column, name in wanted.items() if plain_name(name) in present}


def price_headers(source: DatasetSource) -> dict[str, str]:
    """The headers of the columns that the price is computed with, by the names of the settings."""
    return source.price.headers if source.price else {}


def type_columns(
    raw: ir.Table,
    schema: pa.DataFrameSchema,
    sources: Sources,
    source: DatasetSource,
    found: dict[str, str],
    thousands: Mapping[str, Sequence[str]] | None = None,
    more: Mapping[str, ir.Value] | None = None,
) -> ir.Table:
    """One row per source row: its file and row number, the contract's columns typed, `has_<column>` (whether the
    source has a value), is_ignored (whether the alias of its status leaves the row out) and `more` columns of `raw`.

    `found` is the result of `source_columns`. `thousands` are the results of `unclear_files`: by column, the files in
    which 1.234 may be 1234. A column of `marks` has the currencies around the amounts, where a number format allows
    them.
    """
    number_format = sources.number_format_of(schema.name)
    columns: dict[str, ir.Value] = {"is_ignored": ibis.literal(False)}
    marks: dict[str, tuple[ir.StringColumn, ...]] = {}
    for column, stored in table_schema(schema).items():
        kind = PRECISE if stored == MONEY_TYPE and (source.price or source.minor_units) else stored
        if column in source.constants:
            columns[column] = constant_value(source.constants[column], kind, schema, column, sources)
            columns[f"has_{column}"] = ibis.literal(True)
            continue
        if column not in found and is_row_id(schema, column):
            columns[column] = raw.source_file + ":" + raw.row_number.cast("string").lpad(ROW_DIGITS, "0")
            columns[f"has_{column}"] = ibis.literal(True)
            continue
        if column not in found:
            columns[column] = ibis.null(kind)
            columns[f"has_{column}"] = ibis.literal(False)
            continue
        given = raw[found[column]]
        names = sources.aliases.get(f"{schema.name}.{column}", {})
        if column == STATUS:
            columns["is_ignored"] = is_ignored(trimmed_text(given), names)
            names = without_ignored(names)
        if column in AMOUNTS and given.type().is_string():
            amount = _amount(given, raw.source_file, kind, number_format, (thousands or {}).get(column, ()))
            value, marks[column] = with_aliases(amount.number, given, kind, names), amount.marks
        else:
            value = cast_column(given, kind, sources, names, number_format)
        columns[column] = _as_contract_spells(value, schema, column)
        columns[f"has_{column}"] = has_value(given, sources, names)
    columns |= _currencies(columns, marks, sources)
    prices = _price_columns(raw, source, found, sources, number_format)
    return raw.select(*PLACE, **columns, **prices, **(more or {}))


def constant_value(text: str, kind: dt.DataType, schema: pa.DataFrameSchema, column: str, sources: Sources) -> ir.Value:
    """The value of a column that has the same one in every row."""
    names = without_ignored(sources.aliases.get(f"{schema.name}.{column}", {}))
    return _as_contract_spells(cast_column(ibis.literal(text), kind, sources, names), schema, column)


def _as_contract_spells(value: ir.Value, schema: pa.DataFrameSchema, column: str) -> ir.Value:
    for check in schema.columns[column].checks:
        if allowed := check.statistics.get("allowed"):
            value = contract_spelling(value, allowed)
    return value.upper() if column == "currency" else value


def _price_columns(
    raw: ir.Table, source: DatasetSource, found: dict[str, str], sources: Sources, number_format: str | None
) -> dict[str, ir.Value]:
    """The columns that the price is computed with, besides those of the contract: price_every and price_seats."""
    columns = {}
    for name in price_headers(source):
        given = raw[found[name]]
        columns[f"price_{name}"] = cast_column(given, PRICE_KINDS[name], sources, {}, number_format)
        columns[f"has_price_{name}"] = has_value(given, sources, {})
    return columns


def _amount(
    given: ir.StringColumn,
    source_file: ir.StringColumn,
    kind: dt.DataType,
    number_format: str | None,
    unclear_files: Sequence[str],
) -> Amount:
    """An amount with the currency around it; without a number format it has none, and 1.234 may be unclear."""
    text = trimmed_text(given)
    if number_format:
        return cast_amount(text, kind, FORMATS[number_format])
    number = cast_plain(text, kind)
    if unclear_files:
        number = ibis.ifelse(is_unclear(text, source_file, unclear_files), ibis.null(kind), number)
    return Amount(number, ())


def _currencies(
    columns: Mapping[str, ir.Value], marks: Mapping[str, tuple[ir.StringColumn, ...]], sources: Sources
) -> dict[str, ir.Value]:
    """The currency of each row, completed from the amounts, and for each amount whether what is written around it
    agrees: with the row's currency or, without one, with the reporting currency."""
    found: dict[str, ir.Value] = {}
    for name, around in marks.items():
        if not around:
            continue
        if "currency" in columns:
            found["currency"] = ibis.coalesce(columns["currency"], currency_of(around))
        used = ibis.coalesce(found["currency"], sources.reporting_currency) if found else sources.reporting_currency
        found[f"{name}_agrees"] = agrees(around, ibis.literal(used) if isinstance(used, str) else used)
    return found


def amount_texts(
    raw: ir.Table, schema: pa.DataFrameSchema, sources: Sources, found: dict[str, str]
) -> dict[str, ir.StringColumn]:
    """The amounts whose points may be for thousands: those given as text, if no number format is set."""
    amounts = {column: raw[found[column]] for column in AMOUNTS if column in found}
    is_set = sources.number_format_of(schema.name) is not None
    return {column: given for column, given in amounts.items() if given.type().is_string() and not is_set}


def convert_ends(table: ir.Table, source: DatasetSource) -> ir.Table:
    """end_date as in the contract, the day after the last day, where the dataset's settings in sources.yaml differ."""
    if source.inclusive_ends:
        table = table.mutate(end_date=(table.end_date + ibis.interval(days=1)).cast("timestamp").cast("date"))
    if source.ends_of_active_rows == "planned":
        has_ended = is_among(table.status, ENDED_STATUSES)
        table = table.mutate(
            end_date=ibis.ifelse(has_ended, table.end_date, ibis.null("date")),
            has_end_date=table.has_end_date & has_ended,
        )
    return table


def join_parents(table: ir.Table, parents: list[Parent]) -> ir.Table:
    """For each parent a column `<key>_is_kept`: true, false (the parent was rejected) or NULL."""
    for parent in parents:
        kept = parent.kept.as_table().select(**{"parent_key": parent.kept, parent.state: ibis.literal(True)})
        lost = parent.rejected.as_table().distinct().rename(parent_key=parent.rejected.get_name())
        lost = lost.anti_join(kept, "parent_key").mutate(**{parent.state: ibis.literal(False)})
        states = kept.union(lost.select("parent_key", parent.state))
        joined = table.left_join(states, table[parent.column] == states.parent_key)
        table = joined.drop("parent_key")
    return table


def rules_of_contract(table: ir.Table, schema: pa.DataFrameSchema) -> list[ContractRule]:
    """The contract's rules that need one row alone, as conditions on `table`; an ignored row breaks only its own."""
    found = [rule for rule in _rules_of_columns(table, schema) if not may_be_unknown(schema, rule.column_name)]
    rules = [replace(rule, fails=rule.fails & ~table.is_ignored) for rule in found]
    return [*rules, ContractRule(STATUS, IGNORED_STATUS, table.is_ignored)] if STATUS in schema.columns else rules


def rules_of_unknown_values(table: ir.Table, schema: pa.DataFrameSchema) -> list[ContractRule]:
    """The rules of the columns that may be unknown: a value that breaks one is left empty, and its row is kept."""
    return [rule for rule in _rules_of_columns(table, schema) if may_be_unknown(schema, rule.column_name)]


def _rules_of_columns(table: ir.Table, schema: pa.DataFrameSchema) -> list[ContractRule]:
    rules: list[ContractRule] = []
    for name, column in schema.columns.items():
        kind = column.dtype.type
        if not column.nullable:
            rules.append(ContractRule(name, "not_null", ~table[f"has_{name}"]))
        if not kind.is_string() and not is_computed(schema, name):
            is_invalid = table[f"has_{name}"] & table[name].isnull() & table.is_convertible
            rules.append(ContractRule(name, f"parses_as_{_type_word(kind)}", is_invalid))
        rules += [ContractRule(name, check.name, ~passes(check, table, name)) for check in column.checks]
        if f"{name}_agrees" in table.columns:
            rules.append(ContractRule(name, "currency_agrees", ~table[f"{name}_agrees"]))
    for check in schema.metadata["row_rules"]:
        rules.append(ContractRule(check.statistics["column"], check.name, ~passes(check, table, None)))
    if has_amounts_in_currencies(schema):
        # A value that is not a currency code breaks only the rule about codes.
        is_code = [passes(check, table, "currency") for check in schema.columns["currency"].checks]
        rules.append(ContractRule("currency", "known_currency", ibis.and_(~table.is_convertible, *is_code)))
    return rules


def rules_of_references(table: ir.Table, parents: list[Parent]) -> list[ContractRule]:
    """The contract's rules about references, as conditions on `table`, a result of `join_parents`."""
    rules: list[ContractRule] = []
    for parent in parents:
        has_reference = table[parent.column].notnull()
        state = table[parent.state]
        rules.append(ContractRule(parent.column, f"known_{parent.dataset[:-1]}", has_reference & state.isnull()))
        rules.append(ContractRule(parent.column, "parent_rejected", has_reference & (state == False)))  # noqa: E712
    return rules


def mark_broken_rules(
    table: ir.Table, schema: pa.DataFrameSchema, rules: list[ContractRule], unknown: list[ContractRule]
) -> ir.Table:
    """The typed columns with `broken`, whose bit i is set when the row breaks rule i, and `unknown`, the same of the
    rules of values that may be unknown. Such values are left empty."""
    columns = {name: table[name] for name in schema.columns}
    for rule in unknown:
        value = columns[rule.column_name]
        columns[rule.column_name] = ibis.ifelse(rule.fails.fill_null(False), ibis.null(value.type()), value)
    marks = {"broken": _bits(rules, first=0), "unknown": _bits(unknown, first=0)}
    return table.select(*PLACE, **columns, **marks)


def mark_broken_references(
    staged: ir.Table, schema: pa.DataFrameSchema, rules: list[ContractRule], parents: list[Parent]
) -> tuple[ir.Table, list[ContractRule]]:
    """The staged rows with the bits of their references too, and all rules in the order of their bits.

    A step of its own, because a join does not keep the order of the stored rows.
    """
    if not parents:
        return staged, rules
    table = join_parents(staged, parents)
    ignored = sum(1 << bit for bit, rule in enumerate(rules) if rule.check_name == IGNORED_STATUS)
    is_judged = (table.broken & ignored) == 0
    references = [replace(rule, fails=rule.fails & is_judged) for rule in rules_of_references(table, parents)]
    broken = table.broken + _bits(references, first=len(rules))
    return table.select(*PLACE, *schema.columns, "unknown", broken=broken), rules + references


def _bits(rules: list[ContractRule], first: int) -> ir.IntegerColumn:
    bits = [ibis.ifelse(rule.fails.fill_null(False), 1 << bit, 0) for bit, rule in enumerate(rules, first)]
    broken: ir.Value = bits[0] if bits else ibis.literal(0)
    for bit in bits[1:]:
        broken = broken + bit
    return broken.cast("int64")


def _type_word(kind: dt.DataType) -> str:
    if kind.is_decimal():
        return "number"
    return "whole_number" if kind.is_integer() else str(kind)


class RowCounts(TypedDict):
    """The row of `count_rows`. valid: rows that break no rule. unknown: valid rows with a value that is left empty.
    is_in_key_order: each valid key is greater than the one before it, so that there are no duplicates."""

    rows: int
    valid: int
    unknown: int
    is_in_key_order: bool


def count_rows(staged: ir.Table, rows: ir.Table, key: tuple[str, ...]) -> ir.Table:
    """One row: all rows, valid rows, those of them with an unknown value, and whether the valid keys are in order.

    `rows` are the rows of `staged` with the bits of their references too.
    """
    valid = staged.filter(_.broken == 0)
    order = valid.select(is_next=follows(valid, key)).aggregate(is_in_key_order=_.is_next.all().fill_null(True))
    is_valid = rows.broken == 0
    counts = rows.aggregate(
        rows=rows.count(),
        valid=is_valid.sum().fill_null(0),
        unknown=(is_valid & (rows.unknown != 0)).sum().fill_null(0),
    )
    return counts.cross_join(order)


def find_duplicates(staged: ir.Table, key: tuple[str, ...]) -> ir.Table:
    """The valid rows whose key an earlier valid row of the source already has.

    `is_exact` when every column is the same as in the first row of that key.
    """
    valid = staged.filter(_.broken == 0)
    repeated = valid.group_by(list(key)).aggregate(times=_.count()).filter(_.times > 1)
    rows = valid.semi_join(repeated, list(key))
    columns = [name for name in staged.columns if name not in (*PLACE, *MARKS)]
    window = ibis.window(group_by=list(key), order_by=list(PLACE))
    same = ibis.literal(True)
    for name in columns:
        same = same & rows[name].identical_to(rows[name].first(include_null=True).over(window))
    ranked = rows.mutate(place_in_key=ibis.row_number().over(window), is_exact=same)
    return ranked.filter(_.place_in_key > 0).select(*PLACE, *key, "is_exact")
