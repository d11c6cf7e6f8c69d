"""The rows of an export, typed as far as every shape needs it; what cannot be read has a problem, and is rejected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pandera.ibis as pa

from asset_checks.contracts import ENDED_STATUSES, SUBSCRIPTION_STATUSES, table_schema
from asset_checks.row_rules import is_among
from productpulse_assets.sources.casting import has_value, source_text
from productpulse_assets.sources.readers.blanks import plain_name
from productpulse_assets.sources.staging import PLACE, source_columns, type_columns
from rules.models import Sources
from rules.rejects import IGNORED_STATUS

CORE = ("subscription_id", "customer_id", "status", "start_date", "end_date", "monthly_price")
"""Columns that a shape computes or uses itself; the other columns of the contract are attributes of a period."""

OPEN = "9999-12-31"
"""The end of a span that still runs."""

PROBLEM = ("problem_column", "problem_check", "problem_value")


@dataclass(frozen=True)
class Export:
    """The rows of an export of subscriptions, and how they are read.

    columns: our column -> the column of the export. thousands: the files in which 1.234 may be 1234, by column.
    """

    raw: ir.Table
    schema: pa.DataFrameSchema
    sources: Sources
    columns: dict[str, str]
    thousands: Mapping[str, Sequence[str]]

    @classmethod
    def of(
        cls, raw: ir.Table, schema: pa.DataFrameSchema, sources: Sources, thousands: Mapping[str, Sequence[str]]
    ) -> Export:
        """The export with the columns that its settings name."""
        return cls(raw, schema, sources, source_columns(raw, schema, sources.of(schema.name).columns), thousands)

    @property
    def attributes(self) -> tuple[str, ...]:
        """Columns of the contract that the export has and a shape does not compute, such as the plan, and the currency,
        which may be written with the amount. With one that is not text there is `has_<column>`, so that a value that
        cannot be read is found later."""
        given = {*self.columns, "currency"}
        names = [name for name in self.schema.columns if name in given and name not in CORE]
        typed = [name for name in names if not self.schema.columns[name].dtype.type.is_string()]
        return (*names, *(f"has_{name}" for name in typed))

    def raw_column(self, header: str) -> ir.Column:
        """The column with this name, whatever its case; NULL where the export has no such column."""
        found = {plain_name(name): name for name in self.raw.columns if name not in PLACE}
        name = found.get(plain_name(header))
        return self.raw[name] if name else ibis.null("string")

    def given(self, column: str) -> ir.Column:
        """The value of one of our columns, as the export has it; NULL where it is absent."""
        return self.raw[self.columns[column]] if column in self.columns else ibis.null("string")


def readings(export: Export, **fields: tuple[ir.Column, ir.Value]) -> ir.Table:
    """One row per row of the export: its place, customer_id, base_id (the subscription's own id, NULL without one),
    price, status and is_trial, the attributes, and `fields`: the value of the export and the one read from it.

    Of price, status and each field there is also text_<name>, the value as it is written, and has_<name>: whether
    there is one. The status is Active where the export has no such column.
    """
    more: dict[str, ir.Value] = {
        "text_price": source_text(export.given("monthly_price")),
        "text_status": source_text(export.given("status")),
    }
    for name, (raw, value) in fields.items():
        more |= {name: value, f"text_{name}": source_text(raw), f"has_{name}": has_value(raw, export.sources, {})}
    renames = export.sources.of(export.schema.name).columns
    typed = type_columns(export.raw, export.schema, export.sources, renames, export.thousands, more)
    has_status = "status" in export.columns
    agrees = "monthly_price_agrees"  # only where a number format allows a currency around an amount
    return typed.select(
        *PLACE,
        "is_ignored",
        "customer_id",
        *export.attributes,
        *more,
        base_id="subscription_id",
        price="monthly_price",
        has_price="has_monthly_price",
        price_agrees=typed[agrees] if agrees in typed.columns else ibis.literal(True),
        status=typed.status if has_status else ibis.literal("Active"),
        has_status=typed.has_status if has_status else ibis.literal(True),
    ).mutate(is_trial=lambda table: (table.status == "Trial").fill_null(False))


def typed_periods(periods: ir.Table, schema: pa.DataFrameSchema) -> ir.Table:
    """The periods of an export in another shape with the columns that `type_columns` gives."""
    columns: dict[str, ir.Value] = {"is_ignored": ibis.literal(False)}
    for name, kind in table_schema(schema).items():
        columns[name] = periods[name] if name in periods.columns else ibis.null(kind)
        is_given = f"has_{name}" in periods.columns
        columns[f"has_{name}"] = periods[f"has_{name}"] if is_given else columns[name].notnull()
    return periods.select(*PLACE, **columns)


@dataclass(frozen=True)
class Problem:
    """Rows where `found` is true are rejected: our column, the broken rule, and the field with the value."""

    column: str
    check: str
    found: ir.BooleanValue
    field: str


def date_problems(rows: ir.Table, column: str, field: str) -> list[Problem]:
    """A day that is absent or is no date."""
    is_given = rows[f"has_{field}"]
    return [
        Problem(column, "not_null", ~is_given, field),
        Problem(column, "parses_as_date", is_given & rows[field].isnull(), field),
    ]


def price_problems(rows: ir.Table) -> list[Problem]:
    """A price that is absent or is no number, or whose currency is not that of the row."""
    return [
        Problem("monthly_price", "not_null", ~rows.has_price, "price"),
        Problem("monthly_price", "parses_as_number", rows.has_price & rows.price.isnull(), "price"),
        Problem("monthly_price", "currency_agrees", ~rows.price_agrees, "price"),
    ]


def status_problems(rows: ir.Table) -> list[Problem]:
    """A status that is absent or not in the contract."""
    return [
        Problem("status", "not_null", ~rows.has_status, "status"),
        Problem("status", "allowed_values", rows.has_status & ~is_among(rows.status, SUBSCRIPTION_STATUSES), "status"),
    ]


def with_problems(rows: ir.Table, problems: Sequence[Problem]) -> ir.Table:
    """Add the first problem of each row: problem_column, problem_check and problem_value; NULL where there is none."""
    is_nameless = rows.customer_id.isnull() & ~rows.is_ignored
    problems = [Problem("status", IGNORED_STATUS, rows.is_ignored, "status"), *problems]

    def first(values: Sequence[ir.Value | str]) -> ir.StringValue:
        cases = [(each.found.fill_null(False), value) for each, value in zip(problems, values, strict=True)]
        return ibis.cases(*cases, else_=ibis.null("string"))

    return rows.mutate(
        problem_column=ibis.ifelse(is_nameless, "customer_id", first([each.column for each in problems])),
        problem_check=ibis.ifelse(is_nameless, "not_null", first([each.check for each in problems])),
        problem_value=ibis.ifelse(
            is_nameless, ibis.null("string"), first([rows[f"text_{each.field}"] for each in problems])
        ),
    )


def has_ended(status: ir.StringValue) -> ir.BooleanValue:
    """Whether a row says that the subscription no longer runs; such a row is part of no period."""
    return is_among(status, ENDED_STATUSES)


def with_problem(table: ir.Table, check: str, found: ir.BooleanValue, value: ir.Value) -> ir.Table:
    """The rows with a problem of their key where `found` is true and none was found before."""
    is_new = found.fill_null(False) & table.problem_check.isnull()
    new = {
        "problem_column": ibis.literal("subscription_id"),
        "problem_check": ibis.literal(check),
        "problem_value": value,
    }
    return table.mutate(**{name: ibis.ifelse(is_new, each, table[name]) for name, each in new.items()})


def as_spans(table: ir.Table, attributes: Sequence[str], **columns: ir.Value) -> ir.Table:
    """The rows with the columns of a span and no others; a row with a problem does not count."""
    spans = table.mutate(**columns)
    return spans.select(
        *PLACE,
        "customer_id",
        "base_id",
        *attributes,
        "is_trial",
        "status",
        "first_day",
        "end_day",
        "price",
        slack=spans.slack.cast("decimal(18, 4)"),
        is_counted=spans.is_counted.fill_null(False) & spans.problem_check.isnull(),
        remark=ibis.ifelse(spans.problem_check.isnull(), spans.remark, ibis.null("string")),
        **{name: spans[name] for name in PROBLEM},
    )
