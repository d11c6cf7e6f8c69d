"""Churn risk by segment and by driver, and revenue leakage by kind."""

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
    """One row per segment and risk band, with the number of paying customers and their mrr (money)."""
    profiles = churn_risk_profiles.mutate(segment=_.segment.fill_null("Unknown"))
    sums = profiles.group_by("segment", "risk_band").aggregate(customers=_.count(), mrr=_.mrr.sum())
    return sums.order_by("segment", "risk_band")


def risk_by_segment(rows: Sequence[Row], bands: Sequence[str]) -> go.Figure:
    """The customers of each segment by risk band.

    Rows: segment, risk_band, customers. `bands` has all bands, the highest risk first.
    """
    if not rows:
        return look.message_figure("There are no paying customers on the as-of date.")
    totals: dict[str, int] = {}
    for row in rows:
        totals[row["segment"]] = totals.get(row["segment"], 0) + row["customers"]
    largest = sorted(totals, key=lambda name: (-totals[name], name))
    segments = largest[: look.MEMBERS_SHOWN]
    places = {segment: place for place, segment in enumerate(segments)}
    chart = look.figure(
        *(_band_bars([row for row in rows if row["risk_band"] == band], band, places) for band in bands),
        barmode="stack",
        showlegend=True,
        height=look.bars_height(len(segments)) + 40,
        xaxis=look.value_axis(totals.values(), "count", "") | {"title": {"text": "Paying customers"}},
        yaxis=look.top_down_axis([look.plotly_text(segment) for segment in segments]),
    )
    more = len(largest) - len(segments)
    return look.add_note(chart, f"{more:,} smaller segments are not shown." if more else "")


def _band_bars(rows: Sequence[Row], band: str, places: dict[str, int]) -> go.Bar:
    name, shown = look.plotly_text(band), [row for row in rows if row["segment"] in places]
    return go.Bar(
        x=[row["customers"] for row in shown],
        y=[places[row["segment"]] for row in shown],
        orientation="h",
        name=name,
        marker={"color": colour_of(band)},
        text=[f"{row['customers']:,}" for row in shown],
        textposition="inside",
        textangle=0,
        insidetextfont={"color": look.TEXT_ON_COLOUR},
        hovertext=[
            f"{look.plotly_text(row['segment'])}, {name}: {count_text(row['customers'], 'customer')}" for row in shown
        ],
        hoverinfo="text",
        customdata=[[str(row["segment"]), band] for row in shown],
    )


def leakage_by_type(rows: Sequence[Row], currency: str) -> go.Figure:
    """The loss of each kind of leakage, the largest on top; kinds that are not available are listed below.

    `rows` are those of leakage_summary.
    """
    known = [row for row in rows if row["estimated_revenue_loss"] is not None]
    not_available = look.not_available_note(
        [row["leakage_type"] for row in rows if row["estimated_revenue_loss"] is None]
    )
    if not known:
        return look.message_figure(not_available or "There is no kind of leakage to show.")
    known.sort(key=lambda row: (-row["estimated_revenue_loss"], row["leakage_type"]))
    losses = [row["estimated_revenue_loss"] for row in known]
    names = [look.plotly_text(row["leakage_type"]) for row in known]
    texts = [money(loss, currency) for loss in losses]
    hover = [
        f"{name}: {text} in {count_text(row['cases'], 'case')}"
        for name, text, row in zip(names, texts, known, strict=True)
    ]
    bars = look.horizontal_bars(losses, texts, hover, SECOND, [[row["leakage_type"]] for row in known])
    chart = look.figure(
        bars,
        height=look.bars_height(len(known)),
        xaxis=look.value_axis(losses, "money", currency) | look.bar_range(losses),
        yaxis=look.top_down_axis(names),
    )
    return look.add_note(chart, not_available)


def driver_counts(churn_evidence: ir.Table, churn_risk_profiles: ir.Table) -> ir.Table:
    """One row per churn rule that fired, the most frequent first.

    rule_id, driver_label, the number of customers and their mrr (money).
    """
    fired = churn_evidence.join(churn_risk_profiles.select("customer_id", "mrr"), "customer_id")
    sums = fired.group_by("rule_id", "driver_label").aggregate(customers=_.count(), mrr=_.mrr.sum())
    return sums.order_by(_.customers.desc(), _.rule_id)


def drivers(rows: Sequence[Row], currency: str) -> go.Figure:
    """The number of customers with each driver of churn risk; the hover text shows their MRR."""
    if not rows:
        return look.message_figure("No churn rule fired for these customers.")
    shown, note = look.keep_largest(rows, "customers")
    names = [look.plotly_text(row["driver_label"]) for row in shown]
    bars = look.horizontal_bars(
        [row["customers"] for row in shown],
        [f"{row['customers']:,}" for row in shown],
        [
            f"{name}: {count_text(row['customers'], 'customer')} with {value_text(row['mrr'], 'money', currency)} MRR"
            for name, row in zip(names, shown, strict=True)
        ],
        TOTAL,
        [[row["rule_id"]] for row in shown],
    )
    counts = [row["customers"] for row in shown]
    chart = look.figure(
        bars,
        height=look.bars_height(len(shown)),
        xaxis=look.value_axis(counts, "count", currency) | look.bar_range(counts) | {"title": {"text": "Customers"}},
        yaxis=look.top_down_axis(names),
    )
    return look.add_note(chart, note)
