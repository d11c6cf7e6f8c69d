"""The rows of an export, typed as far as every shape needs it; what cannot be read has a problem, and is rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pandera.ibis as pa

from asset_checks.contracts import ENDED_STATUSES, MONEY_TYPE
from asset_checks.row_rules import is_among
from productpulse_assets.sources.casting import cast_column, contract_spelling, has_value, source_text, trimmed_text
from productpulse_assets.sources.readers.blanks import plain_name
from productpulse_assets.sources.staging import PLACE, source_columns
from rules.models import Sources

CORE = ("subscription_id", "customer_id", "status", "start_date", "end_date", "monthly_price")
"""Columns that a shape computes or uses itself; the other columns of the contract are attributes of a period."""

OPEN = "9999-12-31"
"""The end of a span that still runs."""

PROBLEM = ("problem_column", "problem_check", "problem_value")


@dataclass(frozen=True)
class Export:
    """The rows of an export of subscriptions, and how they are read.

    columns: our column -> the column of the export.
    """

    raw: ir.Table
    schema: pa.DataFrameSchema
    sources: Sources
    columns: dict[str, str]

    @classmethod
    def of(cls, raw: ir.Table, schema: pa.DataFrameSchema, sources: Sources) -> Export:
        """The export with the columns that its settings name."""
        return cls(raw, schema, sources, source_columns(raw, schema, sources.of(schema.name).columns))

    @property
    def attributes(self) -> tuple[str, ...]:
        """Columns of the export that the contract has and a shape does not compute: plan, currency and the like."""
        return tuple(name for name in self.schema.columns if name in self.columns and name not in CORE)

    def raw_column(self, header: str) -> ir.Column:
        """The column with this name, whatever its case; NULL where the export has no such column."""
        found = {plain_name(name): name for name in self.raw.columns if name not in PLACE}
        name = found.get(plain_name(header))
        return self.raw[name] if name else ibis.null("string")

    def given(self, column: str) -> ir.Column:
        """The value of one of our columns, as the export has it; NULL where it is absent."""
        return self.raw[self.columns[column]] if column in self.columns else ibis.null("string")

    def typed(self, column: str, kind: dt.DataType) -> ir.Column:
        """The value of one of our columns as `kind`, with its aliases; NULL where it is absent or not of that kind."""
        return cast_column(self.given(column), kind, self.sources, f"{self.schema.name}.{column}")

    def attribute(self, column: str) -> ir.Column:
        """An attribute of a period, in one spelling: aliases and blanks make no difference. What is not text is left
        as it is, and typed later."""
        about = self.schema.columns[column]
        if not about.dtype.type.is_string():
            raw = self.given(column)
            return trimmed_text(raw, self.sources.null_values) if raw.type().is_string() else raw
        value = self.typed(column, dt.string)
        for check in about.checks:
            if allowed := check.statistics.get("allowed"):
                value = contract_spelling(value, allowed)
        return value.upper() if column == "currency" else value


@dataclass(frozen=True)
class Problem:
    """Rows where `found` is true are rejected: our column, the broken rule, and the value of the export."""

    column: str
    check: str
    found: ir.BooleanValue
    value: ir.Value


def date_problems(export: Export, column: str, raw: ir.Column, day: ir.DateValue) -> list[Problem]:
    """A day that is absent or is no date."""
    is_given = has_value(raw, export.sources)
    return [
        Problem(column, "not_null", ~is_given, source_text(raw)),
        Problem(column, "parses_as_date", is_given & day.isnull(), source_text(raw)),
    ]


def price_problems(export: Export, is_needed: ir.BooleanValue | None = None) -> list[Problem]:
    """A price that is absent or is no number, in rows that need one."""
    raw = export.given("monthly_price")
    is_given, price = has_value(raw, export.sources), export.typed("monthly_price", MONEY_TYPE)
    needed = ibis.literal(True) if is_needed is None else is_needed
    return [
        Problem("monthly_price", "not_null", needed & ~is_given, source_text(raw)),
        Problem("monthly_price", "parses_as_number", needed & is_given & price.isnull(), source_text(raw)),
    ]


def status_of(export: Export) -> ir.StringColumn:
    """The status in the contract's spelling; Active where the export has no such column."""
    if "status" not in export.columns:
        return ibis.literal("Active")
    (allowed,) = (check.statistics["allowed"] for check in export.schema.columns["status"].checks)
    return contract_spelling(export.typed("status", dt.string), allowed)


def status_problems(export: Export) -> list[Problem]:
    """A status that is absent or not in the contract."""
    if "status" not in export.columns:
        return []
    raw, status = export.given("status"), status_of(export)
    (allowed,) = (check.statistics["allowed"] for check in export.schema.columns["status"].checks)
    return [
        Problem("status", "not_null", ~has_value(raw, export.sources), source_text(raw)),
        Problem("status", "allowed_values", status.notnull() & ~is_among(status, allowed), source_text(raw)),
    ]


def has_ended(status: ir.StringValue) -> ir.BooleanValue:
    """Whether a row says that the subscription no longer runs; such a row is part of no period."""
    return is_among(status, ENDED_STATUSES)


def readings(export: Export, problems: Sequence[Problem], status: ir.StringValue, **columns: ir.Value) -> ir.Table:
    """One row per row of the export: its place, customer_id, base_id (the subscription's own id, NULL without one),
    price, status, is_trial, the attributes, `columns`, and the first problem: problem_column, problem_check and
    problem_value, NULL for a row that can be used."""
    customer = export.typed("customer_id", dt.string)
    every = [Problem("customer_id", "not_null", customer.isnull(), ibis.null("string")), *problems]
    return export.raw.select(
        *PLACE,
        customer_id=customer,
        base_id=export.typed("subscription_id", dt.string),
        price=export.typed("monthly_price", MONEY_TYPE),
        status=status,
        is_trial=(status == "Trial").fill_null(False),
        **{name: export.attribute(name) for name in export.attributes},
        **columns,
        problem_column=_first(every, "column"),
        problem_check=_first(every, "check"),
        problem_value=_first(every, "value"),
    )


def _first(problems: Sequence[Problem], field: str) -> ir.StringValue:
    values = [(each.found.fill_null(False), getattr(each, field)) for each in problems]
    return ibis.cases(*values, else_=ibis.null("string"))


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
        slack=spans.slack.cast("float64"),
        is_counted=spans.is_counted.fill_null(False) & spans.problem_check.isnull(),
        remark=ibis.ifelse(spans.problem_check.isnull(), spans.remark, ibis.null("string")),
        **{name: spans[name] for name in PROBLEM},
    )
