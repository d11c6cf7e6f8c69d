"""The contracts that renew soon, by month and account owner, and why customers left."""

import ibis
import ibis.expr.types as ir
import streamlit as st
from ibis import _

from dashboard.filters import add_customer_columns, filter_by_column, filter_by_values, search
from dashboard.reading import Reading, current
from dashboard.states import show_empty_state
from dashboard.tables import DATE, LEVEL, Column, show_rows, show_table
from dashboard.widgets import show_chart, show_heading, show_metric_tiles, show_tile
from productpulse_assets.charts.renewals import renewal_calendar
from rules.text.formats import value_text

OF = "renewals"
METRICS = (
    "mrr_up_for_renewal", "gross_renewal_rate", "logo_renewal_rate", "scheduled_churn_mrr", "committed_mrr",
    "voluntary_churned_revenue", "involuntary_churned_revenue",
)  # fmt: skip
NO_OWNER = "No account owner"
SPANS = {"30 days": 30, "60 days": 60, "90 days": 90, "12 months": 366, "Past 3 months": None}
DEFAULT_SPAN = "60 days"
COLUMNS = (
    Column("company_name", "Customer", of="customers"),
    Column("term_end", "Renewal", DATE, of=OF),
    Column("days_to_renewal", "Days", "count", of=OF),
    Column("mrr", "MRR", "money", of=OF),
    Column("risk_band", "Risk", LEVEL, of=OF),
    Column("account_owner", "Account owner", of=OF),
    Column("is_auto_renewing", "Renews by itself", width="small", of=OF),
    Column("is_cancellation_scheduled", "Has canceled", width="small", of=OF),
    Column("outcome", "Outcome", of=OF),
    Column("mrr_after", "MRR after", "money", of=OF),
    Column("segment", "Segment"),
    Column("plan", "Plan", of=OF),
    Column("subscription_id", "Subscription", of=OF),
    Column("customer_id", "Id", of=OF),
)
ORDER = {
    "Renewal": [_.term_end, _.mrr.desc(), _.subscription_id],
    "MRR": [_.mrr.desc(), _.term_end, _.subscription_id],
    "Customer": [_.company_name, _.term_end, _.subscription_id],
}
REASONS = (
    Column("reason", "Reason", of="churn_reasons"),
    Column("churn_type", "Type", of="churn_reasons"),
    Column("churned_customers", "Customers", "count", of="churn_reasons"),
    Column("mrr_churned", "MRR", "money", of="churn_reasons"),
    Column("share_of_mrr", "Share", "rate", of="churn_reasons"),
    Column("at_risk_before", "At risk 90 days before", "count", of="churn_reasons"),
    Column("known_before", "Of known", "count", of="churn_reasons"),
)


def page(reading: Reading) -> None:
    """The renewal metrics, the calendar, each renewal, and the reasons for churn."""
    show_heading("Renewals", "Contract terms that end soon, whose they are, and why customers left.")
    show_metric_tiles(reading, METRICS)
    terms = add_customer_columns(reading, reading.table(OF))
    if reading.count(terms):
        show_renewals(reading, terms)
    else:
        show_empty_state(
            "No contract term ends near the as-of date.",
            "Terms come from term_months and term_end of subscriptions, or from quarterly and annual billing.",
        )
    show_reasons(reading)


def show_renewals(reading: Reading, terms: ir.Table) -> None:
    """The filters, the totals, the calendar, and every renewal that matches."""
    named = terms.mutate(account_owner=terms.account_owner.fill_null(NO_OWNER))
    found = apply_filters(reading, named)
    span = st.segmented_control(
        "Renewals of the next", list(SPANS), default=DEFAULT_SPAN, required=True, key="span", bind="query-params"
    )
    chosen = in_span(found, SPANS[span])
    show_totals(reading, chosen)
    st.subheader("Calendar")
    months = found.filter(_.is_due == 0).group_by("month", "account_owner").aggregate(mrr=_.mrr.sum(), terms=_.count())
    rows = reading.rows(months.order_by("month", "account_owner"))
    if rows:
        show_chart(
            renewal_calendar(rows, reading.currency), "MRR up for renewal by month and account owner", "calendar"
        )
    else:
        show_empty_state("No renewal is ahead for these filters.", "Clear the filters.")
    st.subheader("Contracts")
    show_table(reading, chosen, COLUMNS, ORDER, key="renewals", noun="renewals", customer_column="customer_id")


def in_span(terms: ir.Table, days: int | None) -> ir.Table:
    """The terms that end in the next days; those that have ended for None."""
    return terms.filter(_.is_due == 1) if days is None else terms.filter(_.is_due == 0, _.days_to_renewal <= days)


def apply_filters(reading: Reading, terms: ir.Table) -> ir.Table:
    """The terms that match the search and the filters, all of them in the page's address."""
    boxes = st.columns([3, 2, 2, 2])
    with boxes[0]:
        found = search(terms, ("company_name", "customer_id", "account_owner"), hint="Customer or account owner")
    with boxes[1]:
        found = filter_by_column(reading, found, terms, "account_owner", key="owner", label="Account owner")
    with boxes[2]:
        found = filter_by_values(found, "risk_band", reading.risk_bands, key="risk_band", label="Risk")
    with boxes[3]:
        found = filter_by_column(reading, found, "customer_360", "segment", key="segment", label="Segment")
    return found


def show_totals(reading: Reading, chosen: ir.Table) -> None:
    """The totals of the terms in view."""
    at_risk, nothing = chosen.risk_band.isin(reading.rules.churn_rules.revenue_at_risk_bands), ibis.literal(0)
    total = reading.rows(
        chosen.aggregate(
            terms=chosen.count(),
            mrr=chosen.mrr.sum(),
            risky=ibis.ifelse(at_risk.fill_null(False), chosen.mrr, nothing).sum(),
            canceled=ibis.ifelse(chosen.is_cancellation_scheduled.fill_null(False), chosen.mrr, nothing).sum(),
        )
    )[0]
    figures = (
        ("Renewals in view", total["terms"], "count"),
        ("Their MRR", total["mrr"] or 0, "money"),
        ("MRR at risk", total["risky"] or 0, "money"),
        ("Canceled already", total["canceled"] or 0, "money"),
    )
    for place, (label, value, unit) in zip(st.columns(4), figures, strict=True):
        with place:
            show_tile(label, value_text(value, unit, reading.currency), has_border=True)


def show_reasons(reading: Reading) -> None:
    """The reasons of the customers who left in the last 12 months."""
    st.subheader("Why customers left")
    reasons = reading.frame(reading.table("churn_reasons").order_by("reason_rank"))
    if len(reasons):
        st.caption("Customers who left in the last 12 months. Without a reason, the type comes from the last bill.")
        show_rows(reading, reasons, REASONS, "reasons for churn")
    else:
        show_empty_state("No customer left in the last 12 months.")


page(current())
