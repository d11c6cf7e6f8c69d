"""A metric in a period, a slice or both, with the rows behind it, as lines of text or as a CSV."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.cli.metric_trend import trend_lines
from resources.published_snapshot import Row, Snapshot
from rules.metrics.bridge import ENTERED, LEFT, bridge_rows, bridge_values, has_bridge
from rules.metrics.models import Metric
from rules.metrics.parts import DENOMINATOR, NUMERATOR, VALUE, is_present_only, sides_that_add_up
from rules.metrics.rows import metric_rows
from rules.metrics.slices import PRESENT, check_slice, in_slice, members_of, sliced_models
from rules.metrics.time_range import TimeRange, parse_time_range
from rules.metrics.values import check_range, metric_comparison, metric_values
from rules.rule_set import Rules
from rules.text.errors import ProductPulseError
from rules.text.formats import (
    NAME_LIMIT,
    change_text,
    count_text,
    name_with_key,
    one_line,
    percent,
    printable_line,
    value_text,
)

ROWS_SHOWN = 20
MEMBERS_SHOWN = 12
NOUN = {VALUE: "Rows", NUMERATOR: "Rows of the numerator", DENOMINATOR: "Rows of the denominator"}


@dataclass(frozen=True)
class Question:
    """What is asked of a metric.

    period: as it is written; None for that of the current value. where: members by slice. by: a slice. trend: a number
    of periods. with_bridge: how MRR got from the start of the period to its end; the rows are those of the bridge.
    """

    metric_name: str
    period: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    by: str | None = None
    trend: int | None = None
    with_bridge: bool = False


@dataclass(frozen=True)
class Answer:
    """A question put to a snapshot, once it is known to have an answer.

    recorded: of a metric of the present, its value in each month of which the history has one.
    """

    snapshot: Snapshot
    rules: Rules
    question: Question
    all_members: Mapping[str, ir.Table]
    models: Mapping[str, ir.Table]
    time_range: TimeRange
    months: Sequence[dt.date]
    recorded: Mapping[dt.date, float] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot, rules: Rules, question: Question) -> Answer:
        """Raises ProductPulseError for a period or a slice in which the metric is not known."""
        catalog, name = rules.metric_catalog, question.metric_name
        calendar = snapshot.rows(snapshot.table("calendar").order_by("month"))
        months, complete = [row["month"] for row in calendar], [row["month"] for row in calendar if row["is_complete"]]
        text = question.period or f"{_current_month(snapshot, name, months[-1]):%Y-%m}"
        time_range = parse_time_range(text, months, complete, rules.segments.fiscal_year_start_month)
        recorded = recorded_values(snapshot, rules, question)
        if time_range.last not in recorded or time_range.length > 1:
            check_range(catalog, name, time_range, months)
        columns = [*question.where, *([question.by] if question.by else [])]
        all_slices = sliced_models(catalog, snapshot.table, [*rules.dimensions, *PRESENT])
        check_slice(catalog, name, all_slices, columns, rules.dimensions)
        models = sliced_models(catalog, snapshot.table, columns)
        for column, value in question.where.items():
            _check_member(column, value, snapshot.rows(members_of(catalog, name, models, column)))
        if question.with_bridge and not has_bridge(catalog.metrics[name]):
            raise ProductPulseError("metric.no_bridge", f"{name} has no bridge. Only MRR has one: the sum of mrr_end.")
        return cls(snapshot, rules, question, models, in_slice(models, question.where), time_range, months, recorded)

    @property
    def metric(self) -> Metric:
        """The metric as the catalog defines it."""
        return self.rules.metric_catalog.metrics[self.question.metric_name]

    def values(self, ranges: Sequence[TimeRange], by: str | None = None) -> Sequence[Row]:
        """The values of these ranges, by month and member."""
        if self.recorded:
            return [{"period": each.name, "value": self.recorded.get(each.last)} for each in ranges]
        catalog, calendar = self.rules.metric_catalog, self.snapshot.table("calendar")
        found = metric_values(catalog, self.question.metric_name, self.models, calendar, ranges, by)
        return self.snapshot.rows(found.order_by("month", *([by] if by else [])))

    def trend(self, count: int) -> list[TimeRange]:
        """As many periods of the same length as the data has, up to `count`; the last one is the one asked for."""
        if is_present_only(self.rules.metric_catalog, self.question.metric_name) and len(self.recorded) < 2:
            raise ProductPulseError(
                "metric.no_trend",
                f"{self.question.metric_name} is known for the present only: it has a trend where the history has past "
                "values, and for all customers. `productpulse backfill` computes past values.",
            )
        return [each for each in self.time_range.trend(count) if each.first >= self.months[0]]

    def comparison(self) -> Sequence[Row]:
        """The value beside that of the period before and of a year ago."""
        if self.recorded:
            return [recorded_comparison(self.time_range, each, self.recorded) for each in self.earlier()]
        catalog, calendar = self.rules.metric_catalog, self.snapshot.table("calendar")
        name, months = self.question.metric_name, self.months
        return self.snapshot.rows(metric_comparison(catalog, name, self.models, calendar, self.time_range, months))

    def earlier(self) -> tuple[TimeRange, TimeRange]:
        """The period before and that of a year ago."""
        return self.time_range.previous(), self.time_range.year_ago()

    def rows(self) -> ir.Table:
        """The rows behind the value, with the companies' names; of each side the largest first.

        Raises ProductPulseError for a value that only the history has: the rows of then are not kept.
        """
        if self.recorded and self.time_range.last != self.months[-1]:
            raise ProductPulseError(
                "metric.no_past_rows",
                f"{self.question.metric_name} in {self.time_range.label} is a value of the history: the rows that were "
                "behind it then are not kept. Ask without --rows and --csv.",
                metric=self.question.metric_name,
            )
        if self.question.with_bridge:
            rows = bridge_rows(self.all_members, self.time_range, self.question.where)
        else:
            rows = metric_rows(self.rules.metric_catalog, self.question.metric_name, self.models, self.time_range)
        names = self.snapshot.table("customers").select("customer_id", "company_name")
        named = rows.left_join(names, "customer_id").select(*rows.columns, "company_name")
        order = {VALUE: 0, NUMERATOR: 1, DENOMINATOR: 2}
        place = ibis.cases(*((named.side == side, at) for side, at in order.items()))
        return named.order_by(place, _.amount.abs().desc(), "customer_id", "part", "month", "source_row")


def recorded_values(snapshot: Snapshot, rules: Rules, question: Question) -> dict[dt.date, float]:
    """By month: the values in the history of a metric of the present, for all customers; empty for other questions."""
    name = question.metric_name
    if not is_present_only(rules.metric_catalog, name) or question.where or question.by or question.with_bridge:
        return {}
    history = snapshot.table("kpi_history").filter(_.metric_name == name, _.value.notnull())
    return {row["month"]: row["value"] for row in snapshot.rows(history)}


def recorded_comparison(time_range: TimeRange, other: TimeRange, recorded: Mapping[dt.date, float]) -> Row:
    """A value of the history beside that of another month, as a row of metric_comparison."""
    value, compared = recorded.get(time_range.last), recorded.get(other.last)
    reason = f"The history has no value of {other.label}." if compared is None else None
    change = None if value is None or compared is None else value - compared
    return {
        "value": value,
        "compared_label": other.label,
        "compared_value": compared,
        "why_not": reason,
        "change": change,
        "change_rate": change / abs(compared) if change is not None and compared else None,
    }


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
    """The value beside that of the period before and of a year ago, its trend or slices if asked for, and its rows."""
    metric, by = answer.metric, answer.question.by
    members = "".join(f", {column} = {value}" for column, value in answer.question.where.items())
    first, *_more = compared = answer.comparison()
    yield f"{metric.label} ({answer.question.metric_name}), {answer.time_range.label}{members}: {_value(answer, first)}"
    for row in compared:
        yield _compared_line(answer, row)
    if answer.question.trend:
        ranges = answer.trend(answer.question.trend)
        yield ""
        yield f"{count_text(len(ranges), 'period')} to {answer.time_range.label}{f', by {by}' if by else ''}:"
        yield from trend_lines(ranges, answer.values(ranges, by), by, metric, answer.rules.currency)
    elif by:
        yield ""
        yield f"By {by}:"
        for row in answer.values([answer.time_range], by):
            yield f"  {row[by]}: {_value(answer, row)}"
    if answer.question.with_bridge:
        yield from _bridge_lines(answer)
    if with_rows:
        yield from _row_lines(answer)


def _bridge_lines(answer: Answer) -> Iterator[str]:
    yield ""
    yield "From the start to the end:"
    parts = bridge_values(answer.all_members, answer.time_range, answer.question.where).order_by("place")
    for row in answer.snapshot.rows(parts):
        if row["amount"] or row["part"] not in (ENTERED, LEFT):
            amount = value_text(row["amount"], "money", answer.rules.currency, exact=True)
            yield f"  {row['part']}: {amount} ({count_text(row['customers'], 'customer')})"


def _value(answer: Answer, row: Row, column: str = "value") -> str:
    return value_text(row[column], answer.metric.unit, answer.rules.currency, exact=True)


def signed_percent(share: float) -> str:
    """A relative change: `+3.2 %`."""
    return f"{'+' if share > 0 else ''}{percent(share)}"


def _compared_line(answer: Answer, row: Row) -> str:
    """The value of an earlier period with the change since then, or why there is none."""
    unit, currency = answer.metric.unit, answer.rules.currency
    if row["change"] is None:
        shown = "" if row["compared_value"] is None else f"{_value(answer, row, 'compared_value')}. "
        return f"  {row['compared_label']}: {shown}No change is computed: {row['why_not']}"
    rate = "" if unit == "rate" or row["change_rate"] is None else f", {signed_percent(row['change_rate'])}"
    change = change_text(row["change"], unit, currency)
    return f"  {row['compared_label']}: {_value(answer, row, 'compared_value')} ({change}{rate} since then)"


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
    case = f", case {row['source_row']}" if row["customer_id"] and row["source_row"] else ""
    part = "" if row["part"] == answer.question.metric_name else f", {row['part']}"
    return f"{who}, {row['month']:%b %Y}: {text}{moved}{case}{part}"
