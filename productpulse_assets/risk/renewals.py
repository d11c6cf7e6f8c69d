"""Renewals: the contract terms that end near the as-of date, and what became of those that have ended."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.facts.calendar import as_of_day
from productpulse_assets.facts.contract_terms import is_ending, term_ends
from productpulse_assets.joins import left_join_unique
from productpulse_assets.tables import table
from rules.rule_set import Rules
from rules.units import MONEY, days_later, first_of_month, months_later

PAST_MONTHS, FUTURE_MONTHS = 3, 12
RENEWED, LOWER, LOST, OPEN = "Renewed", "Renewed Lower", "Lost", "Open"
OUTCOMES = (RENEWED, LOWER, LOST, OPEN)
KEY = ("subscription_id", "term_end")
DETAILS = (
    "month", "days_to_renewal", "mrr", "risk_band", "is_auto_renewing", "is_cancellation_scheduled", "cancel_at",
    "account_owner", "outcome", "mrr_after", "mrr_renewed", "is_due", "is_renewed", "renewal_rank",
)  # fmt: skip


@table(group="risk", owner="team:customer-success", key=KEY, personal=("account_owner",))
def renewals(
    contract_terms: ir.Table,
    customers: ir.Table,
    churn_risk_profiles: ir.Table,
    calendar: ir.Table,
    rules: Rules,
) -> ir.Table:
    """One row per contract term that ends in the 3 months up to the as-of date, or runs and ends in the next 12.

    term_end is the day of the renewal; month its first day of the month. mrr is the monthly price on the day before.
    outcome compares it with the price of the contract line on the day after (mrr_after): Renewed, Renewed Lower, Lost;
    Open until the term ends. mrr_renewed is what of mrr was renewed, at most the old price. is_due and is_renewed are
    1 or 0. A contract that ends within its term has no renewal, and of terms that have not begun there is no row.
    renewal_rank is the order of the open ones, by their day and MRR. risk_band is that of the as-of date.
    is_cancellation_scheduled is NULL if the source has no cancel_at.
    """
    day = as_of_day(calendar).select("as_of_date")
    terms = contract_terms.cross_join(day)
    begin = months_later(terms.as_of_date, ibis.literal(-PAST_MONTHS))
    ends = term_ends(terms, begin, terms.as_of_date)
    near = ends.filter(ends.term_end <= months_later(ends.as_of_date, ibis.literal(FUTURE_MONTHS)))
    members = customers.select("customer_id", "account_owner", *rules.customer_dimensions)
    bands = churn_risk_profiles.select("customer_id", "risk_band")
    dated = near.pipe(left_join_unique, prices_after(near, contract_terms), KEY).pipe(with_outcome)
    named = dated.pipe(left_join_unique, members).pipe(left_join_unique, bands)
    by_day = ibis.window(group_by=named.is_due, order_by=[named.term_end, named.mrr.desc(), named.subscription_id])
    rank = ibis.ifelse(named.is_due == 0, ibis.row_number().over(by_day) + 1, ibis.null("int64"))
    named = named.mutate(renewal_rank=rank)
    return named.select(*dict.fromkeys((*KEY, "customer_id", "contract_line", *rules.dimensions, *DETAILS)))


def prices_after(ends: ir.Table, contract_terms: ir.Table) -> ir.Table:
    """By term: mrr_after, the price of its contract line on the day after its end, or at the as-of date if that is it.

    Some systems write the last day of a term as its end: on the day after, the next one has begun for sure.
    """
    over = ends.filter(ends.term_end <= ends.as_of_date)
    over = over.select(*KEY, "contract_line", after=ibis.least(days_later(over.term_end, 1), over.as_of_date))
    later = contract_terms.select(line="contract_line", began="start_date", ended="end_date", mrr_after="monthly_price")
    found = over.join(
        later,
        [
            over.contract_line == later.line,
            later.began <= over.after,
            later.ended.isnull() | (later.ended > over.after),
        ],
    )
    return found.group_by(KEY).aggregate(mrr_after=_.mrr_after.max().cast(MONEY))


def with_outcome(terms: ir.Table) -> ir.Table:
    """Add what became of each term, and whether its end is scheduled to be the last one."""
    is_over, nothing = terms.term_end <= terms.as_of_date, ibis.literal(0).cast(MONEY)
    after, unknown = terms.mrr_after.fill_null(nothing), ibis.null(MONEY)
    outcome = ibis.cases((~is_over, OPEN), (after == 0, LOST), (after < terms.monthly_price, LOWER), else_=RENEWED)
    was_scheduled = (terms.cancel_at <= days_later(terms.term_end, 1)).fill_null(False)
    scheduled = ibis.ifelse(is_over, was_scheduled, is_ending(terms, terms.as_of_date))
    return terms.mutate(
        month=first_of_month(terms.term_end),
        days_to_renewal=terms.term_end.delta(terms.as_of_date, unit="day"),
        mrr=terms.monthly_price,
        is_auto_renewing=terms.auto_renew,
        is_cancellation_scheduled=ibis.ifelse(terms.knows_cancellations, scheduled, ibis.null("boolean")),
        outcome=outcome,
        mrr_after=ibis.ifelse(is_over, after, unknown),
        mrr_renewed=ibis.ifelse(is_over, ibis.least(after, terms.monthly_price), unknown),
        is_due=is_over.cast("int64"),
        is_renewed=(is_over & (after > 0)).cast("int64"),
    )
