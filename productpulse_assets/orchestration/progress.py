"""The progress of a run, asset by asset."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
import dagster as dg

Follow = Callable[[dg.DagsterEvent], None]
"""Called with each event of a run as it happens."""


@contextmanager
def progress(assets: int) -> Iterator[Follow]:
    """A live bar on a terminal; elsewhere a line for each asset."""
    if sys.stdout.isatty():
        with live_bar(assets) as follow:
            yield follow
    else:
        yield plain_lines(assets)


def plain_lines(assets: int) -> Follow:
    """Progress as one line for each asset, for output that is not a terminal."""
    since: dict[str | None, float] = {}
    done = 0

    def follow(event: dg.DagsterEvent) -> None:
        nonlocal done
        if event.event_type == dg.DagsterEventType.STEP_START:
            since[event.step_key] = time.perf_counter()
        elif event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            done += 1
            now = time.perf_counter()
            seconds, since[event.step_key] = now - since[event.step_key], now
            click.echo(f"[{done:>2}/{assets}] {_asset_name(event):<32} {seconds:6.2f} s")
        elif event.event_type == dg.DagsterEventType.STEP_FAILURE:
            click.echo(f"        {event.step_key:<32} failed")

    return follow


def _asset_name(event: dg.DagsterEvent) -> str:
    """The asset that an event is about; an empty text for an event without one."""
    return event.asset_key.path[-1] if event.asset_key else ""


@contextmanager
def live_bar(assets: int) -> Iterator[Follow]:
    """Progress as a bar that is redrawn, for a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<32}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task("starting", total=assets)

        def follow(event: dg.DagsterEvent) -> None:
            if event.event_type == dg.DagsterEventType.STEP_START:
                bar.update(task, description=event.step_key)
            elif event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
                bar.update(task, advance=1, description=_asset_name(event))

        yield follow
