"""Texts, axes and frames that all figures share."""

import json

import pytest

from productpulse_assets.charts import customer, look, metrics, mrr, retention, risk, scenarios, work

HOSTILE = '<a href="http://x">x</a> & <script>'
AS_TEXT = '&lt;a href="http://x"&gt;x&lt;/a&gt; &amp; &lt;script&gt;'


def test_markup_in_data_is_text_and_quotes_stay_as_plotly_shows_them():
    assert look.words(HOSTILE) == AS_TEXT
    assert look.words("one\ntwo\u202e") == "one two"
    assert len(look.words("x" * 500)) == 80


def test_long_names_break_into_lines_without_cutting_an_escape_in_two():
    assert look.wrapped("Tom & Jerry & Co", 8) == "Tom &amp;<br>Jerry &amp;<br>Co"


@pytest.mark.parametrize(
    ("values", "unit", "currency", "ticks"),
    [
        ([120000], "money", "USD", {"tickformat": "$~s"}),
        ([120000], "money", "EUR", {"tickformat": "~s", "tickprefix": "€"}),
        ([0.4, None], "money", "CHF", {"tickformat": ",~f", "tickprefix": "CHF "}),
        ([0.9], "rate", "USD", {"tickformat": ",.0%"}),
        ([0.04], "rate", "USD", {"tickformat": ",.1%"}),
        ([3], "count", "USD", {"tickformat": ",~f", "dtick": 1}),
        ([], "number", "USD", {"tickformat": ",~f"}),
    ],
)
def test_ticks_are_written_in_the_unit(values, unit, currency, ticks):
    assert look.axis_of(values, unit, currency) == ticks


def test_names_that_look_like_numbers_or_are_alike_keep_places_of_their_own():
    axis = look.names_axis(["2024-01", "7", "7"])
    assert (axis["tickvals"], axis["ticktext"]) == ([0, 1, 2], ["2024-01", "7", "7"])


def test_only_the_largest_members_are_drawn_in_their_order_and_the_rest_counted():
    rows = [{"member": str(number), "change": number} for number in range(25)]
    shown, note = look.shortened(rows, "change")
    assert [row["change"] for row in shown] == list(range(5, 25))
    assert note == "5 smaller ones are not drawn."


def test_a_note_makes_the_figure_taller_and_no_note_leaves_it():
    assert look.noted(look.figure(), "").layout.height == look.HEIGHT
    noted = look.noted(look.figure(), "Not available: x.")
    assert noted.layout.height > look.HEIGHT
    assert [note.text for note in noted.layout.annotations] == ["Not available: x."]


EMPTY = {
    "waterfall": mrr.waterfall(None, "USD"),
    "mrr and churn": mrr.mrr_and_churn([], "USD"),
    "movers": mrr.drivers([], "USD"),
    "cohorts": retention.cohort_heat_map([]),
    "funnel": retention.funnel([]),
    "funnel by segment": retention.funnel_by_segment([]),
    "risk": risk.risk_by_segment([], ["High"]),
    "leakage": risk.leakage_by_type([], "USD"),
    "drivers": risk.drivers([], "USD"),
    "workload": work.workload([]),
    "revenue": customer.revenue([], "USD"),
    "usage": customer.usage([]),
    "history": metrics.history([], "MRR", "money", "USD"),
    "slices": metrics.slices([], "MRR", "money", "USD"),
    "health": metrics.health([]),
    "lineage": metrics.lineage([], []),
    "scenarios": scenarios.impact([], "USD"),
}


@pytest.mark.parametrize("figure", EMPTY.values(), ids=EMPTY.keys())
def test_without_rows_a_figure_says_so_in_words(figure):
    assert len(figure.data) == 0
    assert " " in figure.layout.annotations[0].text


def test_a_figure_leaves_font_and_background_to_its_page():
    drawn = mrr.drivers([{"member": "SMB", "change": 5, "mrr_before": 1, "mrr_after": 6}], "USD")
    layout = json.loads(drawn.to_json())["layout"]
    assert (layout["paper_bgcolor"], layout["plot_bgcolor"]) == (look.CLEAR, look.CLEAR)
    assert layout["template"].get("layout", {}) == {}
    assert "font" not in layout and "title" not in layout
