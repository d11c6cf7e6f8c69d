"""What the price of a subscription is for: a month, a year, a billing cycle, a seat; and whether money is in cents.

The header says it (mrr, price_per_year, amount_cents), or the payments do: each reading of the price is compared with
what was collected, as `asset_checks/reconciliation.py` does in every run. A reading is proposed if the payments of most
customers agree with it and with no other one. A price that only a guess could explain is left out, because it would
make every MRR wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import ibis
import ibis.expr.types as ir
from ibis import _

from asset_checks.contracts import CYCLE_MONTHS
from asset_checks.reconciliation import customer_ratios
from productpulse_assets.sources.casting import cast_column
from productpulse_assets.sources.proposal.column_matching import ColumnMatch, Confidence
from productpulse_assets.sources.proposal.exports import Export
from productpulse_assets.sources.proposal.value_formats import (
    NUMBER_FORMATS,
    DateReading,
    NumberReading,
    WordReading,
    parse_number,
    read_numbers,
)
from productpulse_assets.sources.proposal.vocabulary import plain, plain_names, vocabulary, without_noun
from productpulse_assets.sources.readers.blanks import plain_name
from resources.tables import rows_of
from rules.models import Reconciliation, Sources

MONTHS = {"month": 1, "quarter": 3, "year": 12}
COMPARED = Reconciliation()
AGREES = COMPARED.most_customers_rate
"""The share of the compared customers whose payments must agree with a reading."""

REFUTED = 0.3
"""A smaller share speaks against it."""

CENTS = re.compile(r"cents|minor|pence", re.IGNORECASE)
ROUND_ENDINGS = ("00", "50", "90", "95", "99")
"""How whole numbers end that may be cents: 4900, 1999."""

PLAN_RATIO = (8.0, 13.0)
"""The price of a plan per year, divided by the one per month, when both are per billing cycle."""


@dataclass(frozen=True)
class PriceColumn:
    """A column that may be the price. unit: the time that its name says; is_per_seat, is_cents: as its name says."""

    header: str
    unit: str | None
    is_per_seat: bool
    is_cents: bool
    numbers: NumberReading


@dataclass(frozen=True)
class PriceReading:
    """One way to read a price. per: a unit of `price`; seats: the header of their number. agreement: the share of the
    compared customers whose payments agree; None if none could be compared."""

    column: PriceColumn
    per: str
    seats: str | None = None
    price_in_cents: bool = False
    amount_in_cents: bool = False
    agreement: float | None = None
    compared: int = 0

    @property
    def agrees(self) -> bool:
        """Whether the payments of most customers agree."""
        return self.agreement is not None and self.agreement >= AGREES

    @property
    def is_refuted(self) -> bool:
        """Whether the payments of most customers speak against it."""
        return self.agreement is not None and self.agreement < REFUTED

    @property
    def words(self) -> str:
        """The reading for people: '49.00 is per month and seat'."""
        unit = "billing cycle" if self.per == "billing_cycle" else self.per
        seat = f", times '{self.seats}'" if self.seats else ""
        cents = ", in cents" if self.price_in_cents else ""
        return f"'{self.column.header}' per {unit}{seat}{cents}"

    @property
    def evidence(self) -> str:
        """What the payments say."""
        if self.agreement is None:
            return "no payments to compare it with"
        return f"payments of {self.agreement:.0%} of {self.compared} customers agree"


@dataclass(frozen=True)
class PriceMatch:
    """The proposed reading, the others, and whether whole numbers may be cents (a question of its own)."""

    confidence: Confidence
    readings: tuple[PriceReading, ...] = ()
    reason: str = ""
    may_be_cents: bool = False


Matches = Mapping[str, ColumnMatch]


def price_columns(export: Export) -> list[PriceColumn]:
    """The columns that may be the price of a subscription, those whose name says the time first."""
    names = vocabulary().price
    found = []
    for header, about in export.columns.items():
        key = plain(header)
        forms = set(without_noun(key, vocabulary().datasets["subscriptions"].nouns))
        units = [unit for unit in MONTHS if forms & plain_names(getattr(names, unit))]
        is_own = plain_name(header) == "monthly_price"
        is_known = is_own or units or forms & plain_names(names.unknown)
        numbers = read_numbers(about.values) if is_known and key not in plain_names(vocabulary().never) else None
        if numbers:
            is_seat = bool(forms & plain_names(names.seat))
            unit = "month" if is_own else units[0] if units else None
            found.append(PriceColumn(header, unit, is_seat, bool(CENTS.search(header)), numbers))
    return sorted(found, key=lambda each: (each.unit is None, list(export.columns).index(each.header)))


def named_column(export: Export, names: Sequence[str]) -> str | None:
    """The first column that has one of the names and is a whole number in every row with a value."""
    for header, about in export.columns.items():
        forms = set(without_noun(plain(header), vocabulary().datasets["subscriptions"].nouns))
        if forms & plain_names(tuple(names)) and about.values:
            numbers = [parse_number(value, "1234.50") for value in about.values]
            if all(number is not None and number == int(number) for number in numbers):
                return header
    return None


def may_be_cents(export: Export, header: str) -> bool:
    """Whether the amounts are whole numbers that may be cents: no decimals, at least 100, and round as prices are."""
    values = [value for value in export.columns[header].values if value.strip("0")]
    return bool(values) and all(
        value.isdigit() and int(value) >= 100 and value.endswith(ROUND_ENDINGS) for value in values
    )


# --- the comparison with payments ----------------------------------------------------------------


@dataclass(frozen=True)
class Billing:
    """The matched subscriptions and, if there are any, payments; amount: how the amounts are written."""

    export: Export
    matches: Matches
    payments: Export | None = None
    payment_matches: Matches | None = None

    @property
    def can_compare(self) -> bool:
        """Whether payments have what a comparison needs."""
        needed = ("customer_id", "amount", "transaction_date")
        return bool(
            self.payments
            and self.payment_matches
            and all(self.payment_matches[column].is_mapped for column in needed)
            and all(self.matches[column].is_mapped for column in ("customer_id", "start_date"))
        )

    @property
    def cycle(self) -> str | None:
        """The header of the billing cycle, if every word of it is known."""
        match = self.matches["billing_cycle"]
        known = isinstance(match.reading, WordReading) and match.reading.is_known
        return match.header if known else None


def number_column(export: Export, header: str, numbers: NumberReading) -> ir.FloatingColumn:
    """The numbers of a column; NULL where the text is none."""
    point = NUMBER_FORMATS[numbers.format][2]
    kept = export.text(header).re_replace(rf"[^0-9{re.escape(point)}\-]", "")  # signs, and marks between thousands
    return kept.replace(point, ".").try_cast("float64")


def _days(export: Export, match: ColumnMatch) -> ir.DateColumn:
    formats = list(match.reading.formats) if isinstance(match.reading, DateReading) else []
    assert match.header is not None
    kind = ibis.dtype("date")
    return cast_column(export.rows[match.header], kind, Sources(date_formats=formats), "date")


def _word(export: Export, match: ColumnMatch, default: str | None) -> ir.StringColumn:
    """The column in our words; `default` without the column."""
    if match.header is None:
        return ibis.literal(default, type="string")
    aliases = match.reading.aliases if isinstance(match.reading, WordReading) else {}
    text = export.text(match.header)
    folded = text.lower()
    own = {value: value for value in (*CYCLE_MONTHS, "Trial", "Success")}
    return ibis.cases(*((folded == word.lower(), ours) for word, ours in (own | dict(aliases)).items()), else_=text)


def subscription_rows(billing: Billing, reading: PriceReading) -> ir.Table:
    export, matches = billing.export, billing.matches
    price = number_column(export, reading.column.header, reading.column.numbers)
    cycle = _word(export, matches["billing_cycle"], None)
    months: ir.NumericValue = (
        ibis.cases(*((cycle == name, count) for name, count in CYCLE_MONTHS.items()))
        if reading.per == "billing_cycle"
        else ibis.literal(MONTHS[reading.per])
    )
    seats = export.text(reading.seats).try_cast("float64") if reading.seats else ibis.literal(1.0)
    key = matches["subscription_id"].header
    has_end = matches["end_date"].is_mapped
    return export.rows.select(
        subscription_id=export.text(key) if key else export.rows.row_number.cast("string"),
        customer_id=export.text(str(matches["customer_id"].header)),
        status=_word(export, matches["status"], "Active"),
        start_date=_days(export, matches["start_date"]),
        end_date=_days(export, matches["end_date"]) if has_end else ibis.null("date"),
        billing_cycle=cycle,
        monthly_price=price * seats / months / (100 if reading.price_in_cents else 1),
    )


def _transactions(billing: Billing, subscriptions: ir.Table, in_cents: bool) -> ir.Table:
    """The payments; those that name no subscription belong to the only one of their customer."""
    export, matches = billing.payments, billing.payment_matches
    assert export is not None and matches is not None
    amount = matches["amount"]
    assert amount.header is not None and isinstance(amount.reading, NumberReading)
    key = matches["subscription_id"].header
    rows = export.rows.select(
        customer_id=export.text(str(matches["customer_id"].header)),
        given=export.text(key) if key else ibis.null("string"),
        amount=number_column(export, amount.header, amount.reading) / (100 if in_cents else 1),
        status=_word(export, matches["status"], "Success"),
        transaction_date=_days(export, matches["transaction_date"]),
    )
    only = subscriptions.group_by("customer_id").aggregate(only=_.subscription_id.min(), times=_.count())
    joined = rows.left_join(only.filter(_.times == 1).drop("times"), "customer_id")
    return joined.select(
        "customer_id", "amount", "status", "transaction_date", subscription_id=ibis.coalesce(_.given, _.only)
    )


def compare(billing: Billing, reading: PriceReading) -> PriceReading:
    """The reading with the share of customers whose payments agree with it."""
    subscriptions = subscription_rows(billing, reading)
    payments = _transactions(billing, subscriptions, reading.amount_in_cents)
    ratios = customer_ratios(payments, subscriptions).filter(_.ratio.notnull(), _.is_spaced)
    low, high = 1 - COMPARED.tolerance, 1 + COMPARED.tolerance
    (row,) = rows_of(ratios.aggregate(all=_.count(), agree=_.ratio.between(low, high).sum().fill_null(0)))
    if row["all"] < COMPARED.fewest_customers:
        return reading
    return PriceReading(
        reading.column, reading.per, reading.seats, reading.price_in_cents, reading.amount_in_cents,
        agreement=float(row["agree"] / row["all"]), compared=int(row["all"]),
    )  # fmt: skip


def _readings(
    billing: Billing, column: PriceColumn, seats: str | None, amount_is_cents: bool
) -> Iterator[PriceReading]:
    """Every reading of a price that its name allows; what the name says comes first."""
    units = [column.unit] if column.unit else ["month", "quarter", "year"]
    if billing.cycle and column.unit is None:
        units.insert(0, "billing_cycle")
    seat_choices: list[str | None] = ([seats, None] if column.is_per_seat else [None, seats]) if seats else [None]
    cents: list[tuple[bool, bool]] = [(column.is_cents, amount_is_cents)]
    cents += [
        each
        for each in ((True, False), (False, True))
        if each not in cents and not (column.is_cents or amount_is_cents)
    ]
    for per, (in_cents, paid_in_cents), seat in product(units, cents, seat_choices):
        yield PriceReading(column, per, seat, in_cents, paid_in_cents)


def match_price(billing: Billing) -> PriceMatch:
    """The reading of the price that the names and the payments give."""
    columns = price_columns(billing.export)
    if not columns:
        return PriceMatch(Confidence.UNSURE, reason="no column has a name for a price")
    seats = named_column(billing.export, vocabulary().price.seats)
    amount = billing.payment_matches["amount"].header if billing.payment_matches else None
    amount_is_cents = bool(amount and CENTS.search(amount))
    readings = [each for column in columns for each in _readings(billing, column, seats, amount_is_cents)]
    if billing.can_compare:
        readings = [compare(billing, each) for each in readings]
    match = _choose(billing, columns, readings)
    first = match.readings[0] if match.readings else None
    if (
        first
        and not (first.price_in_cents or first.amount_in_cents)
        and may_be_cents(billing.export, first.column.header)
    ):
        paid = billing.payments
        is_settled = first.agrees and paid and amount and not may_be_cents(paid, amount)
        return PriceMatch(match.confidence, match.readings, match.reason, may_be_cents=not is_settled)
    return match


def _choose(billing: Billing, columns: Sequence[PriceColumn], readings: Sequence[PriceReading]) -> PriceMatch:
    """The proposal among the readings, which are in the order in which their names speak for them."""
    if agreeing := [each for each in readings if each.agrees]:
        first, *others = agreeing
        rest = tuple(each for each in readings if each is not first)
        rivals = [each for each in others if not _give_equal_prices(billing, first, each)]
        if rivals:
            return PriceMatch(Confidence.UNSURE, (first, *rest), "payments agree with several readings")
        is_named = first.column.unit is not None and first.seats is None
        return PriceMatch(Confidence.CERTAIN if is_named else Confidence.LIKELY, (first, *rest), first.evidence)
    if any(each.agreement is not None for each in readings):
        return PriceMatch(Confidence.UNSURE, tuple(readings), "payments agree with no reading")
    named = [each for each in readings if each.column.unit]
    if len({each.column.header for each in named}) == 1 and not (named[0].column.is_per_seat):
        first = named[0]
        is_month = first.per == "month"
        rest = tuple(each for each in readings if each is not first)
        return PriceMatch(Confidence.CERTAIN if is_month else Confidence.LIKELY, (first, *rest), "as its name says")
    months = [each for each in named if each.column.unit == "month"]
    if len({each.column.header for each in months}) == 1:
        rest = tuple(each for each in readings if each is not months[0])
        return PriceMatch(Confidence.CERTAIN, (months[0], *rest), "as its name says")
    return _by_plans(billing, columns, readings)


def _give_equal_prices(billing: Billing, one: PriceReading, other: PriceReading) -> bool:
    """Whether two readings of one column give the same monthly prices in every row."""
    if (one.price_in_cents, one.amount_in_cents) != (other.price_in_cents, other.amount_in_cents):
        return False
    both = [subscription_rows(billing, each).select(**{name: _.monthly_price}, row=ibis.row_number())
            for name, each in (("one", one), ("other", other))]  # fmt: skip
    joined = both[0].join(both[1], "row")
    differs = ((joined.one - joined.other).abs() > 0.005).any().fill_null(False)
    return not bool(rows_of(joined.aggregate(differs=differs))[0]["differs"])


def _by_plans(billing: Billing, columns: Sequence[PriceColumn], readings: Sequence[PriceReading]) -> PriceMatch:
    """Without payments: whether a plan that is sold per month and per year costs about ten times as much per year."""
    unsure = PriceMatch(Confidence.UNSURE, tuple(readings), "the name does not say for which time the price is")
    plan = billing.matches["plan"].header
    has_seats = named_column(billing.export, vocabulary().price.seats) is not None
    if len(columns) > 1 or has_seats or not billing.cycle or not plan:
        return unsure
    cycle = next(each for each in readings if each.per == "billing_cycle" and not each.amount_in_cents)
    export = billing.export
    rows = export.rows.select(
        plan=export.text(plan),
        cycle=_word(export, billing.matches["billing_cycle"], None),
        price=number_column(export, columns[0].header, columns[0].numbers),
    )
    plans = rows.group_by("plan").aggregate(
        month=_.price.median(where=_.cycle == "Monthly"), year=_.price.median(where=_.cycle == "Annual")
    )
    ratios = [row["year"] / row["month"] for row in rows_of(plans) if row["month"] and row["year"]]
    if ratios and all(PLAN_RATIO[0] <= ratio <= PLAN_RATIO[1] for ratio in ratios):
        rest = tuple(each for each in readings if each is not cycle)
        reason = f"a year of {len(ratios)} plans costs {min(ratios):.0f} to {max(ratios):.0f} times a month"
        return PriceMatch(Confidence.LIKELY, (cycle, *rest), reason)
    return unsure
