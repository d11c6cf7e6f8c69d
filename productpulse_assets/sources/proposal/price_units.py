"""What the price of a subscription is for: a month, a year, a billing cycle, a seat; and whether money is in cents.

The header says it (mrr, price_per_year, amount_cents), or the payments do: each reading of the price is compared with
what was collected, as `asset_checks/reconciliation.py` does in every run. A reading is proposed if the payments of most
customers agree with it and with no other one. A price that only a guess could explain is left out, because it would
make every MRR wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import cast

import ibis
import ibis.expr.types as ir
from ibis import _
from ibis.backends.duckdb import Backend

from asset_checks.contracts import CYCLE_MONTHS
from asset_checks.reconciliation import customer_ratios
from productpulse_assets.sources.proposal.column_matching import ColumnMatch, Confidence
from productpulse_assets.sources.proposal.exports import Export
from productpulse_assets.sources.proposal.value_formats import (
    NUMBER_FORMATS,
    DateReading,
    NumberReading,
    WordReading,
    cast_days,
    parse_number,
    read_numbers,
)
from productpulse_assets.sources.proposal.vocabulary import plain, plain_names, vocabulary, without_noun
from productpulse_assets.sources.readers.blanks import plain_name
from resources.tables import rows_of, table_of
from resources.warehouse import fill
from rules.models import Reconciliation

MONTHS = {"month": 1, "quarter": 3, "year": 12}
COMPARED = Reconciliation()
AGREES = COMPARED.most_customers_rate
"""The share of the compared customers whose payments must agree with a reading."""

RATIOS = (0.75, 1.3)
"""Collected / (price x months) of customers who agree: it has room for taxes and discounts, and none for a price that
is for another time, for one of several seats, or in cents."""

EXACT, MOSTLY, HARDLY = (0.975, 1.025), 0.8, 0.2
"""Of two prices that are near each other, such as with and without a discount, the payments show the one that they are
exactly for most customers, if they are the other one for few. Months have 28 to 31 days, which is the tolerance."""

REFUTED = 0.3
"""A smaller share speaks against it."""

CENTS = re.compile(r"cents|minor|pence", re.IGNORECASE)
ROUND_ENDINGS = ("00", "50", "90", "95", "99")
"""How whole numbers end that may be cents: 4900, 1999."""

CHEAPEST, CHEAPEST_OF_ALL = 300, 900
"""In cents, the least price of a plan, and of the dearest plan, that a company is expected to have: 100 is a price of a
hundred, not of one."""

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
    """One way to read a price. per: a unit of `price`; seats, every: headers of their numbers. agreement: the share of
    the compared customers whose payments agree; None if none could be compared. exact: the share whose
    payments are the price to 2.5 %.
    """

    column: PriceColumn
    per: str
    seats: str | None = None
    every: str | None = None
    price_in_cents: bool = False
    amount_in_cents: bool = False
    agreement: float | None = None
    exact: float = 0.0
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
    def is_as_named(self) -> bool:
        """Whether the reading is what the header says, if it says anything."""
        return self.column.unit in (None, self.per) and (self.seats is not None or not self.column.is_per_seat)

    @property
    def words(self) -> str:
        """The reading for people: '49.00 is per month and seat'."""
        unit = "billing cycle" if self.per == "billing_cycle" else self.per
        unit = f"'{self.every}' {unit}s" if self.every else unit
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
    """Whether the amounts are whole numbers that may be cents: no decimals, round as prices are, and no cheaper than
    prices per month."""
    values = [value for value in export.columns[header].values if value.strip("0")]
    if not values or not all(value.isdigit() and value.endswith(ROUND_ENDINGS) for value in values):
        return False
    amounts = [int(value) for value in values]
    return min(amounts) >= CHEAPEST and max(amounts) >= CHEAPEST_OF_ALL


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
    return cast_days(export.rows[match.header], formats)


def _word(export: Export, match: ColumnMatch, default: str | None) -> ir.StringColumn:
    """The column in our words; `default` without the column."""
    if match.header is None:
        return ibis.literal(default, type="string")
    aliases = match.reading.aliases if isinstance(match.reading, WordReading) else {}
    text = export.text(match.header)
    folded = text.lower()
    own = {value: value for value in (*CYCLE_MONTHS, "Trial", "Success")}
    return ibis.cases(*((folded == word.lower(), ours) for word, ours in (own | dict(aliases)).items()), else_=text)


def subscription_rows(
    billing: Billing, columns: Sequence[PriceColumn], seats: str | None = None, every: str | None = None
) -> ir.Table:
    """The subscriptions with typed dates and words, the number of seats, and each price as price_0, price_1, ….

    A temporary table: it is read several times.
    """
    export, matches = billing.export, billing.matches
    key, has_end = matches["subscription_id"].header, matches["end_date"].is_mapped
    prices = {f"price_{index}": number_column(export, each.header, each.numbers) for index, each in enumerate(columns)}
    rows = export.rows.select(
        subscription_id=export.text(key) if key else export.rows.row_number.cast("string"),
        customer_id=export.text(str(matches["customer_id"].header)),
        status=_word(export, matches["status"], "Active"),
        plan=_word(export, matches["plan"], None),
        start_date=_days(export, matches["start_date"]),
        end_date=_days(export, matches["end_date"]) if has_end else ibis.null("date"),
        billing_cycle=_word(export, matches["billing_cycle"], None),
        seats=export.text(seats).try_cast("float64") if seats else ibis.literal(1.0),
        every=export.text(every).try_cast("float64") if every else ibis.literal(1.0),
        **prices,
    )
    return stored(rows, "proposed_subscriptions")


def payment_rows(billing: Billing, subscriptions: ir.Table) -> ir.Table:
    """The payments; those that name no subscription belong to the only one of their customer. A temporary table."""
    export, matches = billing.payments, billing.payment_matches
    assert export is not None and matches is not None
    amount = matches["amount"]
    assert amount.header is not None and isinstance(amount.reading, NumberReading)
    key = matches["subscription_id"].header
    rows = export.rows.select(
        transaction_id=export.rows.source_file + ":" + export.rows.row_number.cast("string"),
        customer_id=export.text(str(matches["customer_id"].header)),
        given=export.text(key) if key else ibis.null("string"),
        amount=number_column(export, amount.header, amount.reading),
        status=_word(export, matches["status"], "Success"),
        transaction_date=_days(export, matches["transaction_date"]),
    )
    only = subscriptions.group_by("customer_id").aggregate(only=_.subscription_id.min(), times=_.count())
    joined = rows.left_join(only.filter(_.times == 1).drop("times"), "customer_id")
    columns = ("transaction_id", "customer_id", "amount", "status", "transaction_date")
    return stored(joined.select(*columns, subscription_id=ibis.coalesce(_.given, _.only)), "proposed_payments")


def stored(rows: ir.Table, name: str) -> ir.Table:
    """The rows as a temporary table of the database that they are in."""
    backend = cast("Backend", rows.get_backend())
    fill(backend, name, rows, temporary=True)
    return backend.table(name)


READINGS = ibis.schema(
    {
        "reading": "string",
        "price": "int64",
        "months": "int64",
        "has_seats": "boolean",
        "has_every": "boolean",
        "of_price": "float64",
        "of_amount": "float64",
    }
)


def _reading_rows(columns: Sequence[PriceColumn], readings: Sequence[PriceReading]) -> ir.Table:
    """One row per reading: which price it reads, for how many months (0: those of the billing cycle), and its units."""
    rows = [
        {
            "reading": f"{number}:",
            "price": columns.index(each.column),
            "months": MONTHS.get(each.per, 0),
            "has_seats": each.seats is not None,
            "has_every": each.every is not None,
            "of_price": 100.0 if each.price_in_cents else 1.0,
            "of_amount": 100.0 if each.amount_in_cents else 1.0,
        }
        for number, each in enumerate(readings)
    ]
    return table_of(rows, READINGS)


def priced(subscriptions: ir.Table, columns: Sequence[PriceColumn], readings: Sequence[PriceReading]) -> ir.Table:
    """One row per subscription and reading with its monthly_price; the ids begin with the reading's number."""
    rows = subscriptions.cross_join(_reading_rows(columns, readings))
    price = ibis.cases(*((rows.price == index, rows[f"price_{index}"]) for index in range(len(columns))))
    cycle = ibis.cases(*((rows.billing_cycle == name, count) for name, count in CYCLE_MONTHS.items()))
    months = ibis.ifelse(rows.months == 0, cycle, rows.months) * ibis.ifelse(rows.has_every, rows.every, 1.0)
    seats = ibis.ifelse(rows.has_seats, rows.seats, 1.0)
    return rows.select(
        "reading", "status", "start_date", "end_date",
        billing_cycle=ibis.ifelse(rows.has_every, _cycle_of(months), rows.billing_cycle),
        row_id=rows.subscription_id,
        customer_id=rows.reading + rows.customer_id,
        subscription_id=rows.reading + rows.subscription_id,
        monthly_price=price * seats / months / rows.of_price,
    )  # fmt: skip


def _cycle_of(months: ir.NumericValue) -> ir.StringValue:
    """The billing cycle of this number of months."""
    return ibis.cases(*((months == count, name) for name, count in CYCLE_MONTHS.items()))


def compare(
    billing: Billing, subscriptions: ir.Table, columns: Sequence[PriceColumn], readings: Sequence[PriceReading]
) -> list[PriceReading]:
    """The readings with the share of customers whose payments agree with each; all of them in one query."""
    paid = payment_rows(billing, subscriptions).cross_join(_reading_rows(columns, readings))
    payments = paid.select(
        "status", "transaction_date",
        transaction_id=paid.reading + paid.transaction_id,
        customer_id=paid.reading + paid.customer_id,
        subscription_id=paid.reading + paid.subscription_id,
        amount=paid.amount / paid.of_amount,
    )  # fmt: skip
    ratios = customer_ratios(payments, priced(subscriptions, columns, readings)).filter(_.ratio.notnull(), _.is_spaced)
    counts = ratios.group_by(reading=_.customer_id.re_extract("^[0-9]+", 0)).aggregate(
        all=_.count(), agree=_.ratio.between(*RATIOS).sum(), exact=_.ratio.between(*EXACT).sum()
    )
    found = {int(row["reading"]): row for row in rows_of(counts)}
    return [_with_agreement(each, found.get(number, {"all": 0})) for number, each in enumerate(readings)]


def _with_agreement(reading: PriceReading, row: Mapping[str, int]) -> PriceReading:
    if row["all"] < COMPARED.fewest_customers:
        return reading
    return replace(reading, agreement=row["agree"] / row["all"], exact=row["exact"] / row["all"], compared=row["all"])


@dataclass(frozen=True)
class Beside:
    """The columns that go with a price: the numbers of seats and of units; whether the amounts are named cents."""

    seats: str | None
    every: str | None
    amount_is_cents: bool


def _beside(billing: Billing) -> Beside:
    export, names = billing.export, vocabulary().price
    count = named_column(export, names.count)
    has_several = count is not None and any(value != "1" for value in export.columns[count].values)
    amount = billing.payment_matches["amount"].header if billing.payment_matches else None
    seats = named_column(export, names.seats)
    return Beside(seats, count if has_several else None, bool(amount and CENTS.search(amount)))


def _readings(billing: Billing, column: PriceColumn, beside: Beside) -> Iterator[PriceReading]:
    """Every reading of a price that its name allows; what the name says comes first."""
    units: list[tuple[str, str | None]] = [(column.unit, None)] if column.unit else []
    if billing.cycle and column.unit is None:
        units.append(("billing_cycle", beside.every))
    elif beside.every and column.unit is None:
        units.append(("month", beside.every))
    units += [(unit, None) for unit in MONTHS if (unit, None) not in units]
    seats = beside.seats
    seat_choices: list[str | None] = ([seats, None] if column.is_per_seat else [None, seats]) if seats else [None]
    is_named = column.is_cents or beside.amount_is_cents
    cents = [
        (in_cents, paid_in_cents)
        for in_cents in ((True,) if column.is_cents else (False, True))
        for paid_in_cents in ((True,) if beside.amount_is_cents else (False, True))
        if is_named or not (in_cents and paid_in_cents)  # both in cents are compared like both in whole units
    ]
    for (per, every), (in_cents, paid_in_cents), seat in product(units, cents, seat_choices):
        yield PriceReading(column, per, seat, every, in_cents, paid_in_cents)


def match_price(billing: Billing) -> PriceMatch:
    """The reading of the price that the names and the payments give."""
    columns = price_columns(billing.export)
    if not columns:
        return PriceMatch(Confidence.UNSURE, reason="no column has a name for a price")
    beside = _beside(billing)
    readings = [each for column in columns for each in _readings(billing, column, beside)]
    if not all(billing.matches[column].is_mapped for column in ("customer_id", "start_date")):
        return PriceMatch(Confidence.UNSURE, tuple(readings), "customer_id or start_date is not known yet")
    rows = subscription_rows(billing, columns, beside.seats, beside.every)
    if billing.can_compare:
        readings = compare(billing, rows, columns, readings)
    match = _choose(billing, rows, columns, readings)
    first = match.readings[0] if match.readings else None
    if (
        not first
        or first.price_in_cents
        or first.amount_in_cents
        or not may_be_cents(billing.export, first.column.header)
    ):
        return match
    return replace(match, may_be_cents=not (first.agrees and _are_payments_in_units(billing)))


def _are_payments_in_units(billing: Billing) -> bool:
    """Whether the amounts of the payments cannot be cents."""
    amount = billing.payment_matches["amount"].header if billing.payment_matches else None
    return bool(billing.payments and amount and not may_be_cents(billing.payments, amount))


def _choose(
    billing: Billing, rows: ir.Table, columns: Sequence[PriceColumn], readings: Sequence[PriceReading]
) -> PriceMatch:
    """The proposal among the readings, which are in the order in which their names speak for them."""
    if agreeing := [each for each in readings if each.agrees]:
        return _by_payments(rows, columns, readings, agreeing)
    named = [each for each in readings if each.column.unit == each.per and each.is_as_named and not each.seats]
    months = [each for each in named if each.per == "month"] or named
    if len({each.column.header for each in months}) == 1 and not any(each.is_refuted for each in months):
        first = months[0]
        is_certain = first.per == "month" and first.agreement is None
        return PriceMatch(
            Confidence.CERTAIN if is_certain else Confidence.LIKELY,
            _first(first, readings),
            f"as its name says; {first.evidence}",
        )
    if any(each.agreement is not None for each in readings):
        return PriceMatch(Confidence.UNSURE, tuple(readings), "payments agree with no reading of it")
    return _by_plans(billing, rows, columns, readings)


def _first(reading: PriceReading, readings: Sequence[PriceReading]) -> tuple[PriceReading, ...]:
    return (reading, *(each for each in readings if each is not reading))


def _by_payments(
    rows: ir.Table, columns: Sequence[PriceColumn], readings: Sequence[PriceReading], agreeing: Sequence[PriceReading]
) -> PriceMatch:
    """The reading that payments agree with, if they agree with no other one, and if its name does not contradict it."""
    first = next((each for each in agreeing if each.is_as_named), agreeing[0])
    ordered = _first(first, readings)
    if not first.is_as_named and not any(
        _give_equal_prices(rows, columns, first, each) for each in readings if each.is_as_named
    ):
        reason = f"its name says something else than the payments, which agree with {first.words}"
        return PriceMatch(Confidence.UNSURE, ordered, reason)
    rivals = [each for each in agreeing if each is not first and not _give_equal_prices(rows, columns, first, each)]
    exact = [each for each in agreeing if each.exact >= MOSTLY]
    if (
        rivals
        and 0 < len(exact) < len(agreeing)
        and all(each.exact <= HARDLY for each in agreeing if each not in exact)
    ):
        return _by_payments(rows, columns, readings, exact)
    if [each for each in rivals if not _is_better_named(first, each)]:
        return PriceMatch(Confidence.UNSURE, ordered, "payments agree with several readings of it")
    is_named = first.column.unit is not None and first.seats is None
    return PriceMatch(Confidence.CERTAIN if is_named else Confidence.LIKELY, ordered, first.evidence)


def _is_better_named(one: PriceReading, other: PriceReading) -> bool:
    """Whether the name of one says its time, and that of the other, another column, does not."""
    return one.column.header != other.column.header and one.column.unit is not None and other.column.unit is None


def _give_equal_prices(rows: ir.Table, columns: Sequence[PriceColumn], one: PriceReading, other: PriceReading) -> bool:
    """Whether two readings give the same monthly prices in every row, to the cent."""
    if (one.price_in_cents, one.amount_in_cents) != (other.price_in_cents, other.amount_in_cents):
        return False
    prices = (
        priced(rows, columns, (one, other))
        .group_by("row_id", "start_date")
        .aggregate(differs=_.monthly_price.max() - _.monthly_price.min() > 0.005)
    )
    return not bool(rows_of(prices.aggregate(differs=_.differs.any().fill_null(False)))[0]["differs"])


def _by_plans(
    billing: Billing, rows: ir.Table, columns: Sequence[PriceColumn], readings: Sequence[PriceReading]
) -> PriceMatch:
    """Without payments: whether a plan that is sold per month and per year costs about ten times as much per year."""
    unsure = PriceMatch(Confidence.UNSURE, tuple(readings), "the name does not say for which time the price is")
    beside = _beside(billing)
    has_seats = bool(beside.seats or beside.every)
    if len(columns) > 1 or has_seats or not billing.cycle or not billing.matches["plan"].is_mapped:
        return unsure
    cycle = next(each for each in readings if each.per == "billing_cycle" and not each.amount_in_cents)
    rows = rows.mutate(price=_.price_0)
    plans = rows.group_by("plan").aggregate(
        month=_.price.median(where=_.billing_cycle == "Monthly"), year=_.price.median(where=_.billing_cycle == "Annual")
    )
    ratios = [row["year"] / row["month"] for row in rows_of(plans) if row["month"] and row["year"]]
    if ratios and all(PLAN_RATIO[0] <= ratio <= PLAN_RATIO[1] for ratio in ratios):
        rest = tuple(each for each in readings if each is not cycle)
        reason = f"a year of {len(ratios)} plans costs {min(ratios):.0f} to {max(ratios):.0f} times a month"
        return PriceMatch(Confidence.LIKELY, (cycle, *rest), reason)
    return unsure
