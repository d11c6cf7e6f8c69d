"""Which billing style each customer has, and what the style fixes about the customer."""

from dataclasses import replace
from enum import IntEnum

import numpy as np
import pyarrow as pa

from productpulse_assets.synthetic import settings
from productpulse_assets.synthetic.columns import labels
from productpulse_assets.synthetic.customers import Customers
from productpulse_assets.synthetic.settings import BILLING_STYLES, CompanyPlan


class Style(IntEnum):
    """The positions of the billing styles in the settings."""

    ANNIVERSARY = 0
    CALENDAR = 1
    NET_30 = 2
    ANNUAL_INVOICES = 3
    UNUSED_TIME_CREDIT = 4
    SINGLE_INVOICE = 5
    RETRIES = 6
    SEAT_CHANGES = 7
    REFUND_REBILL = 8
    PREPAID = 9
    TWO_CURRENCIES = 10
    MIGRATION = 11


def draw_styles(rng: np.random.Generator, plan: CompanyPlan, rows: int) -> np.ndarray:
    """The Style of each of `rows` customers: that of the plan, or any in a mixed company."""
    if plan.billing == settings.MIXED:
        return rng.integers(0, len(BILLING_STYLES), rows)
    return np.full(rows, settings.BILLING_NAMES.index(plan.billing))


def with_billing_cycles(customers: Customers, style: np.ndarray) -> Customers:
    """The customers, with the billing cycle of their style where it has one."""
    names = [name for name, _ in settings.BILLING_CYCLES]
    months = np.array([months for _, months in settings.BILLING_CYCLES])
    fixed = np.array([-1 if each.cycle is None else names.index(each.cycle) for each in BILLING_STYLES])[style]
    cycle = np.where(fixed < 0, customers.cycle, fixed)
    return replace(customers, cycle=cycle, cycle_months=months[cycle])


def has_parallel_subscriptions(style: np.ndarray) -> np.ndarray:
    """Whether customers of each style can have several subscriptions at the same time."""
    return np.isin(style, (Style.SINGLE_INVOICE, Style.TWO_CURRENCIES))


def styles_table(customers: Customers, style: np.ndarray) -> pa.Table:
    """One row per customer: customer_id and the name of its billing style."""
    names = [each.name for each in BILLING_STYLES]
    return pa.table({"customer_id": customers.ids(), "billing_style": labels(names, style)})
