"""The pages by name, and links between them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import streamlit as st


@dataclass(frozen=True)
class View:
    """A page: its name, which is its file in `views` and its address, its title and its icon."""

    name: str
    title: str
    icon: str

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
        View("executive_cockpit", "Executive Cockpit", "dashboard"),
        View("top_actions", "Top Actions", "checklist"),
        View("customer_360", "Customer 360", "person_search"),
    ),
    "Revenue and customers": (
        View("kpi_review", "KPI Review", "monitoring"),
        View("lists", "Lists", "list"),
        View("risk_queue", "Risk Queue", "warning"),
        View("renewals", "Renewals", "event_repeat"),
        View("revenue_leakage", "Revenue Leakage", "water_drop"),
        View("cohort_retention", "Cohort Retention", "grid_on"),
        View("funnel_analysis", "Funnel Analysis", "filter_alt"),
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
    """Show a link to a page; `state` are the parameters of its address, and `label` is Markdown."""
    st.page_link(VIEWS[name].file, label=label, icon=f":material/{VIEWS[name].icon}:", query_params=state or None)


def page_address(name: str, **state: str) -> str:
    """The address of a page with parameters, for links in tables."""
    parameters = "&".join(f"{key}={quote(str(value), safe='')}" for key, value in state.items())
    return f"{VIEWS[name].path}?{parameters}" if parameters else VIEWS[name].path
