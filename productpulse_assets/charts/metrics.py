"""A metric over time and by dimension, the health of the business, and the lineage of a metric."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from productpulse_assets.charts import look
from productpulse_assets.charts.look import Row
from productpulse_assets.charts.palette import MAIN, SECOND, TOTAL, colour_of
from rules.text.formats import count_text, is_unknown, value_text


def history(rows: Sequence[Row], label: str, unit: str, currency: str, target: float | None = None) -> go.Figure:
    """A metric per month; a month that is not complete yet has a dotted line and an open mark.

    Rows: month, is_complete, value (in the metric's unit), in order.
    """
    known = [row for row in rows if not is_unknown(row["value"])]
    if not known:
        return look.message_figure(f"{label} is not available in any month.")
    complete = [row for row in rows if row["is_complete"]]
    incomplete = [row for row in known if not row["is_complete"]]
    lines = [_line(complete, label, unit, currency)]
    if incomplete:
        before = [row for row in known if row["is_complete"] and row["month"] < incomplete[0]["month"]][-1:]
        lines.append(_incomplete_line(before + incomplete, label, unit, currency))
    values = [row["value"] for row in known]
    if target is not None and not is_unknown(target):
        lines.append(_target_line(rows, target, value_text(target, unit, currency)))
        values.append(target)
    return look.figure(
        *lines,
        showlegend=len(lines) > 1,
        xaxis=look.months_axis(len(rows)),
        yaxis=look.value_axis(values, unit, currency) | {"rangemode": "normal" if unit == "rate" else "tozero"},
    )


def _line(rows: Sequence[Row], label: str, unit: str, currency: str) -> go.Scatter:
    return go.Scatter(
        x=[row["month"] for row in rows],
        y=[look.number(row["value"]) for row in rows],
        name=look.plotly_text(label),
        mode="lines+markers",
        line={"color": MAIN, "width": 2},
        marker={"size": 6},
        hovertext=[f"{look.month_label(row['month'])}: {value_text(row['value'], unit, currency)}" for row in rows],
        hoverinfo="text",
        customdata=[[f"{row['month']:%Y-%m}"] for row in rows],
    )


def _incomplete_line(rows: Sequence[Row], label: str, unit: str, currency: str) -> go.Scatter:
    """The months that are not complete, joined to the complete month before them, whose mark is hidden."""
    line = _line(rows, label, unit, currency)
    hover = [
        "" if row["is_complete"] else f"{text} (month not complete)"
        for row, text in zip(rows, line.hovertext, strict=True)
    ]
    sizes = [0 if row["is_complete"] else 8 for row in rows]
    return line.update(
        name="Month not complete",
        line={"dash": "dot"},
        marker={"symbol": "circle-open", "size": sizes},
        hovertext=hover,
    )


def _target_line(rows: Sequence[Row], target: float, text: str) -> go.Scatter:
    return go.Scatter(
        x=[rows[0]["month"], rows[-1]["month"]],
        y=[target, target],
        name=f"Target {text}",
        mode="lines",
        line={"color": SECOND, "width": 2, "dash": "dash"},
        hovertext=f"Target: {text}",
        hoverinfo="text",
    )


def slices(rows: Sequence[Row], label: str, unit: str, currency: str) -> go.Figure:
    """A metric by the members of one dimension, the largest value on top; members without a value are listed below.

    Rows: member, value (in the metric's unit), customers.
    """
    known = [row for row in rows if not is_unknown(row["value"])]
    not_available = look.not_available_note([row["member"] for row in rows if is_unknown(row["value"])])
    if not known:
        return look.message_figure(f"{label} is not available for any group of customers.")
    shown, note = look.keep_largest(sorted(known, key=lambda row: (-row["value"], str(row["member"]))), "customers")
    names = [look.plotly_text(row["member"]) for row in shown]
    values = [row["value"] for row in shown]
    texts = [value_text(value, unit, currency) for value in values]
    hover = [
        f"{name}: {text} ({count_text(row['customers'] or 0, 'customer')})"
        for name, text, row in zip(names, texts, shown, strict=True)
    ]
    chart = look.figure(
        look.horizontal_bars(values, texts, hover, TOTAL, [[str(row["member"])] for row in shown]),
        height=look.bars_height(len(shown)),
        xaxis=look.value_axis(values, unit, currency) | look.bar_range(values),
        yaxis=look.top_down_axis(names),
    )
    return look.add_note(chart, " ".join(filter(None, (note, not_available))))


def health(rows: Sequence[Row]) -> go.Figure:
    """The scores of the health areas from 0 to 100, the lowest on top, in the colour of their status.

    `rows` are those of health_scores; areas without a score are listed below as not available.
    """
    known = sorted((row for row in rows if row["score"] is not None), key=lambda row: (row["score"], row["area"]))
    not_available = look.not_available_note([row["area"] for row in rows if row["score"] is None])
    if not known:
        return look.message_figure(not_available or "No health area is defined.")
    names = [look.plotly_text(row["area"]) for row in known]
    texts = [f"{row['score']:.0f} {look.plotly_text(row['status'])}" for row in known]
    chart = look.figure(
        look.horizontal_bars(
            [row["score"] for row in known],
            texts,
            [f"{name}: {text}" for name, text in zip(names, texts, strict=True)],
            [colour_of(row["status"]) for row in known],
            [[str(row.get("metric_name"))] for row in known],
        ),
        height=look.bars_height(len(known)),
        xaxis={"range": [0, 118], "tickvals": [0, 25, 50, 75, 100]},
        yaxis=look.top_down_axis(names),
    )
    return look.add_note(chart, not_available)


class LineageNode(NamedTuple):
    """A box of the lineage graph; layers count from 0, from left to right."""

    id: str
    label: str
    layer: int
    colour: str


LABEL_LENGTH = 36
"""Characters of a node's label: a longer one would overlap the next layer."""

NODE_HEIGHT = 26
LAST_LAYER = 0.78
"""The position of the last layer, as a share of the width; its labels are to its right."""


def lineage(nodes: Sequence[LineageNode], links: Sequence[tuple[str, str]]) -> go.Figure:
    """A flow from left to right whose links are equally wide.

    links: (id of the source node, id of the target node).
    """
    if not nodes or not links:
        return look.message_figure("There is no lineage to show.")
    places = {node.id: place for place, node in enumerate(nodes)}
    ends = [(places[source], places[target]) for source, target in links]
    x, y = _positions(nodes, ends)
    last = max(node.layer for node in nodes)
    names = [look.plotly_text(node.label) for node in nodes]
    graph = go.Sankey(
        arrangement="fixed",
        domain={"x": [0, LAST_LAYER]},
        textfont={"shadow": "none"},
        node={
            # Plotly writes the labels of the last layer to its left, where they overlap those of the layer before.
            "label": ["" if node.layer == last else look.plotly_text(node.label, LABEL_LENGTH) for node in nodes],
            "x": x,
            "y": y,
            "color": [node.colour for node in nodes],
            "customdata": names,
            "hovertemplate": "%{customdata}<extra></extra>",
            "pad": 12,
            "thickness": 14,
            "line": {"width": 0},
        },
        link={
            "source": [source for source, _target in ends],
            "target": [target for _source, target in ends],
            "value": [1] * len(ends),
            "color": "rgba(128,128,128,0.3)",
            "customdata": [f"{names[source]} → {names[target]}" for source, target in ends],
            "hovertemplate": "%{customdata}<extra></extra>",
        },
    )
    last_labels = [_last_label(node, top) for node, top in zip(nodes, y, strict=True) if node.layer == last]
    widest = max(Counter(node.layer for node in nodes).values())
    return look.figure(graph, height=max(look.HEIGHT, 60 + NODE_HEIGHT * widest), annotations=last_labels)


def _last_label(node: LineageNode, top: float) -> dict[str, object]:
    return {
        "text": look.plotly_text(node.label, LABEL_LENGTH), "x": LAST_LAYER, "y": 1 - top, "xanchor": "left",
        "xshift": 4, "xref": "paper", "yref": "paper", "showarrow": False,
    }  # fmt: skip


def _positions(nodes: Sequence[LineageNode], ends: Sequence[tuple[int, int]]) -> tuple[list[float], list[float]]:
    """Each node's x by its layer, and its y from the top in the order given, both from 0 to 1."""
    heights = [
        max(1, sum(place == source for source, _target in ends), sum(place == target for _source, target in ends))
        for place in range(len(nodes))
    ]
    layers: dict[int, list[int]] = {}
    for place, node in enumerate(nodes):
        layers.setdefault(node.layer, []).append(place)
    y = [0.0] * len(nodes)
    for places in layers.values():
        total, above = sum(heights[place] for place in places), 0
        for place in places:
            y[place] = (above + heights[place] / 2) / total
            above += heights[place]
    last = max(layers) or 1
    return [_inside(node.layer / last) for node in nodes], [_inside(share) for share in y]


def _inside(share: float) -> float:
    """A position that is not 0, which plotly treats as not given."""
    return min(0.999, max(0.001, share))
