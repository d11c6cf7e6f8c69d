"""Texts, axes and frames that all figures share."""

import json

import pytest

from productpulse_assets.charts import customer, look, metrics, mrr, retention, risk, scenarios, work

HOSTILE = '<a href="http://x">x</a> & <script>'
AS_TEXT = '&lt;a href="http://x"&gt;x&lt;/a&gt; &amp; &lt;script&gt;'


def test_markup_in_data_is_escaped_and_quotes_are_not():
    assert look.plotly_text(HOSTILE) == AS_TEXT
    assert look.plotly_text("one\ntwo\u202e") == "one two"
    assert len(look.plotly_text("x" * 500)) == 80


def test_long_names_are_wrapped_between_words_and_escaped():
    assert look.wrapped_text("Tom & Jerry & Co", 8) == "Tom &amp;<br>Jerry &amp;<br>Co"


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
    assert look.value_axis(values, unit, currency) == ticks


def test_equal_names_and_names_like_numbers_keep_their_own_places():
    axis = look.names_axis(["2024-01", "7", "7"])
    assert (axis["tickvals"], axis["ticktext"]) == ([0, 1, 2], ["2024-01", "7", "7"])


def test_only_the_largest_members_are_shown_in_their_order_and_the_rest_is_counted():
    rows = [{"member": str(number), "change": number} for number in range(25)]
    shown, note = look.keep_largest(rows, "change")
    assert [row["change"] for row in shown] == list(range(5, 25))
    assert note == "5 smaller ones are not shown."


def test_a_note_makes_the_figure_taller_and_an_empty_note_changes_nothing():
    assert look.add_note(look.figure(), "").layout.height == look.HEIGHT
    chart = look.add_note(look.figure(), "Not available: x.")
    assert chart.layout.height > look.HEIGHT
    assert [note.text for note in chart.layout.annotations] == ["Not available: x."]


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
def test_a_figure_without_rows_shows_a_message(figure):
    assert len(figure.data) == 0
    assert " " in figure.layout.annotations[0].text


def test_a_figure_sets_neither_font_nor_background():
    chart = mrr.drivers([{"member": "SMB", "change": 5, "mrr_before": 1, "mrr_after": 6}], "USD")
    layout = json.loads(chart.to_json())["layout"]
    assert (layout["paper_bgcolor"], layout["plot_bgcolor"]) == (look.TRANSPARENT, look.TRANSPARENT)
    assert layout["template"].get("layout", {}) == {}
    assert "font" not in layout and "title" not in layout
