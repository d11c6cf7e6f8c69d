"""Who is at risk, what drives it, and through which kinds of leakage money is lost."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir
import plotly.graph_objects as go
from ibis import _

from productpulse_assets.charts import look
from productpulse_assets.charts.look import Row
from productpulse_assets.charts.palette import SECOND, TOTAL, colour_of
from rules.text.formats import count_text, money, value_text


def by_segment(churn_risk_profiles: ir.Table) -> ir.Table:
    """One row per segment and risk band: paying customers and their mrr (money)."""
    named = churn_risk_profiles.mutate(segment=_.segment.fill_null("Unknown"))
    sums = named.group_by("segment", "risk_band").aggregate(customers=_.count(), mrr=_.mrr.sum())
    return sums.order_by("segment", "risk_band")


def risk_by_segment(rows: Sequence[Row], bands: Sequence[str]) -> go.Figure:
    """Each segment's customers by risk band; `bands` are in order, the worst first."""
    if not rows:
        return look.nothing("Nobody pays at the as-of date, so that nobody is at risk.")
    totals: dict[str, int] = {}
    for row in rows:
        totals[row["segment"]] = totals.get(row["segment"], 0) + row["customers"]
    largest = sorted(totals, key=lambda name: (-totals[name], name))
    segments = largest[: look.MEMBERS_SHOWN]
    places = {segment: place for place, segment in enumerate(segments)}
    drawn = look.figure(
        *(_band_bars([row for row in rows if row["risk_band"] == band], band, places) for band in bands),
        barmode="stack",
        showlegend=True,
        height=look.bars_height(len(segments)) + 40,
        xaxis=look.axis_of(totals.values(), "count", "") | {"title": {"text": "Paying customers"}},
        yaxis=look.downwards([look.words(segment) for segment in segments]),
    )
    more = len(largest) - len(segments)
    return look.noted(drawn, f"{more:,} smaller segments are not drawn." if more else "")


def _band_bars(rows: Sequence[Row], band: str, places: dict[str, int]) -> go.Bar:
    name, shown = look.words(band), [row for row in rows if row["segment"] in places]
    return go.Bar(
        x=[row["customers"] for row in shown],
        y=[places[row["segment"]] for row in shown],
        orientation="h",
        name=name,
        marker={"color": colour_of(band)},
        text=[f"{row['customers']:,}" for row in shown],
        textposition="inside",
        textangle=0,
        insidetextfont={"color": look.ON_COLOUR},
        hovertext=[
            f"{look.words(row['segment'])}, {name}: {count_text(row['customers'], 'customer')}" for row in shown
        ],
        hoverinfo="text",
    )


def leakage_by_type(rows: Sequence[Row], currency: str) -> go.Figure:
    """What each kind of leakage costs, the largest on top; kinds that cannot be looked for are named below.

    `rows` are those of leakage_summary.
    """
    known = [row for row in rows if row["estimated_revenue_loss"] is not None]
    unknown = look.left_out([row["leakage_type"] for row in rows if row["estimated_revenue_loss"] is None])
    if not known:
        return look.nothing(unknown or "No kind of leakage is looked for.")
    known.sort(key=lambda row: (-row["estimated_revenue_loss"], row["leakage_type"]))
    losses = [row["estimated_revenue_loss"] for row in known]
    names = [look.words(row["leakage_type"]) for row in known]
    said = [money(loss, currency) for loss in losses]
    bars = look.level_bars(
        losses,
        said,
        [
            f"{name}: {loss} in {row['cases']:,} case{'' if row['cases'] == 1 else 's'}"
            for name, loss, row in zip(names, said, known, strict=True)
        ],
        SECOND,
    )
    drawn = look.figure(
        bars,
        height=look.bars_height(len(known)),
        xaxis=look.axis_of(losses, "money", currency) | look.with_room(losses),
        yaxis=look.downwards(names),
    )
    return look.noted(drawn, unknown)


def driver_counts(churn_evidence: ir.Table, churn_risk_profiles: ir.Table) -> ir.Table:
    """One row per churn rule that fired: its rule_id and driver_label, for how many customers, and their mrr (money).

    The most frequent first.
    """
    paid = churn_evidence.join(churn_risk_profiles.select("customer_id", "mrr"), "customer_id")
    sums = paid.group_by("rule_id", "driver_label").aggregate(customers=_.count(), mrr=_.mrr.sum())
    return sums.order_by(_.customers.desc(), _.rule_id)


def drivers(rows: Sequence[Row], currency: str) -> go.Figure:
    """For how many customers each driver of churn risk fired; hovering says what they pay."""
    if not rows:
        return look.nothing("No churn rule fired.")
    shown, note = look.shortened(rows, "customers")
    names = [look.words(row["driver_label"]) for row in shown]
    bars = look.level_bars(
        [row["customers"] for row in shown],
        [f"{row['customers']:,}" for row in shown],
        [
            f"{name}: {count_text(row['customers'], 'customer')} with {value_text(row['mrr'], 'money', currency)} MRR"
            for name, row in zip(names, shown, strict=True)
        ],
        TOTAL,
    )
    counts = [row["customers"] for row in shown]
    drawn = look.figure(
        bars,
        height=look.bars_height(len(shown)),
        xaxis=look.axis_of(counts, "count", currency) | look.with_room(counts) | {"title": {"text": "Customers"}},
        yaxis=look.downwards(names),
    )
    return look.noted(drawn, note)
