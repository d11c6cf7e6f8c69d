"""What each customer owes, computed row by row from the subscriptions of a simulated company.

Plain Python and pandas, without any code of the simulator: a second way to compute the same amounts.
"""

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal

import pandas as pd

MONTHS = {"Monthly": 1, "Quarterly": 3, "Annual": 12}
CENT = Decimal("0.01")
EUR_RATE = Decimal("1.08")


def month_later(day, months):
    """The same day of the month, some months later."""
    month = day.year * 12 + day.month - 1 + months
    return dt.date(month // 12, month % 12 + 1, day.day)


def paid_rows(subscriptions):
    """The rows that are billed, with `anchor`: the first day of the chain of rows that replace each other."""
    rows = subscriptions[subscriptions.status != "Trial"].copy()
    anchors, open_chains = {}, {}
    for row in rows.sort_values(["customer_id", "start_date", "subscription_id"]).itertuples():
        chains = open_chains.setdefault(row.customer_id, {})
        anchor = chains.pop(row.start_date, row.start_date)
        anchors[row.subscription_id] = anchor
        if not pd.isna(row.end_date):
            chains[row.end_date] = anchor
    return rows.assign(anchor=rows.subscription_id.map(anchors))


def due_bills(company, as_of, style):
    """One row per billing period that has begun: customer_id, subscription_id, start, end, due, full (of a whole cycle)."""
    bills = []
    for row in paid_rows(company.datasets["subscriptions"].to_pandas()).itertuples():
        months = MONTHS[row.billing_cycle]
        begin = row.anchor.replace(day=1) if style == "calendar" else row.anchor
        last = as_of if pd.isna(row.end_date) else min(as_of, row.end_date - dt.timedelta(1))
        while begin <= last:
            finish = month_later(begin, months)
            start = max(begin, row.start_date)
            end = finish if pd.isna(row.end_date) else min(finish, row.end_date)
            if start < end:
                full = row.monthly_price * months
                due = (full * (end - start).days / (finish - begin).days).quantize(CENT, ROUND_HALF_UP)
                bills.append((row.customer_id, row.subscription_id, start, end, due, full))
            begin = finish
    return pd.DataFrame(bills, columns=["customer_id", "subscription_id", "start", "end", "due", "full"])


def payments(company, status="Success"):
    """The transactions with a status."""
    rows = company.datasets["transactions"].to_pandas()
    return rows[rows.status == status]


def in_dollars(rows, column, company):
    """A money column in US dollars; without a currency of its own, a row has that of its subscription."""
    subscriptions = company.datasets["subscriptions"].to_pandas()
    if "currency" not in subscriptions.columns:
        return rows[column]
    currency = rows.subscription_id.map(subscriptions.set_index("subscription_id").currency)
    return rows[column].where(currency == "USD", rows[column] * EUR_RATE)
