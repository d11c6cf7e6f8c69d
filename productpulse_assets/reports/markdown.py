"""Markdown reports from Jinja templates that escape all data.

Escaping is the default: a plain `{{ x }}` in a template is escaped and put on one line. Only the result of a filter
that returns `Markdown` is not escaped. Any operation on such a result, such as joining it with `~`, returns plain text,
which is escaped again: a mistake in a template shows Markdown marks to the reader, and never lets data act as Markdown.
For the same reason templates share text by `include` and not by macros, whose results would be values. Separators such
as `, ` are text of the template.
"""

import re
from functools import cache
from pathlib import Path
from urllib.parse import quote

import jinja2

from productpulse_assets.charts.look import Row
from rules.text import formats
from rules.text.formats import Number, change_text, is_unknown, percent, value_text
from rules.text.markdown import Markdown, escape

PAGES = {
    "executive_summary.md": "Executive summary",
    "business_questions.md": "Business questions",
    "intervention_plan.md": "Intervention plan",
    "risk_register.md": "Risk register",
    "metric_definitions.md": "Metric definitions",
    "data_quality_report.md": "Data quality report",
    "executive_report.html": "Charts",
}
"""The titles of the reports by file name, in reading order."""


def share(value: float | None) -> str:
    """A share as a percentage, or a dash if it is not known."""
    return "–" if value is None else percent(value)


def link(text: object, target: str) -> Markdown:
    """A link to another report, an export or an anchor."""
    return Markdown(f"[{escape(text)}]({quote(target, safe='/.#-_')})")


def code(name: object) -> Markdown:
    """The name of a table or column as code; other text is escaped."""
    return Markdown(f"`{name}`") if re.fullmatch(r"[\w./:-]+", str(name)) else escape(name)


def section(kind: str, name: object) -> str:
    """The name of an anchor: `leakage-failed-payment`."""
    return f"{kind}-{re.sub(r'[^0-9a-zA-Z_]+', '-', str(name)).strip('-').lower()}"


def anchor(name: object, kind: str = "") -> Markdown:
    """An anchor for links: a metric has its own name, others a name from `section`."""
    place = section(kind, name) if kind else re.sub(r"[^0-9a-zA-Z_-]+", "-", str(name))
    return Markdown(f'<a id="{place}"></a>')


def metric_link(row: Row, text: str | None = None) -> Markdown:
    """The label of a metric of kpi_summary, or another text, with a link to its definition."""
    return link(text or row["label"], f"metric_definitions.md#{row['metric_name']}")


def export_link(table: str) -> Markdown:
    """A link to the export that has all rows of a table."""
    return link(f"exports/{table}.csv", f"../exports/{table}.csv")


def explanation(row: Row) -> str:
    """How a metric's value was computed, or why it is not available; a value alone has no full stop."""
    text: str = row["not_available_reason"] if row["value"] is None else row["explanation"]
    return text if " " in text else text.removesuffix(".")


def team(owner: str) -> str:
    """The name of a team: `team:customer-success` is Customer success."""
    return owner.removeprefix("team:").replace("-", " ").capitalize()


@jinja2.pass_context
def _money(context: jinja2.runtime.Context, amount: Number | None, *, exact: bool = False) -> str:
    return value_text(amount, "money", context["currency"], exact=exact)


@jinja2.pass_context
def _action_money(context: jinja2.runtime.Context, row: Row) -> str:
    return formats.action_money(row, context["currency"])


@jinja2.pass_context
def _value(context: jinja2.runtime.Context, row: Row, field: str = "value") -> str:
    return value_text(row[field], row["unit"], context["currency"])


@jinja2.pass_context
def _change(context: jinja2.runtime.Context, row: Row, field: str = "change") -> Markdown:
    if is_unknown(row[field]):
        return Markdown("")
    return escape(change_text(row[field], row["unit"], context["currency"]))


@jinja2.pass_context
def _moved_text(context: jinja2.runtime.Context, row: Row) -> str:
    return formats.movement_text(row["change"], row["unit"], context["currency"])


FILTERS = {
    "action_money": _action_money,
    "anchor": anchor,
    "band_link": lambda band: link(band, f"risk_register.md#{section('band', band)}"),
    "change": _change,
    "change_text": change_text,
    "code": code,
    "count": lambda number: value_text(number, "count"),
    "count_text": formats.count_text,
    "customer_name": lambda row: formats.name_with_key(row["company_name"], row["customer_id"]),
    "explanation": explanation,
    "export_link": export_link,
    "kind_link": lambda kind: link(kind, f"risk_register.md#{section('leakage', kind)}"),
    "link": link,
    "metric_link": metric_link,
    "money": _money,
    "month_text": formats.month_text,
    "moved_text": _moved_text,
    "number": formats.number_text,
    "period_text": formats.period_text,
    "share": share,
    "team": team,
    "value": _value,
    "words": lambda name: str(name).replace("_", " "),
}
"""The filters for numbers, names and links in templates."""


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(  # `finalize` escapes the text for Markdown  # nosec B701
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # it escapes for HTML only, not for Markdown
        finalize=lambda value: value if isinstance(value, Markdown) else escape(value),
    )
    environment.filters |= FILTERS
    return environment


def render(template: str, currency: str, **content: object) -> str:
    """Fill in `<template>.md.jinja` of this folder; money is in `currency`."""
    shared = {"currency": currency, "pages": PAGES, "page": f"{template}.md"}
    return _environment().get_template(f"{template}.md.jinja").render(shared | content)
