"""A metric in several periods, by slice or as a whole, as lines of text; and which member is worst, and since when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from resources.published_snapshot import Row
from rules.metrics.models import Metric
from rules.metrics.time_range import TimeRange
from rules.text.formats import NAME_LIMIT, count_text, one_line, value_text

MEMBERS_SHOWN = 20
Values = Mapping[str, Sequence[float | None]]
"""By member: its value in each period, oldest first; None where it has none."""


def trend_lines(
    ranges: Sequence[TimeRange], rows: Sequence[Row], by: str | None, metric: Metric, currency: str
) -> Iterator[str]:
    """One line per member that has a value, with that of each period, worst first; without `by`, one line per period.

    `rows` are those of `metric_values` for the ranges.
    """
    if not by:
        found = {row["period"]: row["value"] for row in rows}
        for each in ranges:
            yield f"  {each.label}: {value_text(found.get(each.name), metric.unit, currency, exact=True)}"
        return
    found_by = values_by_member(ranges, rows, by)
    values = {member: of for member, of in found_by.items() if any(value is not None for value in of)}
    if not values:
        yield "  No member has a value."
        return
    order = sorted(values, key=lambda member: (_badness(values[member][-1], metric), member))
    texts = {member: [_cell(value, metric.unit, currency) for value in values[member]] for member in order}
    shown = order[:MEMBERS_SHOWN]
    names = {member: one_line(member, NAME_LIMIT) for member in shown}
    first = max(len(by), *map(len, names.values()))
    widths = [max(len(each.name), *(len(texts[member][at]) for member in shown)) for at, each in enumerate(ranges)]
    yield "  ".join(
        [f"  {by:<{first}}", *(f"{each.name:>{width}}" for each, width in zip(ranges, widths, strict=True))]
    )
    for member in shown:
        cells = (f"{text:>{width}}" for text, width in zip(texts[member], widths, strict=True))
        yield "  ".join([f"  {names[member]:<{first}}", *cells])
    if len(order) > len(shown):
        yield f"  and {count_text(len(order) - len(shown), 'more member')}"
    yield from worst_lines(ranges, values, metric)


def _cell(value: float | None, unit: str, currency: str) -> str:
    return "–" if value is None else value_text(value, unit, currency)


def values_by_member(ranges: Sequence[TimeRange], rows: Sequence[Row], by: str) -> dict[str, list[float | None]]:
    """The values of each member in the order of the ranges."""
    found = {(row[by], row["period"]): row["value"] for row in rows}
    members = sorted({member for member, _period in found})
    return {member: [found.get((member, each.name)) for each in ranges] for member in members}


def worst_lines(ranges: Sequence[TimeRange], values: Values, metric: Metric) -> Iterator[str]:
    """Which member is the worst in the last period, and since when without a break; of equal ones the first by name."""
    worst = [_worst([(_badness(of[at], metric), member) for member, of in values.items()]) for at in range(len(ranges))]
    if metric.good_direction == "neutral" or worst[-1] is None:
        return
    count = next((at for at, member in enumerate(reversed(worst)) if member != worst[-1]), len(worst))
    start = ranges[len(ranges) - count].label
    since = f"since {start}" if count < len(ranges) else f"in all {len(ranges)} periods"
    yield f"  Worst in {ranges[-1].label}: {one_line(worst[-1], NAME_LIMIT)}, {since}."


def _badness(value: float | None, metric: Metric) -> float:
    """A number that is the smaller the worse the value is; a value that is not there is not bad."""
    return float("inf") if value is None else -value if metric.good_direction == "down" else value


def _worst(members: Sequence[tuple[float, str]]) -> str | None:
    badness, member = min(members)
    return None if badness == float("inf") else member
