"""What comes from data changes nothing in a report's layout."""

import pytest

from productpulse_assets.reports.markdown import escape, share


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("| x |", "\\| x \\|"),
        ("[a](b)", "\\[a\\](b)"),
        ("line\nbreak\r\nand\ttab", "line break and tab"),
        ("# not a heading", "\\# not a heading"),
        ("**bold** and `code`", "\\*\\*bold\\*\\* and \\`code\\`"),
        ("AT&T", "AT&amp;T"),
        (None, "None"),
    ],
)
def test_escaped(text, shown):
    assert escape(text) == shown


def test_a_share_that_there_is_none_of_is_a_dash():
    assert (share(0.5), share(None)) == ("50.0 %", "–")
