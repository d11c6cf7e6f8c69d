"""A benchmark's figures as data and as lines of text."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from statistics import median

from tests.benchmarks.measure import Cost

Figures = dict[str, object]

BEYOND_STEPS = "(outside of steps)"
"""The time before the first step, between steps and after the last."""
SHOWN_SECONDS = 0.02
"""Assets and checks that take less are only in the JSON."""
SAME_IN_BOTH = ("customers", "format", "rows")


class NotComparable(Exception):
    """Two benchmarks had different input; the message says in what they differ."""


@dataclass(frozen=True)
class Run:
    """One run of the graph: its cost, seconds by step (`steps`) and by asset and check (`parts`), and the cost of the
    read by DuckDB alone right before it (`floor`)."""

    whole: Cost
    floor: Cost
    steps: Mapping[str, float]
    parts: Mapping[str, float]


def figures(customers: int, file_format: str, rows: Mapping[str, int], runs: Sequence[Run]) -> Figures:
    """The medians of `runs`, and the facts of the input and the machine."""
    whole, floor = median_cost([run.whole for run in runs]), median_cost([run.floor for run in runs])
    steps = medians([run.steps for run in runs])
    beyond = median(run.whole.wall_seconds - sum(run.steps.values()) for run in runs)
    return {
        "customers": customers,
        "format": file_format,
        "rows": sum(rows.values()),
        "runs": len(runs),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "whole": asdict(whole),
        "rows_per_second": sum(rows.values()) / whole.wall_seconds,
        "floor": asdict(floor),
        "ratio_to_floor": whole.wall_seconds / floor.wall_seconds,
        "steps": {**steps, BEYOND_STEPS: beyond},
        "parts": medians([run.parts for run in runs]),
        "each_run": [asdict(run.whole) for run in runs],
    }


def medians(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each entry of the first run, the largest first."""
    found = {name: median(run[name] for run in runs if name in run) for name in runs[0]}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def median_cost(costs: Sequence[Cost]) -> Cost:
    return Cost(*(median(getattr(cost, field.name) for cost in costs) for field in fields(Cost)))


def lines(now: Figures) -> Iterator[str]:
    """The figures as a table."""
    whole, floor = now["whole"], now["floor"]
    yield f"{now['customers']:,} customers, {now['rows']:,} rows as {now['format']}, median of {now['runs']} run(s)"
    yield f"{'':<32} {'wall s':>10} {'cpu s':>10} {'peak MB':>10}"
    yield _cost_line("productpulse run", whole)
    yield _cost_line("DuckDB alone, reading the files", floor)
    yield f"{'run / DuckDB alone':<32} {now['ratio_to_floor']:>9.1f}x"
    yield f"{'rows per second':<32} {now['rows_per_second']:>10,.0f}"
    yield ""
    yield f"{'step':<32} {'seconds':>10} {'share':>10}"
    for name, seconds in now["steps"].items():
        yield f"{name:<32} {seconds:>10.2f} {seconds / whole['wall_seconds']:>10.1%}"
    yield ""
    yield f"{'asset, or asset: check':<32} {'seconds':>10} {'of floor':>10}"
    shown = {name: seconds for name, seconds in now["parts"].items() if seconds >= SHOWN_SECONDS}
    for name, seconds in shown.items():
        yield f"{name:<32} {seconds:>10.2f} {seconds / floor['wall_seconds']:>9.2f}x"
    yield f"{len(now['parts']) - len(shown)} others take less than {SHOWN_SECONDS} s each."


def _cost_line(name: str, cost: Mapping[str, float]) -> str:
    return f"{name:<32} {cost['wall_seconds']:>10.2f} {cost['cpu_seconds']:>10.2f} {cost['peak_memory_mb']:>10,.0f}"


def ratios(now: Figures, before: Figures) -> dict[str, float]:
    """`now` / `before` of every figure that both have: below 1 is faster, or smaller.

    Raises NotComparable if they did not read the same company.
    """
    for name in SAME_IN_BOTH:
        if now[name] != before[name]:
            raise NotComparable(f"This benchmark's {name} is {now[name]}, the other's {before[name]}.")
    pairs = dict(_pairs(now, before))
    return {name: new / old for name, (new, old) in pairs.items() if old > 0}


def _pairs(now: Figures, before: Figures) -> Iterator[tuple[str, tuple[float, float]]]:
    for part in ("whole", "floor"):
        for name, new in now[part].items():
            yield f"{part} {name}", (new, before[part][name])
    for kind in ("steps", "parts"):
        for name, new in now[kind].items():
            if name in before[kind]:
                yield f"{kind[:-1]} {name}", (new, before[kind][name])


def comparison(now: Figures, before: Figures) -> Iterator[str]:
    """The ratios as a table, and the steps that only one of the two has."""
    yield f"{'now / before':<32} {'ratio':>10}"
    for name, ratio in ratios(now, before).items():
        yield f"{name:<32} {ratio:>10.2f}"
    for word, some, other in (("new", now, before), ("gone", before, now)):
        if only := [name for name in some["steps"] if name not in other["steps"]]:
            yield f"{word}: {', '.join(only)}"
