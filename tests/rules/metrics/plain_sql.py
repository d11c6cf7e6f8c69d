"""A second route to a metric: its measures as plain SQL over the published tables, its formula in Python."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from rules.metrics.models import Derived, Measure, Metric, MetricCatalog, Ratio, Trailing

OPERATORS = {"equals": "=", "less_than": "<", "greater_than": ">"}
AGGREGATES = {"mean": "avg({})", "count_distinct": "count(DISTINCT {})"}
AT_START = ["mrr_start", "paying_start"]
AT_END = ["mrr_end", "paying_end", "mrr_12m_ago", "mrr_kept_12m", "mrr_retained_12m"]
MONTHLY = ("customer_months", "acquisition_costs", "renewals")
OWN_COLUMNS = {
    "customer_months": ["plan"],
    "renewals": ["plan"],
    "acquisition_costs": ["segment", "country", "acquisition_channel", "plan"],
}
"""The columns in which a row has the member of its own month, not that of today."""

OWNER = "'Owner ' || right(customer_id, 1)"
"""An account owner for every customer, as SQL, for the tests: the demo company has none."""

CUSTOMERS = f"""
CREATE TEMP TABLE attributes AS
SELECT c.customer_id, m.segment, m.country, m.acquisition_channel, m.plan, p.risk_band,
       strftime(m.cohort_month, '%Y-Q') || quarter(m.cohort_month) AS cohort_quarter, {OWNER} AS account_owner
FROM snapshot.customers c
LEFT JOIN snapshot.customer_months m ON m.customer_id = c.customer_id
    AND m.month = (SELECT max(month) FROM snapshot.calendar)
LEFT JOIN snapshot.churn_risk_profiles p ON p.customer_id = c.customer_id
""".replace("right(customer_id", "right(c.customer_id")


@dataclass(frozen=True)
class PlainSql:
    """A range of months and a slice of the published tables."""

    cursor: duckdb.DuckDBPyConnection
    catalog: MetricCatalog
    first: dt.date
    last: dt.date
    where: Mapping[str, str]

    def one(self, query: str, *values: object) -> float | None:
        """The only value of a query."""
        return self.cursor.execute(query, list(values)).fetchone()[0]

    def value(self, name: str) -> float | None:
        """The metric's value."""
        metric = self.catalog.metrics[name]
        if isinstance(metric.formula, Measure):
            return self.measure(metric, metric.formula)
        if isinstance(metric.formula, Ratio):
            return quotient(
                *(self.measure(metric, each) for each in (metric.formula.numerator, metric.formula.denominator))
            )
        return self.arithmetic(metric.formula)

    def arithmetic(self, formula: Derived) -> float | None:
        """Arithmetic on metrics; NULL where an operand is."""
        found = [
            self.arithmetic(each) if isinstance(each, Derived) else self.value(each) if isinstance(each, str) else each
            for each in formula.operands
        ]
        if None in found:
            return None
        first, *others = found
        if formula.combination == "divide":
            return quotient(first, others[0])
        if formula.combination == "complement":
            return 1 - first
        for other in others:
            first = {"add": first + other, "subtract": first - other, "multiply": first * other}[formula.combination]
        return first

    def measure(self, metric: Metric, wanted: Measure) -> float | None:
        """One aggregate over the rows of the months that it reads."""
        table = metric.model
        is_of_cases = table == "leakage_summary" and wanted.column == "estimated_revenue_loss"
        table = "revenue_leakage" if is_of_cases else table
        conditions = [f"{rule.column} {OPERATORS[rule.operator]} {literal(rule.value)}" for rule in wanted.where]
        conditions += [self.in_slice(table, column, value) for column, value in self.where.items()]
        if table in MONTHLY:
            conditions.append("month BETWEEN '{}' AND '{}'".format(*self.months_of(metric, wanted)))
        aggregate = AGGREGATES.get(wanted.aggregation, f"{wanted.aggregation}({{}})").format(wanted.column)
        found = self.one(
            f"SELECT {aggregate}::DOUBLE FROM snapshot.{table} t WHERE {' AND '.join(['true', *conditions])}"
        )
        return 0.0 if found is None and is_of_cases and self.has_customers() else found

    def months_of(self, metric: Metric, wanted: Measure) -> tuple[dt.date, dt.date]:
        """The months that a measure of a table with months reads."""
        if isinstance(metric.period, Trailing):
            back = self.last.year * 12 + self.last.month - metric.period.trailing_complete_months
            return dt.date(back // 12, back % 12 + 1, 1), self.last
        if metric.period == "as_of" or wanted.column in AT_END:
            return self.last, self.last
        return (self.first, self.first) if wanted.column in AT_START else (self.first, self.last)

    def in_slice(self, table: str, column: str, value: str) -> str:
        """The condition that a row is of this member."""
        is_own = column in OWN_COLUMNS.get(table, ())
        own = f"coalesce(t.{column}, 'Unknown')" if is_own else self.attribute(column)
        return f"{own} = {literal(value)}"

    @staticmethod
    def attribute(column: str) -> str:
        """The customer's member of today."""
        return f"coalesce((SELECT {column} FROM attributes a WHERE a.customer_id = t.customer_id), 'Unknown')"

    def has_customers(self) -> bool:
        """Whether a customer is in the slice, even one without a row."""
        conditions = [f"coalesce({column}, 'Unknown') = {literal(value)}" for column, value in self.where.items()]
        return bool(self.one(f"SELECT count(*) FROM attributes WHERE {' AND '.join(['true', *conditions])}"))


def literal(value: object) -> str:
    """A value as SQL."""
    return "'{}'".format(value.replace("'", "''")) if isinstance(value, str) else str(value)


def quotient(top: float | None, bottom: float | None) -> float | None:
    """The quotient; NULL where there is none."""
    return top / bottom if top is not None and bottom else None
