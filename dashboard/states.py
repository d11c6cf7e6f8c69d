"""What a page says when there is nothing to show, or when it should not be trusted as it is."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from ibis import _

from dashboard.escape import plain
from dashboard.links import link
from dashboard.reading import Reading, published_path
from resources.published_snapshot import MAKE_ONE, NoSnapshot, Version, version_of
from rules.loading.problems import RulesError
from rules.text.formats import age_text

LOOKS_EVERY = dt.timedelta(seconds=10)
LOG = logging.getLogger("productpulse.dashboard")


@contextmanager
def told_in_words() -> Iterator[None]:
    """Whatever goes wrong inside is said in a sentence with what to do; the server's log has the rest."""
    try:
        yield
    except NoSnapshot as problem:
        st.error(plain(problem), icon=":material/cloud_off:")
        st.markdown("This page shows a new snapshot by itself as soon as there is one.")
        watch(_published_now())
    except RulesError as problem:
        st.error(plain(problem, limit=4000), icon=":material/rule:")
        st.markdown("Mend the file, then load this page again.")
    except Exception as problem:  # nobody is shown a stack trace, whatever a snapshot may hold
        LOG.exception("a page could not be shown")
        st.error(
            f"This page cannot be shown ({plain(type(problem).__name__)}). The dashboard's log says why. "
            f"If the snapshot is from an earlier version, make it anew with: `{MAKE_ONE}`",
            icon=":material/error:",
        )


@st.fragment(run_every=LOOKS_EVERY)
def watch(showing: Version | None) -> None:
    """Show the page anew as soon as another snapshot is published than the one it shows, or could not show."""
    if (now := _published_now()) and now != showing:
        st.rerun()


def _published_now() -> Version | None:
    try:
        return version_of(published_path())
    except NoSnapshot:
        return None


def how_old(reading: Reading) -> None:
    """The age of the snapshot, and what to run if it is stale."""
    now = dt.datetime.now()  # the age of a file is a thing of the clock
    st.caption(f"As of **{reading.as_of}**, published {reading.version.age(now)}.")
    if reading.version.is_stale(now):
        unchecked = age_text(now - reading.version.confirmed)
        st.warning(
            f"This snapshot is {unchecked} old: what happened since is not in it. Make a new one with: `{MAKE_ONE}`",
            icon=":material/schedule:",
        )
    watch(reading.version)


def how_complete(reading: Reading) -> None:
    """Which datasets are absent, so that what rests on them is not available."""
    absent = absent_datasets(reading)
    if absent:
        st.info(f"Not in the data: {plain(', '.join(absent))}. What rests on it says so.", icon=":material/info:")
        link("data_quality", "What to add")


def absent_datasets(reading: Reading) -> list[str]:
    """The datasets that the snapshot was made without."""
    stock = reading.table("source_inventory")
    return [row["dataset"] for row in reading.rows(stock.filter(~_.is_available).order_by("dataset"))]


def nothing(what: str, do: str) -> None:
    """In place of an empty table or chart: what there is none of, and what to do next."""
    st.info(f"{what} {do}".strip(), icon=":material/inbox:")


def lacking(reading: Reading, datasets: set[str], what: str) -> bool:
    """Say that something is not available, if it rests on datasets that are absent; whether it is so."""
    missing = sorted(datasets & set(absent_datasets(reading)))
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        nothing(
            f"{what} not available: {plain(', '.join(missing))} {verb} not in the data.",
            f"Add the export and run `{MAKE_ONE}`.",
        )
    return bool(missing)
