"""Markdown from templates; whatever comes from data is escaped on its way in."""

import html
import re
from pathlib import Path

import jinja2

from rules.formats import change_text, percent, period_text, value_text

_SPECIAL = re.compile(r"([\\`*_\[\]#|~])")


def escape(text: object) -> str:
    """Text that Markdown and the HTML inside it show as it is, on one line."""
    line = re.sub(r"\s+", " ", str(text)).strip()
    return html.escape(_SPECIAL.sub(r"\\\1", line), quote=False)


def share(value: float | None) -> str:
    """A share as a percentage, or a dash where there is none to have."""
    return "–" if value is None else percent(value)


def render(template: str, **content: object) -> str:
    """`<template>.md.jinja` beside this module, filled in."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # HTML escaping is not Markdown escaping: templates use | escape_md
    )
    environment.filters |= {
        "escape_md": escape,
        "value_text": value_text,
        "change_text": change_text,
        "share": share,
        "period_text": period_text,
    }
    return environment.get_template(f"{template}.md.jinja").render(**content)
