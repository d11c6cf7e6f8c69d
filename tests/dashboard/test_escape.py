"""Names from data are shown as text and run nothing."""

import pytest

from dashboard.escape import badge, facts, html_text, markdown_text
from tests.dashboard.hostile import NAMES


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Smith & Co", "Smith \\& Co"),
        ("**bold** [a](b)", "\\*\\*bold\\*\\* \\[a\\]\\(b\\)"),
        ("$x$", "\\$x\\$"),
        (":smile:", "\\:\u2060smile\\:"),
        ("www.evil.example", "www\u2060\\.evil\\.example"),
        ("http://x", "http\\:\u2060\\/\\/x"),
        ("a@b.c", "a\\@\u2060b\\.c"),
        ("two\nlines", "two lines"),
        ("1. x", "1\\. x"),
    ],
)
def test_markdown_shows_text_as_it_is(text, shown):
    assert markdown_text(text) == shown


@pytest.mark.parametrize("name", NAMES)
def test_html_shows_text_as_it_is_and_short(name):
    inside = html_text(name).removeprefix("<bdi>").removesuffix("</bdi>")
    assert not set(inside) & set('<>"\n\r\t\u202e')
    assert len(inside) < 1000


def test_a_badge_has_the_name_and_the_colour_of_its_band():
    assert "Critical" in badge("Critical") and "#D55E00" in badge("Critical")
    assert "&lt;b&gt;" in badge("<b>")


def test_unknown_values_are_left_out_of_facts():
    text = facts(("Segment", "SMB"), ("Plan", None), ("Country", ""))
    assert "Segment" in text and "Plan" not in text and "Country" not in text
