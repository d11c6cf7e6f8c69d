"""The Decision Brief: the actions in view on one page of Markdown, to send or to take along."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir
from ibis import _
from markdown_it import MarkdownIt

from dashboard.plan import most_urgent
from dashboard.reading import Reading
from resources.published_snapshot import Row
from rules.text.formats import name_with_key, value_text
from rules.text.markdown import escape

ACTIONS = 10


def brief(reading: Reading, plan: ir.Table, view: str) -> str:
    """What the interventions in `plan` come to, by owner, and the most urgent of them with their reasons.

    `view` says in words what was searched and filtered for.
    """
    totals = plan.aggregate(
        count=_.count(), customers=_.customer_id.nunique(), revenue=_.estimated_revenue_impact.sum()
    )
    owners = plan.group_by("suggested_owner").aggregate(
        count=_.count(), revenue=_.estimated_revenue_impact.sum(), week=_.scheduled_week.min()
    )
    return "\n".join(
        [
            "# Decision brief",
            "",
            f"As of {reading.as_of}. View: {escape(view)}.",
            "",
            _summed(reading.rows(totals)[0], reading.currency),
            "",
            *_by_owner(reading.rows(owners.order_by(_.revenue.desc(), "suggested_owner")), reading.currency),
            *_first(reading.rows(most_urgent(plan, ACTIONS)), reading.currency),
        ]
    )


def as_html(text: str) -> str:
    """The brief as a browser shows it; what looks like HTML in it stays text."""
    shown = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    return f"<style>.brief :is(td, th) {{padding: 0 1em 0 0; text-align: left}}</style><div class='brief'>{shown}</div>"


def _summed(total: Row, currency: str) -> str:
    if not total["count"]:
        return "Nothing in this view asks for an intervention."
    return (
        f"{value_text(total['count'], 'count')} interventions for {value_text(total['customers'], 'count')} customers, "
        f"about {value_text(total['revenue'], 'money', currency)}. No amount is counted twice."
    )


def _by_owner(rows: Sequence[Row], currency: str) -> list[str]:
    if not rows:
        return []
    lines = [
        f"| {escape(row['suggested_owner'])} | {value_text(row['count'], 'count')} "
        f"| {value_text(row['revenue'], 'money', currency)} | {escape(row['week'])} |"
        for row in rows
    ]
    return ["## Who", "", "| Owner | Interventions | Impact | From week |", "|---|---:|---:|---|", *lines, ""]


def _first(rows: Sequence[Row], currency: str) -> list[str]:
    if not rows:
        return []
    lines = [
        f"{place}. **{escape(row['recommendation_title'])}** "
        f"for {escape(name_with_key(row['company_name'], row['customer_id']))}, "
        f"{escape(row['suggested_owner'])}, week of {escape(row['scheduled_week'])}, "
        f"{value_text(row['estimated_revenue_impact'], 'money', currency)}.\n"
        f"   {escape(row['reason'])} {escape(row['expected_action'])}"
        for place, row in enumerate(rows, start=1)
    ]
    return ["## What first, and why", "", *lines, ""]
