"""Invariants of the published tables, which are true for any data."""

import operator
from collections.abc import Iterator
from functools import reduce

import dagster as dg
import ibis
import ibis.expr.types as ir
from ibis import _

from asset_checks.checks import Check
from asset_checks.events import DATED
from resources.tables import count_of, rows_of
from rules.mrr_policy import CAUSES


def bridge_breaks(customer_months: ir.Table) -> ir.Table:
    """The customer months whose movements do not add up from MRR at the start to MRR at the end, or whose causes do
    not add up to their expansion or their contraction."""
    gains = _.mrr_new + _.mrr_reactivation + _.mrr_expansion + _.mrr_fx
    losses = _.mrr_contraction + _.mrr_churned
    by_cause = [
        reduce(operator.add, (customer_months[f"{whole}_{cause}"] for cause in CAUSES)) != customer_months[whole]
        for whole in ("mrr_expansion", "mrr_contraction")
    ]
    return customer_months.filter(ibis.or_(_.mrr_end != _.mrr_start + gains - losses, *by_cause))


def mrr_bridge_results(customer_months: ir.Table) -> Iterator[dg.AssetCheckResult]:
    """Whether the bridge adds up in every row."""
    broken = bridge_breaks(customer_months)
    rows = count_of(broken)
    first = broken.select("customer_id", "month").limit(1).execute().to_dict("records") if rows else []
    yield dg.AssetCheckResult(
        asset_key="customer_months",
        check_name="mrr_bridge",
        passed=rows == 0,
        description=f"{rows:,} customer months break the MRR bridge, for example {first[0]}."
        if rows
        else "The MRR bridge adds up in every customer month.",
        metadata={"rows": rows},
    )


MRR_BRIDGE = Check(
    specs=(
        dg.AssetCheckSpec(
            "mrr_bridge",
            asset="customer_months",
            blocking=True,
            description="mrr_end = mrr_start + new + reactivation + expansion - contraction - churned + fx, and the "
            "causes of expansion and of contraction add up to them, in every row.",
        ),
    ),
    inputs=("customer_months",),
    evaluate=mrr_bridge_results,
)


def churn_type_breaks(customer_months: ir.Table) -> ir.Table:
    """The customer months whose churned MRR is not that of its type, or that have a type without churn."""
    months = customer_months.mutate(typed=_.mrr_churned_unknown)
    for kind in ("voluntary", "involuntary"):
        months = months.mutate(typed=_.typed + months[f"mrr_churned_{kind}"].fill_null(0))
    return months.filter((_.typed != _.mrr_churned) | (_.churn_type.notnull() != (_.is_churned == 1)))


def churn_type_results(customer_months: ir.Table) -> Iterator[dg.AssetCheckResult]:
    """Whether the types of churn add up in every row."""
    rows = int(churn_type_breaks(customer_months).count().execute())
    yield dg.AssetCheckResult(
        asset_key="customer_months",
        check_name="churn_types",
        passed=rows == 0,
        description=f"{rows:,} customer months have churned MRR that is not that of their type of churn."
        if rows
        else "Voluntary, involuntary and unknown churn add up to churned MRR in every customer month.",
        metadata={"rows": rows},
    )


CHURN_TYPES = Check(
    specs=(
        dg.AssetCheckSpec(
            "churn_types",
            asset="customer_months",
            blocking=True,
            description="Churned MRR = voluntary + involuntary + unknown, in every row.",
        ),
    ),
    inputs=("customer_months",),
    evaluate=churn_type_results,
)


def ledger_breaks(bills: ir.Table, payment_applications: ir.Table, receivables: ir.Table) -> ir.Table:
    """Accounts of the ledger, a customer and a currency each, that do not add up to the cent.

    No bill has more applied than is due, and each customer's row has the sums of its bills and payments.
    """
    due = bills.group_by(billed="customer_id").aggregate(due=_.amount_due.sum())
    settled = payment_applications.filter(_.bill_id != "")
    by_bill = settled.group_by("bill_id").aggregate(applied=_.amount_applied.sum())
    overpaid = bills.join(by_bill, "bill_id").filter(_.applied > _.amount_due).select("customer_id")
    paid = payment_applications.group_by(payer="customer_id").aggregate(
        collected=_.amount_applied.sum(),
        applied=_.amount_applied.sum(where=_.bill_id != "").fill_null(0),
    )
    known = receivables.filter(_.amount_due.notnull())
    table = known.left_join(due, known.customer_id == due.billed).left_join(paid, known.customer_id == paid.payer)
    table = table.mutate(applied=table.applied.fill_null(0), collected=table.collected.fill_null(0))
    aging = table.open_0_30 + table.open_31_60 + table.open_61_90 + table.open_over_90
    is_right = (
        (table.amount_due == table.due)
        & (table.amount_due == table.applied + table.amount_open)
        & (table.amount_collected == table.collected)
        & (table.amount_collected == table.applied + table.credit)
        & (table.amount_open == aging)
    )
    return table.filter(~is_right.fill_null(False)).select("customer_id").union(overpaid)


def ledger_results(
    bills: ir.Table, payment_applications: ir.Table, receivables: ir.Table
) -> Iterator[dg.AssetCheckResult]:
    """Whether every account of the ledger adds up."""
    broken = ledger_breaks(bills, payment_applications, receivables)
    rows = count_of(broken)
    yield dg.AssetCheckResult(
        asset_key="receivables",
        check_name="ledger",
        passed=rows == 0,
        description=f"{rows:,} accounts of the receivables ledger do not add up."
        if rows
        else "Due is applied and open, and collected is applied and credit, for every customer.",
        metadata={"rows": rows},
    )


LEDGER = Check(
    specs=(
        dg.AssetCheckSpec(
            "ledger",
            asset="receivables",
            blocking=True,
            description="Due = applied + open, and collected = applied + credit, for every customer to the cent.",
            additional_deps=["bills", "payment_applications"],
        ),
    ),
    inputs=("bills", "payment_applications", "receivables"),
    evaluate=ledger_results,
)


FACTS = {
    "transactions": ("amount", ("amount_collected", "amount_failed", "amount_refunded")),
    "product_usage": ("logins", ("logins",)),
    "support_tickets": (None, ("tickets_opened",)),
    "nps_scores": ("score", ("nps_score_sum",)),
}
"""By dataset: the column that its facts in customer_months add up (None: its rows), and those facts."""


def uncounted(dataset: str, events: ir.Table, fact_coverage: ir.Table, customer_months: ir.Table) -> ir.Table:
    """One row: the dataset's rows and those that fact_coverage accounts for; a sum over events, and over months.

    The two sums do not use fact_coverage: they differ where an event is in no month.
    """
    column, facts = FACTS[dataset]
    as_of = customer_months.month_end.max().as_scalar()
    dated = events.filter(events[DATED[dataset][0]] <= as_of)
    of_dataset = fact_coverage.filter(_.dataset == dataset)
    total = ibis.literal(0)
    for name in facts:
        total = total + customer_months[name].sum().fill_null(0)
    return (
        events.aggregate(kept=_.count())
        .cross_join(of_dataset.aggregate(accounted=_.rows.sum().fill_null(0)))
        .cross_join(dated.aggregate(events_sum=(dated[column].sum() if column else dated.count()).fill_null(0)))
        .cross_join(customer_months.aggregate(months_sum=total))
    )


def fact_coverage_results(
    fact_coverage: ir.Table, customer_months: ir.Table, **datasets: ir.Table
) -> Iterator[dg.AssetCheckResult]:
    """Whether every kept row is counted or has a reason, and the facts add up to their datasets."""
    problems = []
    for name, events in datasets.items():
        (row,) = rows_of(uncounted(name, events, fact_coverage, customer_months))
        if row["kept"] != row["accounted"]:
            problems.append(f"{name}: {row['kept']:,} rows were kept, and {row['accounted']:,} are accounted for.")
        if row["events_sum"] != row["months_sum"]:
            what = FACTS[name][0] or "rows"
            problems.append(f"{name}: {what} adds up to {row['events_sum']:,}, and to {row['months_sum']:,} by month.")
    yield dg.AssetCheckResult(
        asset_key="fact_coverage",
        check_name="every_kept_row_accounted_for",
        passed=not problems,
        description=" ".join(problems) or "Every kept row is counted, or listed with the reason why not.",
    )


FACT_COVERAGE = Check(
    specs=(
        dg.AssetCheckSpec(
            "every_kept_row_accounted_for",
            asset="fact_coverage",
            blocking=True,
            description="Every kept row is counted or has a reason, and the facts by month add up to their datasets.",
            additional_deps=["customer_months", *FACTS],
        ),
    ),
    inputs=("fact_coverage", "customer_months", *FACTS),
    evaluate=fact_coverage_results,
)
