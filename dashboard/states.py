"""Messages in place of a page or a part of it: errors, an old snapshot, absent datasets, no rows."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from ibis import _

from dashboard.escape import markdown_text
from dashboard.links import link
from dashboard.reading import Reading, published_path
from resources.published_snapshot import RUN_COMMAND, NoSnapshot, Version, version_of
from rules.text.errors import ProductPulseError
from rules.text.formats import age_text

CHECK_INTERVAL = dt.timedelta(seconds=10)
LOG = logging.getLogger("productpulse.dashboard")


@contextmanager
def show_errors() -> Iterator[None]:
    """Show an error inside as a sentence with what to do; the server's log has the stack trace."""
    try:
        yield
    except NoSnapshot as problem:
        st.error(markdown_text(problem), icon=":material/cloud_off:")
        st.markdown("This page updates by itself when a snapshot is published.")
        watch_snapshot(_published_now())
    except ProductPulseError as problem:
        st.error(markdown_text(problem, limit=4000), icon=":material/rule:")
        st.markdown("Fix this, then reload the page.")
    except Exception as problem:  # a page never shows a stack trace, whatever the snapshot contains
        LOG.exception("a page could not be shown")
        st.error(
            f"This page cannot be shown ({markdown_text(type(problem).__name__)}). The dashboard's log has details. "
            f"If an earlier version of ProductPulse wrote the snapshot, replace it with: `{RUN_COMMAND}`",
            icon=":material/error:",
        )


@st.fragment(run_every=CHECK_INTERVAL)
def watch_snapshot(shown: Version | None) -> None:
    """Rerun the page when a snapshot is published other than `shown`; None if the page could not show one."""
    if (published := _published_now()) and published != shown:
        st.rerun()


def _published_now() -> Version | None:
    try:
        return version_of(published_path())
    except NoSnapshot:
        return None


def show_age(reading: Reading) -> None:
    """Show the age of the snapshot, and what to run if it is stale."""
    now = dt.datetime.now()  # the age of a file depends on the clock
    st.caption(f"As of **{reading.as_of}**, published {reading.version.age(now)}.")
    if reading.version.is_stale(now):
        unchecked = age_text(now - reading.version.confirmed)
        st.warning(
            f"This snapshot is {unchecked} old and does not contain newer data. "
            f"Publish a new one with: `{RUN_COMMAND}`",
            icon=":material/schedule:",
        )
    watch_snapshot(reading.version)


def show_absent_datasets(reading: Reading) -> None:
    """Show which datasets are absent, so that metrics that need them are not available."""
    absent = absent_datasets(reading)
    if absent:
        st.info(
            f"Not in the data: {markdown_text(', '.join(absent))}. "
            f"Metrics that need {'it' if len(absent) == 1 else 'them'} show “not available”.",
            icon=":material/info:",
        )
        link("data_quality", "What to add")


def absent_datasets(reading: Reading) -> list[str]:
    """The datasets that were absent in the run of the snapshot."""
    inventory = reading.table("source_inventory")
    return [row["dataset"] for row in reading.rows(inventory.filter(~_.is_available).order_by("dataset"))]


def show_empty_state(message: str, advice: str = "") -> None:
    """Show a message in place of an empty table or chart, with what to do next."""
    st.info(f"{message} {advice}".strip(), icon=":material/inbox:")


def show_if_absent(reading: Reading, datasets: set[str], subject: str) -> bool:
    """Show that `subject` is not available if one of its datasets is absent; return whether one is.

    `subject` includes its verb: `Usage is`, `Payments are`.
    """
    missing = sorted(datasets & set(absent_datasets(reading)))
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        show_empty_state(
            f"{subject} not available: {markdown_text(', '.join(missing))} {verb} not in the data.",
            f"Add the export and run `{RUN_COMMAND}`.",
        )
    return bool(missing)
