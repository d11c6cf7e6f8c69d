"""Checks of the dates of subscription periods: warnings, with the setting that corrects them."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import ibis
import ibis.expr.types as ir
from ibis import _

from asset_checks.checks import Check
from asset_checks.contracts import ENDED_STATUSES
from resources.tables import rows_of
from rules.text.formats import printable_line

WARN = dg.AssetCheckSeverity.WARN
FEWEST_PERIODS = 3
"""The number of periods with a next period that are needed to see a habit in their ends."""
HABIT = 0.6
"""The smallest share of the periods that is a habit."""
LONGEST_OVERLAP = 31
"""The most days that the periods before and after a change overlap; with a longer overlap they are two products."""


def followed_periods(subscriptions: ir.Table) -> ir.Table:
    """One row: ended periods whose customer has another one that starts on the day of the end, or a day later.

    The columns are next_on_end and next_after_end.
    """
    ended = subscriptions.filter(_.end_date.notnull(), _.end_date > _.start_date)
    starts = subscriptions.select("customer_id", next_start="start_date").distinct()
    pairs = ended.select("customer_id", "subscription_id", "end_date").join(starts, "customer_id")
    pairs = pairs.mutate(gap=pairs.next_start.delta(pairs.end_date, unit="day")).filter(_.gap.between(0, 1))
    followed = pairs.group_by("subscription_id").aggregate(gap=_.gap.min())
    return followed.aggregate(next_on_end=_.gap.count(where=_.gap == 0), next_after_end=_.gap.count(where=_.gap == 1))


def inclusive_ends_result(subscriptions: ir.Table) -> dg.AssetCheckResult:
    """Whether most periods with a next period end on its first day, not on the day before."""
    row = _only_row(followed_periods(subscriptions))
    late, followed = row["next_after_end"], row["next_after_end"] + row["next_on_end"]
    is_habit = late >= FEWEST_PERIODS and late >= HABIT * followed
    return _result(
        "ends_are_exclusive",
        f"subscriptions: {late:,} of {followed:,} periods end the day before the customer's next one begins: is "
        "end_date the last day? Then set inclusive_ends: true for subscriptions in sources.yaml. Without it, no period "
        "has MRR on its last day."
        if is_habit
        else None,
        "Periods end on the day after their last day, as consecutive periods show.",
    )


def active_but_ended(subscriptions: ir.Table, calendar: ir.Table) -> ir.Table:
    """Rows that are not Canceled or Expired, ended by the as-of date, and no later row of the customer follows."""
    as_of = calendar.as_of_date.max().as_scalar()
    ended = subscriptions.filter(_.status.notin(ENDED_STATUSES), _.status != "Trial", _.end_date <= as_of)
    starts = subscriptions.group_by("customer_id").aggregate(newest_start=_.start_date.max())
    return ended.join(starts, "customer_id").filter(_.newest_start <= _.start_date)


def active_but_ended_result(subscriptions: ir.Table, calendar: ir.Table) -> dg.AssetCheckResult:
    """Whether a row is Active or Past Due after its end."""
    rows = active_but_ended(subscriptions, calendar)
    facts = _only_row(
        rows.aggregate(rows=_.count(), newest=_.end_date.max(), first=_.subscription_id.min()).cross_join(
            subscriptions.aggregate(running=_.status.notin(ENDED_STATUSES).sum())
        )
    )
    return _result(
        "active_rows_have_not_ended",
        f"subscriptions: {facts['rows']:,} of {facts['running']:,} rows that are Active or Past Due ended by "
        f"{facts['newest']} (first by id: {printable_line(facts['first'], 60)}), and have had no MRR since. If such "
        "contracts renew, set ends_of_active_rows: planned for subscriptions in sources.yaml; if end_date is the last "
        "day, set inclusive_ends: true."
        if facts["rows"]
        else None,
        "No row is Active or Past Due after its end.",
    )


def doubled_periods(subscriptions: ir.Table) -> ir.Table:
    """Pairs of paying rows of one customer that look like one subscription: customer_id, first_id, second_id, is_same.

    is_same: the same plan, price and start under two ids, both running at once. Otherwise the first row runs on for
    some days after the second one, with another price or plan, began.
    """
    paid = subscriptions.filter(_.status != "Trial", _.monthly_price > 0)
    columns = ("subscription_id", "plan", "monthly_price", "start_date", "end_date")
    first = paid.select("customer_id", **{f"first_{name}": paid[name] for name in columns})
    second = paid.select("customer_id", **{f"second_{name}": paid[name] for name in columns})
    pairs = first.join(second, "customer_id").filter(_.first_subscription_id != _.second_subscription_id)
    is_like = (
        pairs.first_plan.identical_to(pairs.second_plan)
        & (pairs.first_monthly_price == pairs.second_monthly_price)
        & (pairs.first_start_date == pairs.second_start_date)
    )
    runs = pairs.first_end_date.isnull() | (pairs.first_end_date > pairs.first_start_date)
    is_same = is_like & runs & (pairs.first_subscription_id < pairs.second_subscription_id)
    overlap = pairs.first_end_date.delta(pairs.second_start_date, unit="day")
    outlives = pairs.second_end_date.isnull() | (pairs.second_end_date > pairs.first_end_date)
    is_late_end = (
        (pairs.first_start_date < pairs.second_start_date) & overlap.between(1, LONGEST_OVERLAP) & outlives
    ).fill_null(False)
    found = pairs.mutate(is_same=is_same).filter(is_same | is_late_end)
    return found.select("customer_id", "is_same", first_id="first_subscription_id", second_id="second_subscription_id")


def doubled_result(subscriptions: ir.Table) -> dg.AssetCheckResult:
    """Whether two rows of a customer look like one subscription."""
    pairs = doubled_periods(subscriptions)
    rows = pairs.group_by("is_same").aggregate(
        rows=_.count(),
        customer=_.customer_id.min(),
        first_id=_.first_id.argmin(_.customer_id),
        second_id=_.second_id.argmin(ibis.struct({"customer": _.customer_id, "id": _.first_id})),
    )
    found = {row["is_same"]: row for row in rows_of(rows)}
    words = {
        True: "pairs of rows have the same customer, plan, price and start under two ids",
        False: "rows run on for some days after the row that follows them began",
    }
    sentences = [
        f"{row['rows']:,} {words[is_same]} (first: {_example(row)})"
        for is_same, row in sorted(found.items(), reverse=True)
    ]
    return _result(
        "one_subscription_once",
        f"subscriptions: {'; '.join(sentences)}. MRR counts both. If they are one subscription, leave one row out, or "
        "end the old one on the day that the new one begins."
        if sentences
        else None,
        "No two rows of a customer look like one subscription.",
    )


def _example(pair: Mapping[str, object]) -> str:
    first, second, customer = (printable_line(pair[name], 60) for name in ("first_id", "second_id", "customer"))
    return f"{first} and {second} of {customer}"


def _result(name: str, problem: str | None, otherwise: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key="subscriptions",
        check_name=name,
        passed=problem is None,
        severity=WARN,
        description=problem or otherwise,
    )


def _only_row(table: ir.Table) -> dict[str, Any]:
    (row,) = rows_of(table)
    return row


def period_results(subscriptions: ir.Table) -> Iterator[dg.AssetCheckResult]:
    """The results of the checks that need only the periods."""
    yield inclusive_ends_result(subscriptions)
    yield doubled_result(subscriptions)


def ended_results(subscriptions: ir.Table, calendar: ir.Table) -> Iterator[dg.AssetCheckResult]:
    """The result of the check that also needs the as-of date."""
    yield active_but_ended_result(subscriptions, calendar)


PERIODS = Check(
    specs=(
        dg.AssetCheckSpec(
            "ends_are_exclusive",
            asset="subscriptions",
            description="Periods that follow each other end on the first day of the next one.",
        ),
        dg.AssetCheckSpec(
            "one_subscription_once",
            asset="subscriptions",
            description="No two rows of a customer look like one subscription.",
        ),
    ),
    inputs=("subscriptions",),
    evaluate=period_results,
)
ACTIVE_BUT_ENDED = Check(
    specs=(
        dg.AssetCheckSpec(
            "active_rows_have_not_ended",
            asset="subscriptions",
            description="No row is Active or Past Due after its end.",
            additional_deps=["calendar"],
        ),
    ),
    inputs=("subscriptions", "calendar"),
    evaluate=ended_results,
)
