"""The pages by name, and links from one to another that say what to show there."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import streamlit as st


@dataclass(frozen=True)
class View:
    """A page: its file below `views`, which is its address too, its title and its icon."""

    name: str
    title: str
    icon: str

    @property
    def path(self) -> str:
        """The page's address, without what it is to show; the first page is at the root."""
        return "/" if self is FIRST else f"/{self.name}"

    @property
    def file(self) -> str:
        """The page's file, as Streamlit knows it."""
        return f"views/{self.name}.py"


SECTIONS = {
    "Today": (
        View("executive_cockpit", "Executive Cockpit", "dashboard"),
        View("top_actions", "Top Actions", "checklist"),
        View("customer_360", "Customer 360", "person_search"),
    ),
    "Revenue and customers": (
        View("kpi_review", "KPI Review", "monitoring"),
        View("risk_queue", "Risk Queue", "warning"),
        View("revenue_leakage", "Revenue Leakage", "water_drop"),
        View("cohort_retention", "Cohort Retention", "grid_on"),
        View("funnel_analysis", "Funnel Analysis", "filter_alt"),
        View("scenario_simulator", "Scenario Simulator", "tune"),
    ),
    "Trust": (
        View("data_quality", "Data Quality", "fact_check"),
        View("decision_traces", "Decision Traces", "account_tree"),
        View("metric_lineage", "Metric Lineage", "schema"),
    ),
}
FIRST = SECTIONS["Today"][0]
VIEWS = {view.name: view for views in SECTIONS.values() for view in views}


def link(name: str, label: str, **state: str) -> None:
    """A link to a page; `state` is what its address says. `label` is Markdown."""
    st.page_link(VIEWS[name].file, label=label, icon=f":material/{VIEWS[name].icon}:", query_params=state or None)


def address(name: str, **state: str) -> str:
    """The address of a page, as a cell of a table links to it."""
    told = "&".join(f"{key}={quote(str(value), safe='')}" for key, value in state.items())
    return f"{VIEWS[name].path}?{told}" if told else VIEWS[name].path
