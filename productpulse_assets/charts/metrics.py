"""A metric over time and by parts of the business, the health of its areas, and what it comes from."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from productpulse_assets.charts import look
from productpulse_assets.charts.look import Row
from productpulse_assets.charts.palette import MAIN, SECOND, TOTAL, colour_of
from rules.text.formats import count_text, is_unknown, value_text


def history(rows: Sequence[Row], label: str, unit: str, currency: str, target: float | None = None) -> go.Figure:
    """A metric month by month; a month that is not complete yet hangs on a dotted line, its mark open.

    Rows: month, is_complete, value (in the metric's unit), in order.
    """
    known = [row for row in rows if not is_unknown(row["value"])]
    if not known:
        return look.nothing(f"{label} is not available in any month.")
    whole = [row for row in rows if row["is_complete"]]
    open_ = [row for row in known if not row["is_complete"]]
    lines = [_line(whole, label, unit, currency)]
    if open_:
        before = [row for row in known if row["is_complete"] and row["month"] < open_[0]["month"]][-1:]
        lines.append(_open_line(before + open_, label, unit, currency))
    if not is_unknown(target):
        lines.append(_target_line(rows, float(target), value_text(target, unit, currency)))
    values = [row["value"] for row in known] + ([] if is_unknown(target) else [target])
    return look.figure(
        *lines,
        showlegend=len(lines) > 1,
        xaxis=look.months_axis(len(rows)),
        yaxis=look.axis_of(values, unit, currency) | {"rangemode": "normal" if unit == "rate" else "tozero"},
    )


def _line(rows: Sequence[Row], label: str, unit: str, currency: str) -> go.Scatter:
    return go.Scatter(
        x=[row["month"] for row in rows],
        y=[look.number(row["value"]) for row in rows],
        name=look.words(label),
        mode="lines+markers",
        line={"color": MAIN, "width": 2},
        marker={"size": 6},
        hovertext=[f"{look.month(row['month'])}: {value_text(row['value'], unit, currency)}" for row in rows],
        hoverinfo="text",
    )


def _open_line(rows: Sequence[Row], label: str, unit: str, currency: str) -> go.Scatter:
    drawn = _line(rows, label, unit, currency)
    notes = [
        "" if row["is_complete"] else f"{text} (month not complete)"
        for row, text in zip(rows, drawn.hovertext, strict=True)
    ]
    sizes = [0 if row["is_complete"] else 8 for row in rows]
    return drawn.update(
        name="Month not complete",
        line={"dash": "dot"},
        marker={"symbol": "circle-open", "size": sizes},
        hovertext=notes,
    )


def _target_line(rows: Sequence[Row], target: float, said: str) -> go.Scatter:
    return go.Scatter(
        x=[rows[0]["month"], rows[-1]["month"]],
        y=[target, target],
        name=f"Target {said}",
        mode="lines",
        line={"color": SECOND, "width": 2, "dash": "dash"},
        hovertext=f"Target: {said}",
        hoverinfo="text",
    )


def slices(rows: Sequence[Row], label: str, unit: str, currency: str) -> go.Figure:
    """A metric by the members of one dimension, the largest on top; those without a value are named below.

    Rows: member, value (in the metric's unit), customers.
    """
    known = [row for row in rows if not is_unknown(row["value"])]
    unknown = look.left_out([row["member"] for row in rows if is_unknown(row["value"])])
    if not known:
        return look.nothing(f"{label} is not available for any part of the business.")
    shown, note = look.shortened(sorted(known, key=lambda row: (-row["value"], str(row["member"]))), "customers")
    names = [look.words(row["member"]) for row in shown]
    values = [row["value"] for row in shown]
    said = [value_text(value, unit, currency) for value in values]
    hover = [
        f"{name}: {value} ({count_text(row['customers'] or 0, 'customer')})"
        for name, value, row in zip(names, said, shown, strict=True)
    ]
    drawn = look.figure(
        look.level_bars(values, said, hover, TOTAL),
        height=look.bars_height(len(shown)),
        xaxis=look.axis_of(values, unit, currency) | look.with_room(values),
        yaxis=look.downwards(names),
    )
    return look.noted(drawn, " ".join(filter(None, (note, unknown))))


def health(rows: Sequence[Row]) -> go.Figure:
    """The areas' scores from 0 to 100, the worst on top, in the colours of their status.

    `rows` are those of health_scores; areas without a score are named below as not available.
    """
    known = sorted((row for row in rows if row["score"] is not None), key=lambda row: (row["score"], row["area"]))
    unknown = look.left_out([row["area"] for row in rows if row["score"] is None])
    if not known:
        return look.nothing(unknown or "There is no area to score.")
    names = [look.words(row["area"]) for row in known]
    said = [f"{row['score']:.0f} {look.words(row['status'])}" for row in known]
    drawn = look.figure(
        look.level_bars(
            [row["score"] for row in known],
            said,
            [f"{name}: {score}" for name, score in zip(names, said, strict=True)],
            [colour_of(row["status"]) for row in known],
        ),
        height=look.bars_height(len(known)),
        xaxis={"range": [0, 118], "tickvals": [0, 25, 50, 75, 100]},
        yaxis=look.downwards(names),
    )
    return look.noted(drawn, unknown)


def lineage(nodes: Sequence[tuple[str, str, int, str]], links: Sequence[tuple[str, str]]) -> go.Figure:
    """What comes from what, from left to right, all links alike.

    Nodes: (id, label, layer from 0, colour); links: (id it comes from, id it goes to).
    """
    if not nodes or not links:
        return look.nothing("There is nothing to trace.")
    places = {node[0]: place for place, node in enumerate(nodes)}
    ends = [(places[source], places[target]) for source, target in links]
    across, down, widest = _positions(nodes, ends)
    last = max(layer for _id, _label, layer, _colour in nodes)
    # Plotly writes the labels of the last layer to its left, over those of the one before.
    labels = ["" if layer == last else look.words(label, LABEL) for _id, label, layer, _colour in nodes]
    full = [look.words(label) for _id, label, _layer, _colour in nodes]
    graph = go.Sankey(
        arrangement="fixed",
        domain={"x": [0, LAST_LAYER]},
        textfont={"shadow": "none"},
        node={
            "label": labels,
            "x": across,
            "y": down,
            "color": [colour for _id, _label, _layer, colour in nodes],
            "customdata": full,
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
            "customdata": [f"{full[source]} → {full[target]}" for source, target in ends],
            "hovertemplate": "%{customdata}<extra></extra>",
        },
    )
    beside = [
        {
            "text": look.words(label, LABEL), "x": LAST_LAYER, "y": 1 - y, "xanchor": "left", "xshift": 4,
            "xref": "paper", "yref": "paper", "showarrow": False,
        }
        for (_id, label, layer, _colour), y in zip(nodes, down, strict=True) if layer == last
    ]  # fmt: skip
    return look.figure(graph, height=max(look.HEIGHT, 60 + NODE_HEIGHT * widest), annotations=beside)


LABEL = 36
"""Characters of a node's label: more would run into the next layer."""

NODE_HEIGHT = 26
LAST_LAYER = 0.78
"""Where the last layer stands, in parts of the width; to its right are its labels."""


def _positions(
    nodes: Sequence[tuple[str, str, int, str]], ends: Sequence[tuple[int, int]]
) -> tuple[list[float], list[float], int]:
    """Where each node is, across by its layer and down in the order given, in parts of 1; nodes of the widest layer."""
    weights = [
        max(1, sum(place == source for source, _t in ends), sum(place == target for _s, target in ends))
        for place in range(len(nodes))
    ]
    last = max(layer for _id, _label, layer, _colour in nodes) or 1
    layers: dict[int, list[int]] = {}
    for place, (_id, _label, layer, _colour) in enumerate(nodes):
        layers.setdefault(layer, []).append(place)
    down = [0.0] * len(nodes)
    for places in layers.values():
        total, above = sum(weights[place] for place in places), 0
        for place in places:
            down[place] = (above + weights[place] / 2) / total
            above += weights[place]
    # Plotly takes 0 for unknown.
    across = [min(0.999, max(0.001, layer / last)) for _id, _label, layer, _colour in nodes]
    return across, [min(0.999, max(0.001, share)) for share in down], max(map(len, layers.values()))
