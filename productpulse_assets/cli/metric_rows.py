"""A metric in a month, a slice or both, with the rows behind it, as lines of text or as a CSV."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.facts.calendar import month_start
from resources.published_snapshot import Row, Snapshot
from rules.metrics.rows import (
    DENOMINATOR,
    NUMERATOR,
    VALUE,
    check_month,
    check_slice,
    in_slice,
    members_of,
    metric_rows,
    metric_values,
    sides_that_add_up,
    sliced_models,
)
from rules.rule_set import Rules
from rules.text.errors import ProductPulseError
from rules.text.formats import NAME_LIMIT, change_text, count_text, name_with_key, one_line, printable_line, value_text

ROWS_SHOWN = 20
MEMBERS_SHOWN = 12
NOUN = {VALUE: "Rows", NUMERATOR: "Rows of the numerator", DENOMINATOR: "Rows of the denominator"}


@dataclass(frozen=True)
class Question:
    """What is asked of a metric: a month (None for that of its current value), members of dimensions, a dimension."""

    metric_name: str
    month: dt.date | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    by: str | None = None


@dataclass(frozen=True)
class Answer:
    """A question put to a snapshot, once it is known to have an answer."""

    snapshot: Snapshot
    rules: Rules
    question: Question
    models: Mapping[str, ir.Table]
    month: dt.date

    @classmethod
    def of(cls, snapshot: Snapshot, rules: Rules, question: Question) -> Answer:
        """Raises ProductPulseError for a month or a slice in which the metric is not known."""
        catalog, name = rules.metric_catalog, question.metric_name
        models = sliced_models(catalog, snapshot.table)
        months = [row["month"] for row in snapshot.rows(snapshot.table("calendar").order_by("month"))]
        month = question.month or _current_month(snapshot, name, months[-1])
        check_month(catalog, name, month, months)
        columns = [*question.where, *([question.by] if question.by else [])]
        check_slice(catalog, name, models, columns, rules.dimensions)
        for column, value in question.where.items():
            _check_member(column, value, snapshot.rows(members_of(catalog, name, models, column)))
        return cls(snapshot, rules, question, in_slice(models, question.where), month)

    def values(self, months: list[dt.date], by: str | None = None) -> Sequence[Row]:
        """The values of these months, by month and member."""
        calendar = self.snapshot.table("calendar")
        found = metric_values(self.rules.metric_catalog, self.question.metric_name, self.models, calendar, months, by)
        return self.snapshot.rows(found.order_by("month", *([by] if by else [])))

    def rows(self) -> ir.Table:
        """The rows behind the value, with the companies' names; of each side the largest first."""
        rows = metric_rows(self.rules.metric_catalog, self.question.metric_name, self.models, self.month)
        names = self.snapshot.table("customers").select("customer_id", "company_name")
        named = rows.left_join(names, "customer_id").select(*rows.columns, "company_name")
        order = {VALUE: 0, NUMERATOR: 1, DENOMINATOR: 2}
        place = ibis.cases(*((named.side == side, at) for side, at in order.items()))
        return named.order_by(place, _.amount.abs().desc(), "customer_id", "part", "month", "source_row")


def _check_member(column: str, value: str, members: Sequence[Row]) -> None:
    """Raise ProductPulseError for a member that no row has: a misspelled one would look like a value of nothing."""
    known = [row["member"] for row in members]
    if value not in known:
        near = difflib.get_close_matches(value, known) or known
        shown = ", ".join(one_line(each, NAME_LIMIT) for each in near[:MEMBERS_SHOWN])
        more = f" and {len(near) - MEMBERS_SHOWN} more" if len(near) > MEMBERS_SHOWN else ""
        raise ProductPulseError(
            "metric.unknown_member",
            f"No row has {column} = {printable_line(value, NAME_LIMIT)}. There is: {shown}{more}.",
            column=column,
        )


def _current_month(snapshot: Snapshot, name: str, last: dt.date) -> dt.date:
    """The month of the metric's current value, as in kpi_summary."""
    (row,) = snapshot.rows(snapshot.table("kpi_summary").filter(_.metric_name == name))
    day: dt.date = row["period_end"] or last
    return day.replace(day=1)


def parse_month(text: str) -> dt.date:
    """The first day of the month that is written 2026-06; raises ProductPulseError for another text."""
    try:
        return dt.datetime.strptime(text, "%Y-%m").date()
    except ValueError as error:
        raise ProductPulseError(
            "metric.month_format", f"'{text}' is not a month. Write it as 2026-06.", month=text
        ) from error


def parse_members(texts: tuple[str, ...]) -> dict[str, str]:
    """`segment=SMB` as a slice and its member; raises ProductPulseError for a text without both."""
    members: dict[str, str] = {}
    for text in texts:
        column, sign, value = text.partition("=")
        if not (sign and column and value):
            raise ProductPulseError(
                "metric.member_format", f"'{text}' names no slice and member. Write it as segment=SMB.", text=text
            )
        if column in members:
            raise ProductPulseError(
                "metric.member_twice", f"{column} is given twice. Give one member of it.", column=column
            )
        members[column] = value
    return members


def answer_lines(answer: Answer, *, with_rows: bool) -> Iterator[str]:
    """The value with that of the month before and of a year before, by slice if asked for, and its rows."""
    name, currency = answer.question.metric_name, answer.rules.currency
    metric = answer.rules.metric_catalog.metrics[name]
    members = "".join(f", {column} = {value}" for column, value in answer.question.where.items())
    before, year_before = (month_start(answer.month, -months) for months in (1, 12))
    found = {row["month"]: row for row in answer.values([answer.month, before, year_before])}
    value = found[answer.month]["value"]
    text = value_text(value, metric.unit, currency, exact=True)
    yield f"{metric.label} ({name}), {answer.month:%B %Y}{members}: {text}"
    for month in (before, year_before):
        earlier = found[month]["value"] if month in found else None
        if earlier is not None and value is not None:
            change = change_text(value - earlier, metric.unit, currency)
            yield f"  {month:%B %Y}: {value_text(earlier, metric.unit, currency, exact=True)} ({change} since then)"
    if answer.question.by:
        yield from _member_lines(answer, answer.question.by, metric.unit)
    if with_rows:
        yield from _row_lines(answer)


def _member_lines(answer: Answer, by: str, unit: str) -> Iterator[str]:
    yield ""
    yield f"By {by}:"
    for row in answer.values([answer.month], by):
        yield f"  {row[by]}: {value_text(row['value'], unit, answer.rules.currency, exact=True)}"


def _row_lines(answer: Answer) -> Iterator[str]:
    catalog, name = answer.rules.metric_catalog, answer.question.metric_name
    rows = answer.rows()
    totals = answer.snapshot.rows(
        rows.group_by("side").aggregate(count=_.count(), total=_.contribution.sum(), unit=_.unit.min())
    )
    of_side = {row["side"]: row for row in totals}
    for side in (each for each in (VALUE, NUMERATOR, DENOMINATOR) if each in of_side):
        about = of_side[side]
        yield ""
        yield f"{NOUN[side]} ({about['count']:,}):"
        for row in answer.snapshot.rows(rows.filter(_.side == side).limit(ROWS_SHOWN)):
            yield f"  {_row_text(row, answer)}"
        if about["count"] > ROWS_SHOWN:
            yield f"  and {count_text(about['count'] - ROWS_SHOWN, 'more row')}; --csv FILE writes all of them"
        if side in sides_that_add_up(catalog, name):
            total = value_text(about["total"], about["unit"], answer.rules.currency, exact=True)
            yield f"  They add up to {total}."
    if not of_side:
        yield ""
        yield "No row has a part in it."


def _row_text(row: Row, answer: Answer) -> str:
    """Who, when, how much, and which measure it is a part of."""
    currency = answer.rules.currency
    who = name_with_key(row["company_name"], row["customer_id"]) if row["customer_id"] else row["source_row"]
    amount = row["amount"] if row["contribution"] is None else row["contribution"]
    text = value_text(amount, row["unit"], currency, exact=True)
    moved = ""
    if row["mrr_start"] is not None and row["mrr_start"] != row["mrr_end"]:
        start, end = (value_text(row[name], "money", currency) for name in ("mrr_start", "mrr_end"))
        moved = f", MRR {start} to {end}"
    part = "" if row["part"] == answer.question.metric_name else f", {row['part']}"
    return f"{who}, {row['month']:%b %Y}: {text}{moved}{part}"
