"""Text from data on a page: shown as it is, whatever it says."""

from __future__ import annotations

import html
import re

from productpulse_assets.charts.palette import colour_of
from rules.text.formats import TEXT_LIMIT, one_line

_SPECIAL = re.compile(r"([!-/:-@\[-`{-~])")
_LINKS_AND_CODES = re.compile(r"(?<=[:@])(?=\S)|(?<=www)(?=\.)", re.IGNORECASE)
_JOINER = "\u2060"
"""Cannot be seen, and is neither a space nor a letter."""


def plain(text: object, limit: int = TEXT_LIMIT) -> str:
    """Text where Streamlit reads Markdown: labels, captions, help, metrics.

    Backslashes are not enough: Streamlit looks for addresses, :emoji: and :material/icons: once
    more in what Markdown made of the text, so that an unseen mark keeps their parts from each other.
    """
    return _SPECIAL.sub(r"\\\1", _LINKS_AND_CODES.sub(_JOINER, one_line(text, limit)))


def safe(text: object, limit: int = TEXT_LIMIT) -> str:
    """Text in HTML, apart from what stands beside it if it runs from right to left."""
    return f"<bdi>{html.escape(one_line(text, limit))}</bdi>"


def badge(level: object) -> str:
    """A band or status on its colour, as HTML; the word says it too, for those who do not see colours."""
    return (
        f'<span style="background:{colour_of(level)};color:#000;border-radius:0.6em;padding:0.1em 0.6em;'
        f'font-size:0.85em;white-space:nowrap">{safe(level, 40)}</span>'
    )


def facts(*pairs: tuple[str, object]) -> str:
    """Labelled facts on one line, as HTML; what is unknown is left out."""
    told = [f"{html.escape(label)} <strong>{safe(value)}</strong>" for label, value in pairs if value not in (None, "")]
    return f'<span style="line-height:1.8">{" &nbsp;·&nbsp; ".join(told)}</span>'
