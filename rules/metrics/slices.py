"""Slices of a metric: the columns that its rows can be filtered and grouped by, their members, and the rows of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

import ibis
import ibis.expr.types as ir
from ibis import _

from rules.metrics.compile import UNKNOWN_MEMBER, Use
from rules.metrics.models import MetricCatalog
from rules.metrics.parts import metric_parts
from rules.text.errors import ProductPulseError

PRESENT = ("risk_band", "account_owner", "cohort_quarter")
"""Slices beside the dimensions of segments.yaml. In every month a customer counts in the one that it has today."""

CASES = "leakage_cases"
"""The name, among the models, of the cases of leakage_summary: one row per case, and one of 0 per kind and member."""

SUMMARY, LOSS, KIND = "leakage_summary", "estimated_revenue_loss", "leakage_type"


def sliced_models(
    catalog: MetricCatalog, table: Callable[[str], ir.Table], columns: Sequence[str]
) -> dict[str, ir.Table]:
    """The tables that metrics are computed from, by name; those about customers with the slices `columns`.

    `table` returns a published table. `columns` are the slices that a question uses; each costs a join. A table that
    has a slice keeps its own: the plan of customer_months is that of the month. One that the data does not have is
    left out. Beside the catalog's tables there is CASES.
    """
    named = dict.fromkeys(metric.model for metric in catalog.metrics.values() if metric.model)
    sources = _sources(table, columns)
    models = {name: _with_slices(table(name), sources, columns) for name in named}
    return {**models, CASES: _cases(table, sources, columns)} if SUMMARY in models else models


def _sources(table: Callable[[str], ir.Table], columns: Sequence[str]) -> list[ir.Table]:
    """Tables with one row per customer, that have the wanted slices between them."""
    months, customers = table("customer_months"), table("customers")
    bands = table("churn_risk_profiles").select("customer_id", "risk_band")
    last = _with_quarter(months.filter(_.month == months.month.max().as_scalar()))
    found, missing = [], list(columns)
    for source in (customers, bands, last):
        has = [name for name in missing if name in source.columns]
        missing = [name for name in missing if name not in has]
        found += [source.select("customer_id", *has)] if has else []
    return found


def _with_quarter(months: ir.Table) -> ir.Table:
    first = months.cohort_month
    return months.mutate(cohort_quarter=first.year().cast("string") + "-Q" + first.quarter().cast("string"))


def _with_slices(model: ir.Table, sources: Sequence[ir.Table], columns: Sequence[str]) -> ir.Table:
    if "customer_id" not in model.columns:
        return model
    if "cohort_quarter" in columns and "cohort_month" in model.columns:
        model = _with_quarter(model)
    for source in sources:
        if missing := [name for name in source.columns if name not in model.columns]:
            model = model.left_join(source, "customer_id").select(*model.columns, *missing)
    return model


def _cases(table: Callable[[str], ir.Table], sources: Sequence[ir.Table], columns: Sequence[str]) -> ir.Table:
    """The open cases of leakage with their slices. A kind that is known has a row of 0 for each member of them.

    source_row is the id of the case, and the kind in the rows of 0.
    """
    known = table(SUMMARY).filter(_[LOSS].notnull()).select(KIND)
    cases = table("revenue_leakage").join(known, KIND).select("customer_id", KIND, LOSS, source_row="leakage_id")
    members = _with_slices(table("customers").select("customer_id"), sources, columns)
    slices = members.drop("customer_id").columns
    zeros = members.select(slices).distinct().cross_join(known) if slices else known
    no_customer, zero = ibis.null("string"), ibis.literal(0).cast(cases[LOSS].type())
    zeros = zeros.mutate(customer_id=no_customer, **{LOSS: zero}, source_row=zeros[KIND])
    names = ("customer_id", KIND, LOSS, "source_row", *slices)
    return ibis.union(_with_slices(cases, sources, columns).select(names), zeros.select(names))


def models_of(catalog: MetricCatalog, name: str, models: Mapping[str, ir.Table]) -> Mapping[str, ir.Table]:
    """The models, with the cases in place of leakage_summary for a metric that only adds up their loss."""
    uses = [part.use for part in metric_parts(catalog, name) if part.use.model == SUMMARY]
    is_of_cases = bool(uses) and all(_adds_up_cases(use) for use in uses)
    return {**models, SUMMARY: models[CASES]} if is_of_cases and CASES in models else models


def rows_of(use: Use, models: Mapping[str, ir.Table]) -> ir.Table:
    """The table whose rows a measure is shown by: that of its model, or the cases of leakage_summary."""
    return models[CASES] if use.model == SUMMARY and _adds_up_cases(use) else models[use.model]


def _adds_up_cases(use: Use) -> bool:
    wanted = use.measure
    return wanted.aggregation == "sum" and wanted.column == LOSS and all(rule.column == KIND for rule in wanted.where)


def in_slice(models: Mapping[str, ir.Table], where: Mapping[str, str]) -> dict[str, ir.Table]:
    """The models that have every column of `where`, with the rows of these members only."""
    found = {name: table for name, table in models.items() if set(where) <= set(table.columns)}
    return {name: reduce(_member_rows, where.items(), table) for name, table in found.items()}


def _member_rows(table: ir.Table, member: tuple[str, str]) -> ir.Table:
    column, value = member
    return table.filter(member_of(table, column) == value)


def member_of(table: ir.Table, column: str) -> ir.StringValue:
    """The member of a slice that each row belongs to; 'Unknown' where it has none."""
    return table[column].cast("string").fill_null(UNKNOWN_MEMBER)


def slices_of(
    catalog: MetricCatalog, name: str, models: Mapping[str, ir.Table], dimensions: Sequence[str]
) -> list[str]:
    """The slices that all rows behind a metric have, of the dimensions of segments.yaml and PRESENT."""
    tables = _tables(catalog, name, models)
    return [column for column in _accepted(dimensions) if all(column in table.columns for table in tables)]


def _accepted(dimensions: Sequence[str]) -> list[str]:
    return list(dict.fromkeys((*dimensions, *PRESENT)))


def _tables(catalog: MetricCatalog, name: str, models: Mapping[str, ir.Table]) -> list[ir.Table]:
    """The tables behind a metric, each once."""
    found = models_of(catalog, name, models)
    return [found[model] for model in dict.fromkeys(part.use.model for part in metric_parts(catalog, name))]


def members_of(catalog: MetricCatalog, name: str, models: Mapping[str, ir.Table], column: str) -> ir.Table:
    """One row per member of a slice that the rows of a metric have, in any month: the column `member`."""
    members = [table.select(member=member_of(table, column)).distinct() for table in _tables(catalog, name, models)]
    return (ibis.union(*members, distinct=True) if len(members) > 1 else members[0]).order_by("member")


def check_slice(
    catalog: MetricCatalog, name: str, models: Mapping[str, ir.Table], columns: Sequence[str], dimensions: Sequence[str]
) -> None:
    """Raise ProductPulseError for a column that is no slice, or that the data or rows behind the metric do not have."""
    accepted, possible = _accepted(dimensions), slices_of(catalog, name, models, dimensions)
    for column in columns:
        if column not in accepted:
            raise ProductPulseError(
                "metric.unknown_slice",
                f"'{column}' is not a slice. The slices are: {', '.join(accepted)}.",
                column=column,
            )
        if all(column not in table.columns for table in models.values()):
            raise ProductPulseError(
                "metric.slice_not_available",
                f"{column} is not available, because customers has no column {column}. Add it to the customers "
                "export, or ask for another slice.",
                column=column,
            )
        if column not in possible:
            tables = dict.fromkeys(part.use.model for part in metric_parts(catalog, name))
            raise ProductPulseError(
                "metric.not_sliced",
                f"{name} cannot be sliced by {column}: it is computed from {' and '.join(tables)}, whose rows have no "
                f"{column}. Ask for it without this slice.",
                metric=name,
                column=column,
            )
