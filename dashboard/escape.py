"""Text from data, escaped for Markdown and for HTML."""

from __future__ import annotations

import html
import re

from productpulse_assets.charts.palette import colour_of
from rules.text.formats import TEXT_LIMIT, one_line

_SPECIAL = re.compile(r"([!-/:-@\[-`{-~])")
_LINKS_AND_CODES = re.compile(r"(?<=[:@])(?=\S)|(?<=www)(?=\.)", re.IGNORECASE)
_JOINER = "\u2060"
"""An invisible character (word joiner) that is neither a space nor a letter."""


def markdown_text(text: object, limit: int = TEXT_LIMIT) -> str:
    """Text escaped for Streamlit's Markdown: labels, captions, help, metrics.

    Backslashes are not enough: Streamlit also looks for addresses, :emoji: and :material/icons: in the rendered text.
    An invisible character between their parts prevents that.
    """
    return _SPECIAL.sub(r"\\\1", _LINKS_AND_CODES.sub(_JOINER, one_line(text, limit)))


def html_text(text: object, limit: int = TEXT_LIMIT) -> str:
    """Text escaped for HTML; the bdi element keeps right-to-left text from reordering the text next to it."""
    return f"<bdi>{html.escape(one_line(text, limit))}</bdi>"


def badge(level: object) -> str:
    """A band or status as HTML: its name on its colour."""
    return (
        f'<span style="background:{colour_of(level)};color:#000;border-radius:0.6em;padding:0.1em 0.6em;'
        f'font-size:0.85em;white-space:nowrap">{html_text(level, 40)}</span>'
    )


def facts(*pairs: tuple[str, object]) -> str:
    """Labels and values on one line, as HTML; unknown values are left out."""
    known = [(label, value) for label, value in pairs if value not in (None, "")]
    items = [f"{html.escape(label)} <strong>{html_text(value)}</strong>" for label, value in known]
    return f'<span style="line-height:1.8">{" &nbsp;·&nbsp; ".join(items)}</span>'
