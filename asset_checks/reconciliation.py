"""Whether payments and prices are in the same unit: the collected amounts, compared with price x months."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg
import ibis
import ibis.expr.types as ir
from ibis import _

from asset_checks.checks import Check
from asset_checks.contracts import CYCLE_MONTHS
from resources.tables import rows_of
from rules.models import Reconciliation
from rules.rule_set import Rules

DAYS_OF_MONTH = 365.25 / 12
SHORTEST = 1.9
"""Months between a customer's first and last payment that are enough to see their spacing: two months of 28 days."""
SINGLE_AGE = 75
"""Days after which a customer's only payment was not the first of monthly payments."""
WHOLE = 0.02
"""The largest distance of payment / price from a whole number; taxes and discounts give larger distances."""


@dataclass(frozen=True)
class Factor:
    """A ratio of payments to prices that occurs when one of the two is in another unit.

    value: the ratio; 0 for any whole number from two on.
    ratio_words: the ratio in the sentence of the warning.
    is_wide: so far from 1 that a single payment shows it, for any number of months.
    tolerance: a share of `value`; None for the tolerance of the rules.
    """

    name: str
    value: float
    ratio_words: str
    cause: str
    remedy: str
    is_wide: bool = False
    tolerance: float | None = None


PRICES, AMOUNTS = "a `query` for subscriptions in sources.yaml", "a `query` for transactions in sources.yaml"
POINT = "a point for thousands may have been read as a decimal point"
THOUSANDS = "Set number_format: '1.234,50' in sources.yaml."
FACTORS = (
    Factor("cents_paid", 100, "100 times", "amount may be in cents", f"Divide amount by 100 in {AMOUNTS}.", True),
    Factor(
        "cents_priced", 1 / 100, "1/100 of", "monthly_price may be in cents",
        f"Divide monthly_price by 100 in {PRICES}.", True,
    ),
    Factor(
        "thousands_priced", 1000, "1,000 times", f"in monthly_price {POINT}", THOUSANDS, True
    ),
    Factor("thousands_paid", 1 / 1000, "1/1000 of", f"in amount {POINT}", THOUSANDS, True),
    Factor(
        "twelfths", 12, "12 times", "monthly_price may be a price per month that was divided by 12",
        f"Look for that division in {PRICES}.",
    ),
    Factor(
        "yearly", 1 / 12, "1/12 of", "monthly_price may be a price per year",
        f"Divide monthly_price by 12 in {PRICES}.",
    ),
    Factor(
        "quarterly", 1 / 3, "1/3 of", "monthly_price may be a price per quarter",
        f"Divide monthly_price by 3 in {PRICES}.", tolerance=0.05,
    ),
    Factor(
        "units", 0, "a whole multiple (about {multiple:.0f} times) of", "monthly_price may be a price per seat or unit",
        f"Multiply monthly_price by the quantity in {PRICES}.",
    ),
)  # fmt: skip
"""Tried in this order. The last one differs by customer: every payment is a whole multiple of the price."""


def payments_of_periods(transactions: ir.Table, subscriptions: ir.Table) -> ir.Table:
    """One row per successful payment within the period that it pays for: day, amount, price, cycle (in months).

    Payments before or after their period, for example after a move to another billing system, are left out: their
    price is unknown.
    """
    branches = [(_.billing_cycle == name, months) for name, months in CYCLE_MONTHS.items()]
    periods = paying_periods(subscriptions).select(
        "subscription_id", "start", "end", price="monthly_price", cycle=ibis.cases(*branches, else_=0)
    )
    paid = transactions.filter(_.status == "Success", _.amount > 0)
    paid = paid.select("customer_id", "subscription_id", "amount", day="transaction_date")
    return paid.join(periods, "subscription_id").filter(_.day >= _.start, _.day < _.end)


def paying_periods(subscriptions: ir.Table) -> ir.Table:
    """Paid subscriptions, with the price as a float; `end` is far in the future where a subscription has none."""
    paid = subscriptions.filter(_.status != "Trial", _.monthly_price > 0)
    return paid.mutate(
        start=_.start_date,
        end=_.end_date.fill_null(ibis.date(9999, 12, 31)),
        monthly_price=_.monthly_price.cast("float64"),
    )


def customer_ratios(transactions: ir.Table, subscriptions: ir.Table) -> ir.Table:
    """One row per customer with payments: cycle, ratio of collected amounts to price x months, is_spaced, whole_rate.

    The last payment pays for months after it, or, in arrears, the first one for months before it. So all payments
    except the last are compared with the months from the first to the last payment: this is right for any billing
    cycle, for payments in advance, in arrears or late, and wherever the history begins. is_spaced means that those
    months cover the billing cycle. With fewer months, the first payment is compared with one bill, and is_spaced
    means that no other payment followed for so long that the first was not an instalment.
    whole_rate is the share of payments that are a whole multiple of the price, two or more.
    """
    payments = payments_of_periods(transactions, subscriptions).mutate(amount=_.amount.cast("float64"))
    times = payments.amount / payments.price
    is_whole = (times >= 2 - WHOLE) & ((times - times.round()).abs() <= WHOLE)
    days = payments.group_by("customer_id", "day").aggregate(
        amount=_.amount.sum(), cycle=_.cycle.max(), payments=_.count(), whole=is_whole.sum()
    )
    customers = days.group_by("customer_id").aggregate(
        first=_.day.min(),
        last=_.day.max(),
        cycle=_.cycle.max(),
        first_paid=_.amount.argmin(_.day),
        before_last=_.amount.sum() - _.amount.argmax(_.day),
        whole_rate=_.whole.sum() / _.payments.sum(),
    )
    return customers.join(prices_paid_for(customers, subscriptions), "customer_id").pipe(with_ratio, payments.day.max())


def prices_paid_for(customers: ir.Table, subscriptions: ir.Table) -> ir.Table:
    """Per customer: price x months from the first to the last payment, and the price per month on the first."""
    span = customers.select("customer_id", "first", "last")
    held = span.join(paying_periods(subscriptions), "customer_id")
    days = ibis.least(held.end, held["last"]).delta(ibis.greatest(held.start, held["first"]), unit="day")
    runs_first = (held.start <= held["first"]) & (held.end > held["first"])
    return held.group_by("customer_id").aggregate(
        expected=(held.monthly_price * ibis.greatest(days, 0) / DAYS_OF_MONTH).sum(),
        first_price=held.monthly_price.sum(where=runs_first),
    )


def with_ratio(customers: ir.Table, newest: ir.DateScalar) -> ir.Table:
    """The ratio of each customer; `newest` is the day of the newest payment of all customers."""
    span = customers["last"].delta(customers["first"], unit="day")
    is_long = span >= ibis.greatest(customers.cycle - 0.1, SHORTEST) * DAYS_OF_MONTH
    age = newest.as_scalar().delta(customers["first"], unit="day")
    is_single = (span == 0) & (customers.cycle > 1) & (age >= SINGLE_AGE)
    bill = customers.first_price * ibis.greatest(customers.cycle, 1)
    return customers.select(
        "customer_id",
        "cycle",
        "whole_rate",
        is_spaced=is_long | is_single,
        ratio=ibis.ifelse(is_long, customers.before_last / customers.expected.nullif(0), customers.first_paid / bill),
    )


def shows(factor: Factor, ratios: ir.Table, rules: Reconciliation) -> ir.BooleanValue:
    """Whether each customer's ratio shows the factor."""
    if not factor.value:
        return ratios.is_spaced & (ratios.ratio >= SHORTEST) & (ratios.whole_rate >= rules.most_customers_rate)
    tolerance = factor.tolerance or rules.tolerance
    is_near = ratios.ratio.between(factor.value * (1 - tolerance), factor.value * (1 + tolerance))
    return is_near if factor.is_wide else is_near & ratios.is_spaced


def tallies(transactions: ir.Table, subscriptions: ir.Table, rules: Reconciliation) -> ir.Table:
    """One row per billing cycle: the numbers of customers, of spaced ones, and of those that show each factor."""
    ratios = customer_ratios(transactions, subscriptions).filter(_.ratio.notnull())
    return ratios.group_by("cycle").aggregate(
        customers=_.count(),
        spaced=_.is_spaced.sum(),
        multiple=_.ratio.median(where=_.is_spaced),
        **{factor.name: shows(factor, ratios, rules).sum() for factor in FACTORS},
    )


def findings(rows: list[dict[str, Any]], rules: Reconciliation) -> list[str]:
    """A sentence for each factor that most customers of a billing cycle show, of the rows of `tallies`."""
    found: dict[Factor, list[tuple[dict[str, Any], int]]] = {}
    for row in sorted(rows, key=lambda row: row["cycle"]):
        for factor in FACTORS:
            judged = row["customers"] if factor.is_wide else row["spaced"]
            if row[factor.name] >= max(rules.fewest_customers, rules.most_customers_rate * judged):
                found.setdefault(factor, []).append((row, judged))
                break
    return [sentence(factor, groups) for factor, groups in found.items()]


def sentence(factor: Factor, groups: list[tuple[dict[str, Any], int]]) -> str:
    """The ratio, the number of customers that show it, its likely cause and the remedy."""
    names = {months: name for name, months in CYCLE_MONTHS.items()} | {0: "without a known cycle"}
    cycles = ", ".join(names[row["cycle"]] for row, _judged in groups)
    shown, judged = sum(row[factor.name] for row, _judged in groups), sum(judged for _row, judged in groups)
    times = factor.ratio_words.format(multiple=max(row["multiple"] or 0 for row, _judged in groups))
    return (
        f"transactions: the collected amount is {times} monthly_price x months for {shown:,} of {judged:,} customers "
        f"compared (billing: {cycles}): {factor.cause}. {factor.remedy}"
    )


def reconciliation_check(rules: Rules) -> Check:
    """A warning if most customers pay a multiple of their prices: amounts or prices are in another unit."""

    def evaluate(transactions: ir.Table, subscriptions: ir.Table) -> Iterator[dg.AssetCheckResult]:
        yield reconciliation_result(transactions, subscriptions, rules.data_quality.reconciliation)

    spec = dg.AssetCheckSpec(
        "collected_agrees_with_prices",
        asset="transactions",
        description="The collected amounts are not a multiple, such as 12 or 100, of monthly_price x months.",
        additional_deps=["subscriptions"],
    )
    return Check((spec,), ("transactions", "subscriptions"), evaluate)


def reconciliation_result(
    transactions: ir.Table, subscriptions: ir.Table, rules: Reconciliation
) -> dg.AssetCheckResult:
    """Whether payments and prices are in the same unit, for the customers whose payments can be compared."""
    rows = rows_of(tallies(transactions, subscriptions, rules))
    problems, judged = findings(rows, rules), sum(row["spaced"] for row in rows)
    return dg.AssetCheckResult(
        asset_key="transactions",
        check_name="collected_agrees_with_prices",
        passed=not problems,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(problems)
        or f"Payments and prices are in the same unit, as the payments of {judged:,} customers show.",
        metadata={"customers_compared": judged},
    )
