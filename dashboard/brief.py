"""The decision brief: the interventions in view on one page of Markdown, to send to others."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir
from ibis import _
from markdown_it import MarkdownIt

from dashboard.plan import most_urgent
from dashboard.reading import Reading
from productpulse_assets.charts.work import BACKLOG
from resources.published_snapshot import Row
from rules.text.formats import ACTION_MONEY, action_money, count_text, name_with_key, value_text
from rules.text.markdown import escape

HEAD = "| Owner | Interventions | Revenue a month | Over its months | Cash once | First week |"
ACTIONS_SHOWN = 10
"""The largest number of interventions that the brief lists."""


def brief_markdown(reading: Reading, plan: ir.Table, view: str) -> str:
    """The totals of the interventions in `plan`, by owner, and the most urgent ones with their reasons.

    `view` describes the search and the filters.
    """
    money = {name: _[name].sum() for name in ACTION_MONEY}
    totals = plan.aggregate(count=_.count(), customers=_.customer_id.nunique(), **money)
    owners = plan.group_by("suggested_owner").aggregate(
        count=_.count(), week=_.scheduled_week.min(), score=_.priority_score.sum(), **money
    )
    return "\n".join(
        [
            "# Decision brief",
            "",
            f"As of {reading.as_of}. View: {escape(view)}.",
            "",
            _totals_text(reading.rows(totals)[0], reading.currency),
            "",
            *_owner_table(reading.rows(owners.order_by(_.score.desc(), "suggested_owner")), reading.currency),
            *_action_list(reading.rows(most_urgent(plan, ACTIONS_SHOWN)), reading.currency),
        ]
    )


def brief_html(text: str) -> str:
    """The brief as HTML; HTML in its texts is shown as text."""
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    return f"<style>.brief :is(td, th) {{padding: 0 1em 0 0; text-align: left}}</style><div class='brief'>{body}</div>"


def _totals_text(total: Row, currency: str) -> str:
    if not total["count"]:
        return "This view has no interventions."
    return (
        f"{count_text(total['count'], 'intervention')} for {count_text(total['customers'], 'customer')} about "
        f"{action_money(total, currency)}. No amount is counted twice."
    )


def _owner_table(rows: Sequence[Row], currency: str) -> list[str]:
    if not rows:
        return []
    lines = [
        f"| {escape(row['suggested_owner'])} | {value_text(row['count'], 'count')} "
        f"| {' | '.join(value_text(row[name], 'money', currency) for name in ACTION_MONEY)} | {escape(row['week'])} |"
        for row in rows
    ]
    return ["## Owners", "", HEAD, "|---|---:|---:|---:|---:|---|", *lines, ""]


def _action_list(rows: Sequence[Row], currency: str) -> list[str]:
    if not rows:
        return []
    lines = [
        f"{place}. **{escape(row['recommendation_title'])}** "
        f"for {escape(name_with_key(row['company_name'], row['customer_id']))}, "
        f"{escape(row['suggested_owner'])}, {_week_text(row)}, "
        f"{action_money(row, currency)}.\n"
        f"   {escape(row['reason'])} {escape(row['expected_action'])}"
        for place, row in enumerate(rows, start=1)
    ]
    return ["## First actions and reasons", "", *lines, ""]


def _week_text(row: Row) -> str:
    week = row["scheduled_week"]
    return "in the backlog" if week == BACKLOG else f"week of {escape(week)}"
