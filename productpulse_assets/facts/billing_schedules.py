"""When each subscription is billed and paid, taken from its payments.

Companies bill on the anniversary of the start, on one day of the month for everybody, or with payment terms. The
exports have no invoices, so the payments decide: the day on which most of them are made.
"""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.facts.billing import day_of, days_since_billing_day, next_billing_day, whole_months
from productpulse_assets.facts.calendar import as_of_day
from productpulse_assets.facts.payment_periods import with_period
from productpulse_assets.joins import left_join_unique
from productpulse_assets.tables import table
from rules.units import days_later, months_later

ON_TIME_DAYS = 3
"""A payment up to this many days after a billing date is made on it: weekends, and the days that a bank takes."""

PRORATION_DAYS = 2
"""Systems count the days of a part of a month differently: up to this many days of the price are no difference."""

PROMPT_DAYS = 14
"""A customer whose first payment comes later than this after the start pays later than on the day, as with terms."""

PROOF_PAYMENTS, PROOF_RATE = 3, 0.75
"""This number of full payments shows how a customer pays: on the billing day, if this part of them is made on it."""

SOME_RATE = 0.05
"""Where more than this part of the customers of a company are shown to pay later, a new one may do so too."""

MONTH_DAYS = 30
CENTS = 0.02
FULL_RATE, LARGEST_RATE = 0.99, 2.0
"""A payment from this to that part of the full amount is one of a full bill; larger ones pay several bills ahead."""

ENOUGH_PAYMENTS = 2
FIRST_DAY = 1
CANDIDATES = ("start", "line", "first", "before", "usual")
"""The days of the month that bills may fall on, the first of equally frequent ones wins: that of the period's start, of
the line's start, the first of the month, the day before the start's (30 days after it), the most frequent one."""


@table(group="facts", owner="team:finance", key=("subscription_id",))
def billing_schedules(contract_lines: ir.Table, transactions: ir.Table, calendar: ir.Table) -> ir.Table:
    """One row per paid subscription period whose billing cycle is known: when it is billed and paid.

    Full billing periods begin on first_full_date and every `cycle` months after it; the days before it are billed
    as a part. pay_day is the day of the month on which the bills are usually paid, where that is later than the
    billing date; pay_lag the same in days, for a period without enough payments of its own in a company
    whose customers pay later. is_paid_later is whether the line's first payment came long after its start, as with
    payment terms; shows_terms whether its payments prove it, or it is new in a company where some customers do so.
    Before former_price_until every payment was of former_amount: the
    price is known from that date on only.
    """
    day = as_of_day(calendar).select("as_of_date")
    past = transactions.cross_join(day).filter(_.transaction_date <= _.as_of_date, _.status != "Refunded")
    past = past.pipe(with_period, contract_lines)
    lines = contract_lines.filter(_.cycle.notnull())
    table = lines.pipe(left_join_unique, payment_days(lines, past), "subscription_id")
    paid = past.filter(past.status == "Success")
    table = table.pipe(left_join_unique, first_payments(lines, paid), "subscription_id")
    first = past.group_by("subscription_id").aggregate(first_attempt=past.transaction_date.min())
    table = table.pipe(left_join_unique, first, "subscription_id")
    return table.pipe(with_own_day).pipe(with_payment_proof).pipe(with_company_habit).pipe(with_dates).select(*COLUMNS)


COLUMNS = (
    "subscription_id", "customer_id", "contract_line", "currency", "start_date", "end_date", "monthly_price", "cycle",
    "is_replaced", "is_mid_cycle", "first_full_date", "pay_day", "pay_lag", "is_paid_later", "shows_terms",
    "former_price_until", "former_amount",
)  # fmt: skip


def payment_days(lines: ir.Table, payments: ir.Table) -> ir.Table:
    """By subscription: its number of full payments, and how many are on time for each candidate of a billing day.

    Failed attempts are among them: they show the billing day as well.
    """
    known = lines.select("subscription_id", "start_date", "line_start", "cycle", "monthly_price")
    paid = payments.select("subscription_id", "transaction_date", "amount").join(known, "subscription_id")
    bills_paid = paid.amount.cast("float64") / (paid.monthly_price * paid.cycle).cast("float64")
    paid = paid.filter(bills_paid.between(FULL_RATE, LARGEST_RATE), paid.transaction_date >= paid.start_date)
    days = paid.select("subscription_id", day=day_of(paid.transaction_date))
    counted = days.group_by("subscription_id", "day").aggregate(payments=_.count())
    order = ibis.struct({"payments": counted.payments, "early": -counted.day})
    usual = counted.group_by("subscription_id").aggregate(usual_day=counted.day.argmax(order))
    table = paid.join(usual, "subscription_id")
    late = {
        "start": days_since_bill(table.transaction_date, table.start_date, table.cycle),
        "line": days_since_billing_day(table.transaction_date, day_of(table.line_start)),
        "first": days_since_billing_day(table.transaction_date, ibis.literal(FIRST_DAY, "int64")),
        "before": days_since_billing_day(table.transaction_date, day_before(table.start_date)),
        "usual": days_since_billing_day(table.transaction_date, table.usual_day),
    }
    of_line = days_since_bill(table.transaction_date, table.line_start, table.cycle)
    return table.group_by("subscription_id").aggregate(
        usual_day=table.usual_day.max(),
        full_payments=table.count(),
        line_bill_hits=(of_line <= ON_TIME_DAYS).sum(),
        **{f"{name}_hits": (days <= ON_TIME_DAYS).sum() for name, days in late.items()},
    )


def days_since_bill(date: ir.DateValue, start: ir.DateValue, cycle: ir.IntegerValue) -> ir.IntegerValue:
    """Days since the last billing date of a subscription that is billed every `cycle` months from `start` on."""
    months = whole_months(start, date)
    return date.delta(months_later(start, months - months % cycle), unit="day")


def day_before(date: ir.DateValue) -> ir.IntegerValue:
    """The day of the month before that of a date; 30 days after a billing date, a bill is paid on it."""
    return ibis.ifelse(date.day() == 1, 31, date.day() - 1).cast("int64")


def first_payments(lines: ir.Table, payments: ir.Table) -> ir.Table:
    """By subscription: its first payment, and the one other amount that it paid before its first full payment."""
    known = lines.select("subscription_id", "monthly_price", "cycle")
    paid = payments.select("subscription_id", "transaction_id", "transaction_date", "amount")
    table = paid.join(known, "subscription_id")
    is_full = table.amount.cast("float64") >= (table.monthly_price * table.cycle).cast("float64") * FULL_RATE
    first_full = table.transaction_date.min(where=is_full).over(group_by=table.subscription_id)
    table = table.mutate(first_full=first_full)
    is_earlier = table.transaction_date < table.first_full
    order = ibis.struct({"day": table.transaction_date, "id": table.transaction_id})
    found = table.group_by("subscription_id").aggregate(
        first_amount=table.amount.argmin(order),
        first_payment=table.transaction_date.min(),
        former_price_until=table.first_full.max(),
        former_amount=table.amount.min(where=is_earlier),
        former_largest=table.amount.max(where=is_earlier),
        former_payments=is_earlier.sum(),
    )
    is_steady = (found.former_amount == found.former_largest) & (found.former_payments >= ENOUGH_PAYMENTS)
    return found.mutate(
        former_price_until=ibis.ifelse(is_steady, found.former_price_until, ibis.null("date")),
        former_amount=ibis.ifelse(is_steady, found.former_amount, ibis.null(found.former_amount.type())),
    ).drop("former_largest", "former_payments")


def with_own_day(table: ir.Table) -> ir.Table:
    """Add what the payments of the period itself show.

    moved_day is the day of the month on which most of them are made, where it is not the start's; part_day the
    billing day up to which the first days were billed as a part.
    """
    known = table.mutate(
        **{f"{name}_hits": table[f"{name}_hits"].fill_null(0) for name in CANDIDATES},
        full_payments=table.full_payments.fill_null(0),
        start_day=day_of(table.start_date),
        line_day=day_of(table.line_start),
    )
    best = known.mutate(best=ibis.greatest(*(known[f"{name}_hits"] for name in CANDIDATES)))
    day = ibis.cases(
        (best.start_hits == best.best, ibis.null("int64")),
        (best.line_hits == best.best, best.line_day),
        (best.first_hits == best.best, ibis.literal(FIRST_DAY, "int64")),
        (best.before_hits == best.best, day_before(best.start_date)),
        else_=best.usual_day,
    )
    of_line = ibis.ifelse(best.first_hits > best.line_hits, ibis.literal(FIRST_DAY, "int64"), best.line_day)
    enough = best.best >= ENOUGH_PAYMENTS
    moved = best.mutate(
        moved_day=ibis.cases(
            (best.is_mid_cycle & ~pays_own_cycle(best), of_line),
            (~best.is_mid_cycle & enough, day),
            else_=ibis.null("int64"),
        ),
        is_decided=best.full_payments >= ibis.ifelse(best.is_mid_cycle, 1, ENOUGH_PAYMENTS),
        is_first_possible=(best.first_hits > 0) & (best.first_hits >= best.start_hits) & (best.start_day != FIRST_DAY),
    )
    on_first = ibis.ifelse(moved.is_first_possible & (moved.full_payments > 0), FIRST_DAY, ibis.null("int64"))
    tried = moved.mutate(tried_day=ibis.coalesce(moved.moved_day, on_first.cast("int64")))
    part = first_part(tried, tried.tried_day, PRORATION_DAYS)
    # Who has made no full payment so far may have paid the days up to the first of the next month.
    is_new = (tried.full_payments == 0) & ~tried.is_mid_cycle
    exact = first_part(tried, ibis.literal(FIRST_DAY, "int64"), 0)
    none = ibis.null("int64")
    return tried.mutate(
        part_day=ibis.ifelse(part, tried.tried_day, none), new_part_day=ibis.ifelse(is_new & exact, FIRST_DAY, none)
    )


def pays_own_cycle(table: ir.Table) -> ir.BooleanValue:
    """Whether a period that begins between two billing dates of its line begins a cycle of its own.

    Its first payment is then larger than the price of the days up to the next billing date of the line.
    """
    elapsed = whole_months(table.line_start, table.start_date)
    before = months_later(table.line_start, elapsed - elapsed % table.cycle)
    after = months_later(table.line_start, elapsed - elapsed % table.cycle + table.cycle)
    rest = after.delta(table.start_date, unit="day").cast("float64") / after.delta(before, unit="day").cast("float64")
    most = (table.monthly_price * table.cycle).cast("float64") * rest
    tolerance = table.monthly_price.cast("float64") * PRORATION_DAYS / MONTH_DAYS
    is_at_change = (table.first_payment <= days_later(table.start_date, ON_TIME_DAYS)) & (table.first_payment < after)
    return (is_at_change & (table.first_amount.cast("float64") > most + tolerance)).fill_null(False)


def first_part(table: ir.Table, day: ir.IntegerValue, tolerance_days: int) -> ir.BooleanValue:
    """Whether the first payment is the price of the days up to the first billing date on that day of the month.

    It may differ by the price of `tolerance_days`, and by a cent or two.
    """
    first_date = next_billing_day(days_later(table.start_date, 1), day)
    days = first_date.delta(table.start_date, unit="day").cast("float64")
    month = first_date.delta(months_later(first_date, ibis.literal(-1)), unit="day").cast("float64")
    price, amount = table.monthly_price.cast("float64"), table.first_amount.cast("float64")
    is_near = (amount - price * days / month).abs() <= price * tolerance_days / MONTH_DAYS + CENTS
    is_early = table.first_payment < days_later(first_date, ON_TIME_DAYS)
    return (is_near & is_early & (amount < price * FULL_RATE) & (day != table.start_day)).fill_null(False)


def with_company_habit(table: ir.Table) -> ir.Table:
    """Add company_day and company_lag: how most of the company's subscriptions with enough payments are billed.

    company_day is the billing day that most of them have in common, company_lag the days after the billing
    date on which most of them are paid; NULL where most are billed and paid on the day of their start.
    """
    counts = table.is_decided & ~table.is_mid_cycle
    is_calendar = counts & table.part_day.notnull()
    lag = next_billing_day(table.start_date, table.moved_day).delta(table.start_date, unit="day")
    waits = table.first_attempt.delta(table.start_date, unit="day") > PROMPT_DAYS
    # Whose first payment was prompt pays before the billing day, not a month after the one before.
    is_later = counts & table.part_day.isnull() & table.moved_day.notnull() & waits
    is_known = table.is_known & ~table.is_mid_cycle
    company = table.aggregate(
        subscriptions=counts.sum(),
        elsewhere=(counts & (table.start_day != FIRST_DAY)).sum(),
        calendar=is_calendar.sum(),
        later=is_later.sum(),
        prompt=(~waits).sum(),
        late=waits.sum(),
        known=is_known.sum(),
        shown_late=(is_known & waits & ~table.is_on_day).sum(),
        day=table.part_day.quantile(0.5, where=is_calendar).cast("int64"),
        lag=lag.quantile(0.5, where=is_later).cast("int64"),
    )
    has_day = (company.calendar >= ENOUGH_PAYMENTS) & (company.calendar * 2 >= company.elsewhere)
    has_lag = (company.later >= ENOUGH_PAYMENTS) & (company.later * 2 >= company.subscriptions)
    habit = company.select(
        most_wait=company.late > company.prompt,
        some_wait=(company.shown_late >= ENOUGH_PAYMENTS) & (company.shown_late > company.known * SOME_RATE),
        some_parts=company.calendar >= ENOUGH_PAYMENTS,
        company_day=ibis.ifelse(has_day, company.day, ibis.null("int64")),
        company_lag=ibis.ifelse(has_lag & ~has_day, company.lag, ibis.null("int64")),
    )
    joined = table.cross_join(habit)
    new_part_day = ibis.ifelse(joined.some_parts, joined.new_part_day, ibis.null("int64"))
    return joined.mutate(part_day=ibis.coalesce(joined.part_day, new_part_day))


def with_payment_proof(table: ir.Table) -> ir.Table:
    """Add is_known, whether payments enough show how the line pays, and is_on_day, whether on its billing days."""
    line = ibis.window(group_by=table.contract_line)
    payments = table.full_payments.sum().over(line)
    first_hits = ibis.ifelse(table.cycle == 1, table.first_hits, 0)
    on_day = ibis.greatest(table.start_hits, table.line_bill_hits, first_hits).sum().over(line)
    return table.mutate(is_known=payments >= PROOF_PAYMENTS, is_on_day=on_day >= payments * PROOF_RATE)


def with_dates(table: ir.Table) -> ir.Table:
    """Turn what the payments show into first_full_date, pay_day and pay_lag."""
    may_join = table.moved_day.notnull() | ~table.is_decided | table.is_first_possible
    joins_company = may_join & (table.company_day != table.start_day)
    joins_line = table.is_mid_cycle & (table.moved_day == table.line_day)
    day = ibis.cases(
        (table.part_day.notnull(), table.part_day),
        (joins_company.fill_null(False), table.company_day),
        (table.is_mid_cycle, table.moved_day),
        else_=ibis.null("int64"),
    )
    chosen = table.mutate(grid_day=day, joins_line=joins_line.fill_null(False) & ~joins_company.fill_null(False))
    elapsed = whole_months(chosen.line_start, chosen.start_date)
    of_line = months_later(chosen.line_start, elapsed - elapsed % chosen.cycle + chosen.cycle)
    of_day = next_billing_day(days_later(chosen.start_date, 1), chosen.grid_day)
    first_full = ibis.cases(
        (chosen.joins_line, of_line),
        (chosen.grid_day.notnull() & (chosen.grid_day != chosen.start_day), of_day),
        else_=chosen.start_date,
    )
    is_own = chosen.grid_day.isnull() & ~chosen.joins_line
    first_in_line = chosen.first_attempt.min().over(group_by=chosen.contract_line)
    waited = first_in_line.delta(chosen.line_start, unit="day") > PROMPT_DAYS
    shows = ibis.ifelse(chosen.is_known, waited & ~chosen.is_on_day, waited.fill_null(True) & chosen.some_wait)
    return chosen.mutate(
        is_paid_later=ibis.coalesce(waited, chosen.most_wait, False),
        shows_terms=shows.fill_null(False),
        first_full_date=first_full,
        pay_day=ibis.ifelse(is_own, chosen.moved_day, ibis.null("int64")),
        pay_lag=ibis.ifelse(is_own & ~chosen.is_decided, chosen.company_lag, ibis.null("int64")),
    )
