"""The sections of the executive report: a chart, a sentence about it, and its numbers as a table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

import plotly.graph_objects as go
from markupsafe import Markup

from productpulse_assets.charts import mrr, outlook, retention, risk, work
from productpulse_assets.charts.look import Row, month_label
from productpulse_assets.charts.marks import add_marks
from rules.rule_set import Rules
from rules.text.formats import (
    ACTION_MONEY,
    NAME_LIMIT,
    Number,
    action_money,
    change_text,
    count_text,
    money,
    one_line,
    percent,
    period_text,
    value_text,
)

AFTER_MONTHS = (1, 3, 6, 12, 24)
"""The months since the first payment for which the table of cohorts shows retention."""


@dataclass(frozen=True)
class Section:
    """A chart with a title, a sentence about it, and its numbers as a table."""

    name: str
    title: str
    sentence: str
    figure: go.Figure
    columns: Sequence[str]
    cells: Sequence[Sequence[str]]

    @property
    def figure_json(self) -> Markup:
        """The figure as JSON; plotly escapes < > and / in it, so that it cannot end the script element around it."""
        return Markup(self.figure.to_json())  # escaped by plotly, see above  # nosec B704


def movement(rows: Mapping[str, Row], currency: str) -> Section:
    """The MRR bridge of the last complete month."""
    bridge = mrr.bridge(rows)
    figure, columns = mrr.waterfall(bridge, currency), ("Movement", "MRR")
    title = "How MRR moved"
    if bridge is None:
        missing = [rows[name] for name in mrr.BRIDGE if name in rows and rows[name]["value"] is None]
        return Section("mrr-movement", title, _not_available(_reasons(missing)), figure, columns, [])
    opening = bridge.amounts[0]
    sentence = (
        f"In {month_label(bridge.month)}, MRR went from {money(opening, currency)} to "
        f"{money(bridge.closing, currency)}, a change of "
        f"{change_text(bridge.closing - opening, 'money', currency)}."
    )
    cells = [(row["label"], _signed(row["amount"], sign, currency)) for row, sign, _is_cause in bridge.all_lines]
    total = ("MRR at the end of the month", money(bridge.closing, currency, cents=True))
    return Section("mrr-movement", title, sentence, figure, columns, [*cells, total])


def _signed(amount: Decimal, sign: str, currency: str) -> str:
    return (sign if amount else "") + money(amount, currency, cents=True)


def over_time(rows: Sequence[Row], events: Sequence[Row], currency: str) -> Section:
    """MRR and customer churn per month, with what happened in them."""
    title, columns = "MRR and customer churn", ("Month", "MRR", "Customer churn")
    figure = add_marks(mrr.mrr_and_churn(rows, currency), events, [row["month"] for row in rows])
    known = [row for row in rows if row["mrr"] is not None]
    with_churn = [row for row in rows if row["churn"] is not None]
    if not known:
        return Section("mrr-and-churn", title, "Not available: no month has MRR.", figure, columns, [])
    first, last = known[0], known[-1]
    sentence = f"MRR is {money(last['mrr'], currency)} in {_month(last)}, from {money(first['mrr'], currency)} in "
    sentence += f"{_month(first)}. Customer churn "
    sentence += (
        f"was {percent(with_churn[-1]['churn'])} in {_month(with_churn[-1])}, the last complete month."
        if with_churn
        else "is not available: there are no paying customers at the start of a complete month."
    )
    cells = [(_month(row), value_text(row["mrr"], "money", currency), _rate(row["churn"])) for row in rows]
    return Section("mrr-and-churn", title, sentence, figure, columns, cells)


def look_ahead(months: Sequence[Row], forecast: Sequence[Row], backtest: Sequence[Row], currency: str) -> Section:
    """MRR of the past and as it is expected, with the errors of earlier forecasts."""
    title, columns = "Where MRR will be", ("Month", "Expected", "Low (80 %)", "High (80 %)")
    past = [{"month": row["month"], "value": row["mrr"]} for row in months if row["mrr"] is not None][
        -outlook.MONTHS_BEFORE :
    ]
    known = [row for row in forecast if row["value"] is not None]
    figure = outlook.forecast(past, known, outlook.MRR, currency)
    if not known:
        reason = forecast[0]["not_available_reason"] if forecast else "No month of the data is over."
        return Section("outlook", title, _not_available(reason), figure, columns, [])
    ahead, errors = (
        next(row for row in rows if row["months_ahead"] == outlook.MONTHS_AHEAD) for rows in (forecast, backtest)
    )
    sentence = f"{outlook.expected_text(ahead, currency)} {outlook.past_errors_text(errors)}"
    cells = [
        (_month(row), *(value_text(row[name], "money", currency) for name in ("value", "low", "high"))) for row in known
    ]
    return Section("outlook", title, sentence, figure, columns, cells)


def cohorts(rows: Sequence[Row]) -> Section:
    """The retention of each cohort."""
    title, figure = "Cohort retention", retention.cohort_heat_map(rows)
    columns = ("First paid", "Customers", *(f"After {count} mo." for count in AFTER_MONTHS), "Latest")
    if not rows:
        return Section("cohorts", title, "Not available: there are no paying customers yet.", figure, columns, [])
    by_month = {first: list(found) for first, found in groupby(rows, key=lambda row: row["cohort_month"])}
    latest = next(iter(by_month.values()))[-1]
    sentence = (
        f"Of {count_text(latest['customers'], 'customer')} who first paid in {month_label(latest['cohort_month'])}, "
        f"{latest['retained_customers']:,} ({_rate(latest['retention_rate'])}) paid "
        f"{count_text(latest['months_since_cohort'], 'month')} later. "
        "Each row is a cohort: the customers who first paid in that month. Each cell is the percentage still paying."
    )
    cells = [_cohort_cells(found) for found in by_month.values()]
    return Section("cohorts", title, sentence, figure, columns, cells)


def _cohort_cells(rows: Sequence[Row]) -> list[str]:
    after = {row["months_since_cohort"]: _rate(row["retention_rate"]) for row in rows}
    retention = [after.get(count, "not reached") for count in AFTER_MONTHS]
    first = rows[0]
    return [month_label(first["cohort_month"]), value_text(first["customers"], "count"), *retention, after[max(after)]]


def funnel(rows: Sequence[Row], kpis: Mapping[str, Row]) -> Section:
    """The steps from signup to a retained customer."""
    cells = [
        (row["step"], _count(row["users"]), _count(row["previous_step_users"]), _rate(row["conversion_rate"]))
        for row in rows
    ]
    bottleneck = next((row for row in rows if row["is_bottleneck"]), None)
    if any(row["users"] is None for row in rows):
        reasons = _reasons([kpis["activation_rate"]] if "activation_rate" in kpis else [])
        sentence = f"The steps after signup are not available. {reasons}".strip()
    elif bottleneck is None:
        sentence = "There is no bottleneck: no step has customers who could go on to the next one."
    else:
        sentence = (
            f"The bottleneck is {bottleneck['step']}: {bottleneck['users']:,} of "
            f"{count_text(bottleneck['previous_step_users'], 'customer')} reached it "
            f"({_rate(bottleneck['conversion_rate'])})."
        )
    columns = ("Step", "Customers", "Out of", "Conversion")
    return Section("funnel", "From signup to retained", sentence, retention.funnel(rows), columns, cells)


def churn_risk(rows: Sequence[Row], kpis: Mapping[str, Row], rules: Rules) -> Section:
    """Customers and MRR by segment and risk band."""
    churn, currency = rules.churn_rules, rules.currency
    bands = list(churn.bands)
    at_risk = kpis.get("at_risk_customers")
    paying = count_text(sum(row["customers"] for row in rows), "paying customer")
    revenue = kpis.get("revenue_at_risk")
    if at_risk is None or revenue is None or at_risk["value"] is None:
        sentence = f"The number of customers at risk is not available. {_reasons([at_risk] if at_risk else [])}".strip()
        sentence += " A low band does not mean low risk if few signals are known."
    else:
        sentence = (
            f"At risk ({' or '.join(churn.revenue_at_risk_bands)}): {_count(at_risk['value'])} of {paying}, with "
            f"{value_text(revenue['amount'], 'money', currency)} MRR."
        )
    cells = [
        (one_line(row["segment"], NAME_LIMIT), row["risk_band"], _count(row["customers"]), _money(row["mrr"], currency))
        for row in sorted(rows, key=lambda row: (row["segment"], bands.index(row["risk_band"])))
    ]
    columns = ("Segment", "Band", "Customers", "MRR")
    return Section("risk", "Churn risk by segment", sentence, risk.risk_by_segment(rows, bands), columns, cells)


def leakage(rows: Sequence[Row], currency: str) -> Section:
    """The loss by kind of leakage."""
    known = [row for row in rows if row["estimated_revenue_loss"] is not None]
    missing = [row for row in rows if row["estimated_revenue_loss"] is None]
    sentences = [_largest_loss(known, currency)] if known else []
    for reason, kinds in groupby(sorted(missing, key=_reason), key=_reason):
        sentences.append(f"Not available: {', '.join(row['leakage_type'] for row in kinds)}. {reason}")
    cells = [
        (
            row["leakage_type"],
            _count(row["cases"]),
            value_text(row["estimated_revenue_loss"], "money", currency, exact=True),
        )
        for row in rows
    ]
    figure, columns = risk.leakage_by_type(rows, currency), ("Kind", "Cases", "Loss")
    return Section("leakage", "Revenue leakage by kind", " ".join(sentences), figure, columns, cells)


def _largest_loss(rows: Sequence[Row], currency: str) -> str:
    """The total loss, and the kind with the largest part of it."""
    total = sum(row["estimated_revenue_loss"] for row in rows)
    largest = max(rows, key=lambda row: Decimal(row["estimated_revenue_loss"]))
    sentence = f"{money(total, currency)} leaked in {period_text(largest['window_start'], largest['window_end'])}"
    if not total:
        return f"{sentence}."
    loss = money(largest["estimated_revenue_loss"], currency)
    return f"{sentence}; the largest kind is {largest['leakage_type']} ({loss})."


def workload(rows: Sequence[Row], currency: str) -> Section:
    """The interventions of each owner by week."""
    backlog = sum(row["interventions"] for row in rows if row["week"] == work.BACKLOG)
    total, owners = sum(row["interventions"] for row in rows), {row["owner"] for row in rows}
    totals = {name: sum(row[name] for row in rows) for name in ACTION_MONEY}
    sentence = (
        f"{count_text(total, 'intervention')} for {count_text(len(owners), 'owner')} about "
        f"{action_money(totals, currency)}; {backlog:,} of them {'is' if backlog == 1 else 'are'} in the backlog."
        if total
        else "No intervention is recommended."
    )
    cells = [
        (
            row["owner"], row["week"], _count(row["interventions"]), _capacity(row),
            *(_money(row[name], currency) for name in ACTION_MONEY),
        )
        for row in rows
    ]  # fmt: skip
    columns = ("Owner", "Week", "Interventions", "Capacity", "Revenue a month", "Over its months", "Cash once")
    return Section("workload", "Owner workload", sentence, work.workload(rows), columns, cells)


def _reason(row: Row) -> str:
    return str(row["not_available_reason"] or "")


def _reasons(rows: Iterable[Row]) -> str:
    """Why some metrics are not available, each reason once."""
    return " ".join(dict.fromkeys(_reason(row) for row in rows if _reason(row)))


def _not_available(reasons: str) -> str:
    return f"Not available: {reasons}" if reasons else "Not available: the data has no complete month."


def _rate(share: float | None) -> str:
    return value_text(share, "rate")


def _count(count: float | None) -> str:
    return value_text(count, "count")


def _money(amount: Number | None, currency: str) -> str:
    return value_text(amount, "money", currency)


def _capacity(row: Row) -> str:
    """An owner's capacity; the backlog has none."""
    return "–" if row["capacity"] is None else _count(row["capacity"])


def _month(row: Row) -> str:
    return month_label(row["month"])
