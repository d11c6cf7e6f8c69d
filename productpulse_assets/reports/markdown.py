"""Markdown from templates; whatever comes from data is escaped on its way in.

Escaping is the default: a plain `{{ x }}` in a template is escaped, and on one line without blanks around
it. Only what a filter of this module has made (`Markdown`) goes in as it is. Anything done to such a piece,
such as joining it to another with `~`, makes plain text of it again, which is escaped: a forgotten case
shows marks, and lets none through. For the same reason what templates share is an `include` and not a macro,
whose result would be a value like any other. Separators such as `, ` are words of the template.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from urllib.parse import quote

import jinja2

from rules.text import formats
from rules.text.formats import change_text, is_unknown, percent, value_text
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
"""The reports by their files, in the order of reading."""


def share(value: float | None) -> str:
    """A share as a percentage, or a dash where there is none to have."""
    return "–" if value is None else percent(value)


def link(text: object, target: str) -> Markdown:
    """A link to a place of ours."""
    return Markdown(f"[{escape(text)}]({quote(target, safe='/.#-_')})")


def code(name: object) -> Markdown:
    """A name of ours, such as a table's, as code; anything else is escaped."""
    return Markdown(f"`{name}`") if re.fullmatch(r"[\w./:-]+", str(name)) else escape(name)


def section(kind: str, name: object) -> str:
    """The anchor of what a report says about something: `leakage-failed-payment`."""
    return f"{kind}-{re.sub(r'[^0-9a-zA-Z_]+', '-', str(name)).strip('-').lower()}"


def anchor(name: object, kind: str = "") -> Markdown:
    """The place that links lead to: a metric by its name alone, others as `section` calls them."""
    place = section(kind, name) if kind else re.sub(r"[^0-9a-zA-Z_-]+", "-", str(name))
    return Markdown(f'<a id="{place}"></a>')


def metric(row: Mapping[str, object], words: str | None = None) -> Markdown:
    """A metric of kpi_summary by its label, or in other words, with a link to its definition."""
    return link(words or row["label"], f"metric_definitions.md#{row['metric_name']}")


def export(table: str) -> Markdown:
    """The file that holds all rows of a table."""
    return link(f"exports/{table}.csv", f"../exports/{table}.csv")


def told(row: Mapping[str, object]) -> str:
    """How a metric's value comes about, or why there is none; a value that stands alone is no sentence."""
    text = row["not_available_reason"] if row["value"] is None else row["explanation"]
    return text if " " in text else text.removesuffix(".")


def team(owner: str) -> str:
    """Who answers for something: `team:customer-success` is Customer success."""
    return owner.removeprefix("team:").replace("-", " ").capitalize()


@jinja2.pass_context
def _money(context: jinja2.runtime.Context, amount: object, *, exact: bool = False) -> str:
    return value_text(amount, "money", context["currency"], exact=exact)


@jinja2.pass_context
def _value(context: jinja2.runtime.Context, row: Mapping[str, object], field: str = "value") -> str:
    return value_text(row[field], row["unit"], context["currency"])


@jinja2.pass_context
def _change(context: jinja2.runtime.Context, row: Mapping[str, object], field: str = "change") -> Markdown:
    is_known = not is_unknown(row[field])
    return escape(change_text(row[field], row["unit"], context["currency"])) if is_known else Markdown("")


@jinja2.pass_context
def _moved(context: jinja2.runtime.Context, row: Mapping[str, object]) -> str:
    return formats.movement_text(row["change"], row["unit"], context["currency"])


FILTERS = {
    "anchor": anchor,
    "band_link": lambda band: link(band, f"risk_register.md#{section('band', band)}"),
    "change": _change,
    "change_text": change_text,
    "code": code,
    "count": lambda number: value_text(number, "count"),
    "counted": formats.count_text,
    "customer": lambda row: formats.name_with_key(row["company_name"], row["customer_id"]),
    "export": export,
    "kind_link": lambda kind: link(kind, f"risk_register.md#{section('leakage', kind)}"),
    "link": link,
    "metric": metric,
    "money": _money,
    "month_text": formats.month_text,
    "moved": _moved,
    "number": formats.number_text,
    "period_text": formats.period_text,
    "share": share,
    "team": team,
    "told": told,
    "value": _value,
    "words": lambda name: str(name).replace("_", " "),
}
"""What templates say numbers, names and links with."""


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(  # `finalize` escapes, for Markdown  # nosec B701
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # that would be HTML's, which leaves Markdown's marks alone
        finalize=lambda value: value if isinstance(value, Markdown) else escape(value),
    )
    environment.filters |= FILTERS
    return environment


def render(template: str, currency: str, **content: object) -> str:
    """`<template>.md.jinja` beside this module, filled in; money is in `currency`."""
    shared = {"currency": currency, "pages": PAGES, "page": f"{template}.md"}
    return _environment().get_template(f"{template}.md.jinja").render(shared | content)
