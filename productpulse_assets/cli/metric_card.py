"""One metric as lines of text: its definition, value, history, slices, sources and owner."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterator, Sequence

from ibis import _

from resources.published_snapshot import Snapshot
from rules.metrics.models import MetricCatalog
from rules.text.errors import ProductPulseError
from rules.text.formats import change_text, value_text

BLOCKS = "▁▂▃▄▅▆▇█"
MONTHS_SHOWN = 12
MEMBERS_SHOWN = 6
SUGGESTIONS = 3


def find_metric(catalog: MetricCatalog, text: str) -> str:
    """The name of the metric that has this name, label or alias; raises ProductPulseError (metric.unknown).

    Small and capital letters are the same.
    """
    wanted = text.casefold()
    for name, metric in catalog.metrics.items():
        if wanted in {text.casefold() for text in (name, metric.label, *metric.aliases)}:
            return name
    raise ProductPulseError(
        "metric.unknown", f"There is no metric '{text}'. {_similar_metrics(catalog, text)}", name=text
    )


def _similar_metrics(catalog: MetricCatalog, text: str) -> str:
    """A sentence with the metrics of similar names; with all metrics if there are none."""
    names = {
        known.casefold(): name
        for name, metric in catalog.metrics.items()
        for known in (*metric.aliases, metric.label, name)
    }
    near = difflib.get_close_matches(text.casefold(), names, n=len(names), cutoff=0.6)
    similar = list(dict.fromkeys(names[known] for known in near))[:SUGGESTIONS]
    return f"Did you mean: {', '.join(similar)}?" if similar else f"The metrics are: {', '.join(catalog.metrics)}."


def card_lines(snapshot: Snapshot, name: str, currency: str) -> Iterator[str]:
    """All that the published snapshot has about a metric."""
    about = snapshot.rows(snapshot.table("metric_lineage").filter(_.metric_name == name))[0]
    now = snapshot.rows(snapshot.table("kpi_summary").filter(_.metric_name == name))[0]
    yield f"{about['display_name']} ({name})"
    yield from _wrapped("", about["definition"])
    yield ""
    yield from _wrapped("Formula", about["formula"])
    yield from _wrapped("Now", now["explanation"] if now["value"] is not None else now["not_available_reason"])
    if now["period_start"]:
        yield from _wrapped("Period", f"{now['period_start']} to {now['period_end']}")
    if now["target_value"] is not None:
        target = value_text(now["target_value"], now["unit"], currency)
        gap = change_text(now["target_gap"], now["unit"], currency)
        yield from _wrapped("Target", f"{target}, {now['target_status'].lower()} ({gap})")
    yield from _history(snapshot, name, now["unit"], currency)
    yield from _slices(snapshot, name, now["unit"], currency)
    yield from _wrapped("Meaning", about["interpretation"])
    yield from _wrapped("Caution", about["risk_if_misread"])
    if about["benchmark"]:
        yield from _wrapped("Benchmark", about["benchmark"])
    yield from _wrapped("From", about["source_columns"])
    yield from _wrapped("Owner", about["owner"])


def _wrapped(title: str, text: str) -> list[str]:
    indent = " " * 11
    return textwrap.wrap(
        text, 96, initial_indent=f"{title:<11}" if title else "", subsequent_indent=indent if title else ""
    )


def _history(snapshot: Snapshot, name: str, unit: str, currency: str) -> Iterator[str]:
    """The last twelve complete months as a sparkline, with the lowest and the highest value."""
    history = snapshot.table("kpi_history").filter(_.metric_name == name, _.is_complete, _.value.notnull())
    months = snapshot.rows(history.order_by(_.month.desc()).limit(MONTHS_SHOWN))[::-1]
    if len(months) < 2:
        return
    values = [row["value"] for row in months]
    yield (
        f"{'History':<11}{sparkline(values)}  {months[0]['month']:%b %Y} to {months[-1]['month']:%b %Y}, "
        f"{value_text(min(values), unit, currency)} to {value_text(max(values), unit, currency)}"
    )


def sparkline(values: Sequence[float]) -> str:
    """One block per value, from the lowest to the highest; a flat line when all are equal."""
    low, high = min(values), max(values)
    steps = len(BLOCKS) - 1
    return "".join(BLOCKS[round((value - low) / (high - low) * steps)] if high > low else BLOCKS[0] for value in values)


def _slices(snapshot: Snapshot, name: str, unit: str, currency: str) -> Iterator[str]:
    """One line per dimension: the members with the most customers."""
    slices = snapshot.table("kpi_by_segment").filter(_.metric_name == name, _.is_latest)
    rows = snapshot.rows(slices.order_by("dimension", _.customers.desc(), "member"))
    for dimension in dict.fromkeys(row["dimension"] for row in rows):
        members = [row for row in rows if row["dimension"] == dimension][:MEMBERS_SHOWN]
        shown = ", ".join(f"{row['member']} {value_text(row['value'], unit, currency)}" for row in members)
        yield from _wrapped("By", f"{dimension}: {shown}")
