"""The pages by name, and links between them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

import streamlit as st

KEPT = "kept_parameters"
"""Where the session has the period and the filters, so that links to other pages keep them."""


@dataclass(frozen=True)
class View:
    """A page: its name, which is its file in `views` and its address, its title and its icon.

    has_filters: the filter bar is above it. has_period: so is the period, which its numbers follow.
    """

    name: str
    title: str
    icon: str
    has_filters: bool = False
    has_period: bool = False

    @property
    def path(self) -> str:
        """The page's address without parameters; the first page is at the root."""
        return "/" if self is FIRST else f"/{self.name}"

    @property
    def file(self) -> str:
        """The page's file, relative to app.py."""
        return f"views/{self.name}.py"


SECTIONS = {
    "Today": (
        View("executive_cockpit", "Executive Cockpit", "dashboard", has_filters=True, has_period=True),
        View("top_actions", "Top Actions", "checklist", has_filters=True),
        View("customer_360", "Customer 360", "person_search"),
    ),
    "Revenue and customers": (
        View("kpi_review", "KPI Review", "monitoring", has_filters=True, has_period=True),
        View("lists", "Lists", "list"),
        View("risk_queue", "Risk Queue", "warning", has_filters=True),
        View("renewals", "Renewals", "event_repeat"),
        View("outlook", "Outlook", "trending_up"),
        View("revenue_leakage", "Revenue Leakage", "water_drop", has_filters=True),
        View("cohort_retention", "Cohort Retention", "grid_on", has_filters=True),
        View("funnel_analysis", "Funnel Analysis", "filter_alt", has_filters=True),
        View("scenario_simulator", "Scenario Simulator", "tune"),
    ),
    "Data and evidence": (
        View("data_quality", "Data Quality", "fact_check"),
        View("decision_traces", "Decision Traces", "account_tree"),
        View("metric_lineage", "Metric Lineage", "schema"),
    ),
}
FIRST = SECTIONS["Today"][0]
VIEWS = {view.name: view for views in SECTIONS.values() for view in views}


def link(name: str, label: str, **state: str) -> None:
    """Show a link to a page; `state` are the parameters of its address, and `label` is Markdown.

    The link keeps the period and the filters.
    """
    st.page_link(
        VIEWS[name].file, label=label, icon=f":material/{VIEWS[name].icon}:", query_params={**kept(), **state} or None
    )


def page_address(name: str, **state: str) -> str:
    """The address of a page with parameters, for links in tables; it keeps the period and the filters."""
    parameters = urlencode({**kept(), **state}, doseq=True)
    return f"{VIEWS[name].path}?{parameters}" if parameters else VIEWS[name].path


def kept() -> dict[str, str | list[str]]:
    """The period and the filters as parameters of an address."""
    return dict(st.session_state.get(KEPT, {}))
