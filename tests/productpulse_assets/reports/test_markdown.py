"""Text from data is shown as it was written and does not change the layout of a report."""

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from productpulse_assets.reports import markdown
from productpulse_assets.reports.markdown import anchor, code, link, section, share
from rules.text.formats import TEXT_LIMIT, one_line
from rules.text.markdown import escape
from tests.productpulse_assets.reports.rendered import RENDERERS, page

HOSTILE = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<!-- hidden", "| x |", "a | b | c", "\\| x \\|",
    "[a](b)", "![i](http://x)", "[a]: http://x", "[a][b]", "[^1]", "[^1]: note", "[ ] task", "http://evil",
    "see https://evil.com/a_b?c=1&d=2.", "www.evil.com", "_www.evil.com", "(http://evil.com)", "<http://evil.com>",
    "a@evil.com", "mailto:a@evil.com", "@octocat", "$math$", "$$math$$", "$5x$", ":tada:", "a:tada:b", "# h", "#", "C #",
    "## h ##", "- x", "-", "* x", "+ x", "1. x", "12) x", "1.", "> x", ">", "```", "```python", "~~~", "`code`",
    "``a@evil.com``", "`a@evil.com", "a@evil.com`", "~~strike~~", "~x~", "==x==", "===", "=", "---", "***", "___", "- - -",
    ":-:", ":--", "-:", "&lt;", "&#60;", "&amp;lt;", "&copy", "\\", "\\\\", "a\\", "\\`x\\`", "**b**", "__b__", "_i_",
    "*i*", "a_b_c", "__init__", "snake_case_name", "line\nbreak\r\nand\ttab", "a  \nb", "a\\\nb", "a\u2028b", "    code",
    "\u202eevil\u202c", "\u200f\u200bx", "x" * 10_000, "| a |\n|---|\n| b |", "</td></tr></table>", "{{ x }}",
    "{% raw %}", "a*b@c.d*", "[x@y.z](www.q.r)", "a@b.co]: x",
]  # fmt: skip

PLACES = {
    "a paragraph": ("{}\n", ["p"]),
    "a line below another": ("above\n{}\n", ["p"]),
    "a list": ("- {}\n", ["ul", "li"]),
    "a heading": ("## {}\n", ["h2"]),
    "words in bold": ("so **{}** it is\n", ["p", "strong"]),
    "a link": ("[{}](x.md)\n", ["p", "a"]),
}
"""Places for a value in a report, and the tags around it."""


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("| x |", "\\| x \\|"),
        ("[a](b)", "\\[a\\](b)"),
        ("line\nbreak\r\nand\ttab", "line break and tab"),
        ("# not a heading", "\\# not a heading"),
        ("**bold** and `code`", "\\*\\*bold\\*\\* and \\`code\\`"),
        ("AT&T", "AT&amp;T"),
        ("- x", "\\- x"),
        ("1. x", "1\\. x"),
        ("mail a@evil.com now", "mail `a@evil.com` now"),
        # Some renderers act on these, but not the two in the tests below:
        ("==x== $math$ $5", "\\=\\=x\\=\\= \\$math\\$ $5"),
        (":--", "\\:--"),
        ("a@b.co]: x", "`a@b.co`\\]: x"),
        (None, "not available"),
        (float("nan"), "not available"),
    ],
)
def test_marks_are_escaped(text, escaped):
    assert escape(text) == escaped


@pytest.mark.parametrize(
    "name",
    ["Zenith Apparel Studio, Inc.", "Smith-Jones", "Booking.com", '"Blue Door" Aviation S.A.', "product_usage",
     "-$2,140", "+7", "$284,090.00 over 710", "3.2 %", "2026-06-30", "10:30", "a = b", "Élan (C-000031)", "0.5 to 1.5"],
)  # fmt: skip
def test_plain_text_is_not_changed(name):
    assert escape(name) == name


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("renderer", RENDERERS)
def test_hostile_text_is_shown_as_it_is(place, renderer):
    template, tags = PLACES[place]
    around = page(template.format("WORD"), renderer).text.strip()
    for text in HOSTILE:
        seen = page(template.format(escape(text)), renderer)
        assert (text, seen.tags) == (text, tags)
        assert seen.text.strip() == around.replace("WORD", one_line(text))
        assert (text, seen.found) == (text, [])


@given(st.text(alphabet="`*_[]()<>#|~\\$=:@-+!&;.1 awhtp/\n\u202e", max_size=25))
def test_any_text_of_marks_is_shown_as_it_is(text):
    seen = page(f"| a | b |\n|---|---|\n| x {escape(text)} y | **{escape(text) or '-'}** |\n")
    assert [tag for tag in seen.tags if tag != "strong"] == [
        "table",
        "thead",
        "tr",
        "th",
        "th",
        "tbody",
        "tr",
        "td",
        "td",
    ]
    assert f"x {one_line(text)} y".replace("x  y", "x y") in seen.text.replace("x  y", "x y")
    assert seen.found == []


def test_a_very_long_text_is_cut():
    assert len(escape("x" * 10_000)) == TEXT_LIMIT


def test_a_template_escapes_everything_but_markdown(monkeypatch, tmp_path):
    loader = jinja2.DictLoader(
        {"t.md.jinja": "{{ x }}, {{ x | link('a b.md#' ~ x) }}, {{ x ~ (x | link('c')) }}, {{ none }}, {{ 'a' ~ 1 }}"}
    )
    monkeypatch.setattr(markdown._environment(), "loader", loader)
    markdown._environment().cache.clear()
    text = markdown.render("t", "USD", x="<b>*")
    markdown._environment().cache.clear()
    first, linked, joined, unknown, combined = text.split(", ")
    assert first == "&lt;b&gt;\\*"
    assert linked == "[&lt;b&gt;\\*](a%20b.md#%3Cb%3E%2A)"
    assert joined == escape("<b>*" + link("<b>*", "c"))  # an operation on Markdown returns plain text
    assert (unknown, combined) == ("not available", "a1")


def test_only_names_become_code():
    assert code("kpi_summary") == "`kpi_summary`"
    assert code("a` <b>") == "a\\` &lt;b&gt;"


def test_the_name_of_an_anchor_has_safe_characters_only():
    assert section("leakage", "Failed Payment") == "leakage-failed-payment"
    assert anchor('x" onclick="y', "band") == '<a id="band-x-onclick-y"></a>'
    assert anchor('x" onclick="y') == '<a id="x-onclick-y"></a>'
    assert anchor("monthly_recurring_revenue") == '<a id="monthly_recurring_revenue"></a>'


def test_an_unknown_share_is_a_dash():
    assert (share(0.5), share(None)) == ("50.0 %", "–")
