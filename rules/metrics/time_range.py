"""Months that a question is about: a month, a quarter, a year, a fiscal year, the last n months or the month so far."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rules.text.errors import ProductPulseError
from rules.text.formats import NAME_LIMIT, printable_line
from rules.units import month_start

THIS_MONTH = "this-month"
ACCEPTED = "2026-06, 2026-Q2, 2026, FY2026, 2026-02..2026-04, last-3-months or this-month"
FORMS = {
    "month": re.compile(r"([0-9]{4})-([0-9]{2})"),
    "quarter": re.compile(r"([0-9]{4})-Q([1-4])"),
    "year": re.compile(r"([0-9]{4})"),
    "fiscal_year": re.compile(r"FY([0-9]{4})"),
    "months": re.compile(r"([0-9]{4})-([0-9]{2})\.\.([0-9]{4})-([0-9]{2})"),
    "last": re.compile(r"LAST-([0-9]{1,3})-MONTHS?"),
}


@dataclass(frozen=True)
class TimeRange:
    """Calendar months without a gap, all of which the data has.

    name: as it is written in an address; parse_time_range reads it back. first, last: the first days of its first and
    of its last month. label: the words for it. is_complete: it has every month of its name, and all of them are over.
    is_so_far: its last month is not over.
    """

    name: str
    first: dt.date
    last: dt.date
    label: str
    is_complete: bool = True
    is_so_far: bool = False

    @property
    def length(self) -> int:
        """The number of its months."""
        return (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1

    @property
    def months(self) -> list[dt.date]:
        """The first days of its months, in order."""
        return [month_start(self.first, later) for later in range(self.length)]

    def previous(self) -> TimeRange:
        """As many months just before. A month that is not over has the whole month before it."""
        return self._earlier(self.length)

    def year_ago(self) -> TimeRange:
        """The same months a year before. A month that is not over has the whole month of then."""
        return self._earlier(12)

    def trend(self, count: int) -> list[TimeRange]:
        """`count` ranges of this length, each of which begins where the one before ends; this one is the last."""
        ranges = [self]
        while len(ranges) < count:
            ranges.append(ranges[-1].previous())
        return ranges[::-1]

    def _earlier(self, months: int) -> TimeRange:
        first, last = month_start(self.first, -months), month_start(self.last, -months)
        if FORMS["fiscal_year"].fullmatch(self.name) and self.is_complete and months == 12:
            name = f"FY{int(self.name[2:]) - 1:04}"
            return TimeRange(name, first, last, f"{name} ({_short_months(first, last)})")
        return range_of_months(first, last)


def range_of_months(first: dt.date, last: dt.date) -> TimeRange:
    """These whole months, under the shortest name that they have: a month, a quarter, a year or first..last."""
    length = (last.year - first.year) * 12 + last.month - first.month + 1
    if length == 1:
        return TimeRange(f"{first:%Y-%m}", first, last, f"{first:%B %Y}")
    if length == 3 and first.month % 3 == 1:
        quarter = first.month // 3 + 1
        return TimeRange(f"{first:%Y}-Q{quarter}", first, last, f"Q{quarter} {first:%Y}")
    if length == 12 and first.month == 1:
        return TimeRange(f"{first:%Y}", first, last, f"{first:%Y}")
    return TimeRange(f"{first:%Y-%m}..{last:%Y-%m}", first, last, _months_text(first, last))


def parse_time_range(
    text: str, months: Sequence[dt.date], complete_months: Sequence[dt.date], fiscal_start: int = 1
) -> TimeRange:
    """The range that is written in one of the forms of ACCEPTED.

    months: the first days of the data's months, in order; complete_months: those that are over. fiscal_start: the
    month, 1 to 12, that a fiscal year begins with; FY2026 is the one that ends in 2026. last-3-months ends with the
    last month that is over. A range of which the data has a part has the months of that part that are over, and its
    label says so; only a range without such a month has the one that is not over. Raises ProductPulseError for other
    texts, and for a range without any month in the data.
    """
    written = text.strip().upper()
    try:
        if written == THIS_MONTH.upper():
            wanted = replace(range_of_months(months[-1], months[-1]), name=THIS_MONTH)
        elif found := FORMS["last"].fullmatch(written):
            wanted = _last_months(int(found[1]), text, complete_months)
        else:
            wanted = _named(written, text, fiscal_start)
    except ValueError as error:  # a month 13, or the year 0
        raise _no_range(text) from error
    if wanted.last < wanted.first:
        raise _no_range(text)
    return _in_data(wanted, months, complete_months)


def _no_range(text: str) -> ProductPulseError:
    return ProductPulseError(
        "metric.period_format",
        f"'{printable_line(text, NAME_LIMIT)}' is not a period. Write one of these forms: {ACCEPTED}.",
        period=text,
    )


def _named(written: str, text: str, fiscal_start: int) -> TimeRange:
    """The range of a name, whether or not the data has it; raises ProductPulseError or ValueError for another one."""
    found = {form: match for form, pattern in FORMS.items() if (match := pattern.fullmatch(written))}
    if not found:
        raise _no_range(text)
    ((form, match),) = found.items()
    parts = [int(part) for part in match.groups()]
    if form == "month":
        month = dt.date(parts[0], parts[1], 1)
        return range_of_months(month, month)
    if form == "quarter":
        first = dt.date(parts[0], parts[1] * 3 - 2, 1)
        return range_of_months(first, month_start(first, 2))
    if form == "months":
        return range_of_months(dt.date(parts[0], parts[1], 1), dt.date(parts[2], parts[3], 1))
    if form == "year":
        return range_of_months(dt.date(parts[0], 1, 1), dt.date(parts[0], 12, 1))
    first = dt.date(parts[0] - (fiscal_start > 1), fiscal_start, 1)
    last = month_start(first, 11)
    return TimeRange(written, first, last, f"{written} ({_short_months(first, last)})")


def _last_months(count: int, text: str, complete_months: Sequence[dt.date]) -> TimeRange:
    if not count:
        raise _no_range(text)
    if not complete_months:
        raise ProductPulseError(
            "metric.no_complete_month", f"No month of the data is over. Instead of {text}, ask for {THIS_MONTH}."
        )
    last = complete_months[-1]
    label = f"last {count} months to {last:%B %Y}" if count > 1 else f"last complete month, {last:%B %Y}"
    return TimeRange(f"last-{count}-months", month_start(last, 1 - count), last, label)


def _in_data(wanted: TimeRange, months: Sequence[dt.date], complete_months: Sequence[dt.date]) -> TimeRange:
    """The months of the range that the data has: those that are over, or else the one that is not."""
    known = [month for month in months if wanted.first <= month <= wanted.last]
    if not known:
        raise ProductPulseError(
            "metric.unknown_period",
            f"There is nothing of {wanted.label} in the data, which has {months[0]:%Y-%m} to {months[-1]:%Y-%m}.",
            period=wanted.name,
        )
    over = [month for month in known if month in complete_months]
    first, last = (over or known)[0], (over or known)[-1]
    if over and (first, last) == (wanted.first, wanted.last):
        return wanted
    label = f"{wanted.label} so far" if last < wanted.last or not over else wanted.label
    if wanted.length > 1:
        begins = f"; the data begins in {first:%B %Y}" if first > wanted.first else ""
        label = f"{label} ({_months_text(first, last)}{begins})"
    return replace(wanted, first=first, last=last, label=label, is_complete=False, is_so_far=not over)


def _months_text(first: dt.date, last: dt.date) -> str:
    if first == last:
        return f"{first:%B %Y}"
    return f"{first:%B} to {last:%B %Y}" if first.year == last.year else f"{first:%B %Y} to {last:%B %Y}"


def _short_months(first: dt.date, last: dt.date) -> str:
    return f"{first:%b %Y} to {last:%b %Y}"
