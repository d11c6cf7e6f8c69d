"""Whatever a customer is called, it is shown so and does nothing."""

import pytest

from dashboard.escape import badge, facts, plain, safe
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
    assert plain(text) == shown


@pytest.mark.parametrize("name", NAMES)
def test_html_shows_text_as_it_is_and_short(name):
    inside = safe(name).removeprefix("<bdi>").removesuffix("</bdi>")
    assert not set(inside) & set('<>"\n\r\t\u202e')
    assert len(inside) < 1000


def test_a_band_is_said_in_words_and_colour():
    assert "Critical" in badge("Critical") and "#D55E00" in badge("Critical")
    assert "&lt;b&gt;" in badge("<b>")


def test_what_is_unknown_is_left_out_of_facts():
    told = facts(("Segment", "SMB"), ("Plan", None), ("Country", ""))
    assert "Segment" in told and "Plan" not in told and "Country" not in told
