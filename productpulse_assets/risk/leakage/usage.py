"""Leakage of customers who go on using the product without paying."""

import ibis
import ibis.expr.types as ir

from productpulse_assets.risk.leakage.cases import Books, age, as_cases, counted
from rules.leakage_rules import LeakageRules
from rules.units import MONEY
from rules.windows import active_on


def active_usage_without_billing(books: Books, rules: LeakageRules) -> ir.Table:
    """Customers who log in after the end of their last paid period; the loss is its monthly price."""
    rule = rules.detectors.active_usage_without_billing
    lapsed = _lapsed(books, rule.unbilled_days)
    usage = books.product_usage.filter(books.product_usage.logins > 0).select("date", "logins", user="customer_id")
    used = lapsed.join(usage, [lapsed.customer_id == usage.user, usage.date >= lapsed.period_start])
    used = used.filter(age(used, "date") >= 0, age(used, "date") < rule.login_days)
    found = used.group_by("customer_id", "subscription_id", "period_start", "as_of_date", "monthly_price").aggregate(
        logins=used.logins.sum(), first_date=used.date.min(), last_date=used.date.max()
    )
    described = found.mutate(
        period_end=found.as_of_date,
        price=found.monthly_price,
        estimated_revenue_loss=found.monthly_price,
        transaction_count=ibis.literal(0, "int64"),
        times=counted(found.logins, "login"),
    )
    return as_cases(
        described,
        {
            "logins": found.logins,
            "first_login": found.first_date,
            "last_login": found.last_date,
            "paid_until": found.period_start,
            "monthly_price": found.monthly_price,
            "login_days": ibis.literal(rule.login_days),
            "unbilled_days": ibis.literal(rule.unbilled_days),
        },
        "{times} from {first_date} to {last_date}, though the last paid period, at {{price}} a month, "
        "ended on {period_start}.",
    )


def _lapsed(books: Books, unbilled_days: int) -> ir.Table:
    """Customers with no period on the as-of date whose last paying one ended some time ago, as period_start.

    Of several that ended last the dearest, then the last by id, stands for them.
    """
    periods = books.up_to_day(books.subscriptions, "start_date")
    is_paying = (periods.status != "Trial") & (periods.monthly_price > 0)
    last = ibis.struct(
        {"end": periods.end_date, "price": periods.monthly_price, "subscription_id": periods.subscription_id}
    )
    customers = periods.group_by("customer_id", "as_of_date").aggregate(
        is_active=active_on(periods, periods.as_of_date).any(),
        subscription_id=periods.subscription_id.argmax(last, where=is_paying),
        monthly_price=periods.monthly_price.argmax(last, where=is_paying).cast(MONEY),
        period_start=periods.end_date.max(where=is_paying),
    )
    return customers.filter(~customers.is_active & (age(customers, "period_start") >= unbilled_days))
