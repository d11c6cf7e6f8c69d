"""The sections of the executive report: each a chart, what it says, and its numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import plotly.graph_objects as go
from markupsafe import Markup

from productpulse_assets.charts import mrr, retention, risk, work
from productpulse_assets.charts.look import month
from rules.rule_set import Rules
from rules.text.formats import NAME_LIMIT, change_text, count_text, money, one_line, percent, period_text, value_text

Row = Mapping[str, object]

AFTER_MONTHS = (1, 3, 6, 12, 24)
"""The months after which the table beneath the cohorts says what is left."""


@dataclass(frozen=True)
class Section:
    """A chart with its heading, what it shows in a sentence, and its numbers as a table."""

    name: str
    title: str
    sentence: str
    figure: go.Figure
    columns: Sequence[str]
    cells: Sequence[Sequence[str]]

    @property
    def drawn(self) -> Markup:
        """The figure's JSON; plotly writes < > and / in it so that it cannot end the script it stands in."""
        return Markup(self.figure.to_json())  # see above  # nosec B704


def movement(rows: Mapping[str, Row], currency: str) -> Section:
    """How MRR got from the beginning of the month to its end."""
    bridge = mrr.bridge(rows)
    figure, columns = mrr.waterfall(bridge, currency), ("Movement", "MRR")
    title = "How MRR moved"
    if bridge is None:
        lacking = [rows[name] for name in mrr.BRIDGE if name in rows and rows[name]["value"] is None]
        return Section("mrr-movement", title, _not_available(_reasons(lacking)), figure, columns, [])
    opening = bridge["lines"][0][0]["amount"]
    sentence = (
        f"In {month(bridge['month'])}, MRR went from {money(opening, currency)} to "
        f"{money(bridge['closing'], currency)}, a change of "
        f"{change_text(bridge['closing'] - opening, 'money', currency)}."
    )
    cells = [(row["label"], _signed(row["amount"], sign, currency)) for row, sign in bridge["lines"]]
    total = ("MRR at the end of the month", money(bridge["closing"], currency, cents=True))
    return Section("mrr-movement", title, sentence, figure, columns, [*cells, total])


def _signed(amount: object, sign: str, currency: str) -> str:
    return (sign if amount else "") + money(amount, currency, cents=True)


def over_time(rows: Sequence[Row], currency: str) -> Section:
    """MRR and customer churn, month by month."""
    title, columns = "MRR and customer churn", ("Month", "MRR", "Customer churn")
    figure = mrr.mrr_and_churn(rows, currency)
    known = [row for row in rows if row["mrr"] is not None]
    churned = [row for row in rows if row["churn"] is not None]
    if not known:
        return Section("mrr-and-churn", title, "Not available: no month has MRR.", figure, columns, [])
    first, last = known[0], known[-1]
    sentence = f"MRR is {money(last['mrr'], currency)} in {_month(last)}, from {money(first['mrr'], currency)} in "
    sentence += f"{_month(first)}. Customer churn "
    sentence += (
        f"was {percent(churned[-1]['churn'])} in {_month(churned[-1])}, the last complete month."
        if churned
        else "is not available: no complete month begins with paying customers."
    )
    cells = [(_month(row), value_text(row["mrr"], "money", currency), _rate(row["churn"])) for row in rows]
    return Section("mrr-and-churn", title, sentence, figure, columns, cells)


def cohorts(rows: Sequence[Row]) -> Section:
    """What is left of each month's first payers."""
    title, figure = "Cohort retention", retention.cohort_heat_map(rows)
    columns = ("First paid", "Customers", *(f"After {count} mo." for count in AFTER_MONTHS), "Latest")
    if not rows:
        return Section("cohorts", title, "Not available: nobody has paid yet.", figure, columns, [])
    by_month = {first: list(found) for first, found in groupby(rows, key=lambda row: row["cohort_month"])}
    latest = next(iter(by_month.values()))[-1]
    sentence = (
        f"Of {count_text(latest['customers'], 'customer')} who first paid in {month(latest['cohort_month'])}, "
        f"{latest['retained_customers']:,} ({_rate(latest['retention_rate'])}) paid "
        f"{count_text(latest['months_since_cohort'], 'month')} later. "
        "Each row is the customers who first paid in a month; each cell is the percentage still paying."
    )
    cells = [_cohort_cells(found) for found in by_month.values()]
    return Section("cohorts", title, sentence, figure, columns, cells)


def _cohort_cells(rows: Sequence[Row]) -> list[str]:
    after = {row["months_since_cohort"]: _rate(row["retention_rate"]) for row in rows}
    kept = [after.get(count, "not reached") for count in AFTER_MONTHS]
    first = rows[0]
    return [month(first["cohort_month"]), value_text(first["customers"], "count"), *kept, after[max(after)]]


def funnel(rows: Sequence[Row], kpis: Mapping[str, Row]) -> Section:
    """How far those who signed up got."""
    cells = [
        (row["step"], _count(row["users"]), _count(row["previous_step_users"]), _rate(row["conversion_rate"]))
        for row in rows
    ]
    worst = next((row for row in rows if row["is_bottleneck"]), None)
    if any(row["users"] is None for row in rows):
        reasons = _reasons([kpis["activation_rate"]] if "activation_rate" in kpis else [])
        sentence = f"The steps after signup are not available. {reasons}".strip()
    elif worst is None:
        sentence = "No step has customers who could have got further."
    else:
        sentence = (
            f"The bottleneck is {worst['step']}: {worst['users']:,} of the {worst['previous_step_users']:,} who could "
            f"get there did ({_rate(worst['conversion_rate'])})."
        )
    columns = ("Step", "Customers", "Out of", "Conversion")
    return Section("funnel", "From signup to retained", sentence, retention.funnel(rows), columns, cells)


def churn_risk(rows: Sequence[Row], kpis: Mapping[str, Row], rules: Rules) -> Section:
    """Who is at risk, by segment."""
    churn, currency = rules.churn_rules, rules.currency
    bands = list(churn.bands)
    at_risk = kpis.get("at_risk_customers")
    paying = count_text(sum(row["customers"] for row in rows), "paying customer")
    revenue = kpis.get("revenue_at_risk")
    if at_risk is None or revenue is None or at_risk["value"] is None:
        sentence = f"How many are at risk is not available. {_reasons([at_risk] if at_risk else [])}".strip()
        sentence += " A low band from few known signals is no sign of health."
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
    """Through which kinds of leakage money is lost."""
    known = [row for row in rows if row["estimated_revenue_loss"] is not None]
    lacking = [row for row in rows if row["estimated_revenue_loss"] is None]
    told = []
    if known:
        total, worst = sum(row["estimated_revenue_loss"] for row in known), max(known, key=_loss)
        days = period_text(worst["window_start"], worst["window_end"])
        told.append(f"{money(total, currency)} leaked in {days}")
        told[-1] += f", the most as {worst['leakage_type']} ({money(_loss(worst), currency)})." if total else "."
    for reason, kinds in groupby(sorted(lacking, key=_reason), key=_reason):
        told.append(f"Not available: {', '.join(row['leakage_type'] for row in kinds)}. {reason}")
    cells = [
        (row["leakage_type"], value_text(row["cases"], "count"), value_text(_loss(row), "money", currency, exact=True))
        for row in rows
    ]
    figure, columns = risk.leakage_by_type(rows, currency), ("Kind", "Cases", "Loss")
    return Section("leakage", "Revenue leakage by kind", " ".join(told), figure, columns, cells)


def workload(rows: Sequence[Row], currency: str) -> Section:
    """What each owner has to do in which week."""
    waiting = sum(row["interventions"] for row in rows if row["week"] == work.BACKLOG)
    total, owners = sum(row["interventions"] for row in rows), {row["owner"] for row in rows}
    revenue = sum(row["revenue"] for row in rows)
    sentence = (
        f"{count_text(total, 'intervention')} for {count_text(len(owners), 'owner')}, about "
        f"{money(revenue, currency)}; {waiting:,} of them in the backlog."
        if total
        else "Nothing in the data asks for an intervention."
    )
    cells = [
        (row["owner"], row["week"], _count(row["interventions"]), _room(row), _money(row["revenue"], currency))
        for row in rows
    ]
    columns = ("Owner", "Week", "Interventions", "Capacity", "Revenue")
    return Section("workload", "Owners' work", sentence, work.workload(rows), columns, cells)


def _loss(row: Row) -> object:
    return row["estimated_revenue_loss"]


def _reason(row: Row) -> str:
    return row["not_available_reason"] or ""


def _reasons(rows: Sequence[Row]) -> str:
    """Why some metrics are not available, each reason once."""
    return " ".join(dict.fromkeys(_reason(row) for row in rows if _reason(row)))


def _not_available(reasons: str) -> str:
    return f"Not available: {reasons}" if reasons else "Not available: the data has no complete month."


def _rate(share: float | None) -> str:
    return value_text(share, "rate")


def _count(count: float | None) -> str:
    return value_text(count, "count")


def _money(amount: object, currency: str) -> str:
    return value_text(amount, "money", currency)


def _room(row: Row) -> str:
    """An owner's capacity; the backlog has none."""
    return "–" if row["capacity"] is None else _count(row["capacity"])


def _month(row: Row) -> str:
    return month(row["month"])
