"""The forecast and the curves of how long customers stay, as charts and sentences."""

import datetime as dt

from productpulse_assets.charts.outlook import expected_text, forecast, past_errors_text, survival

PAST = [{"month": dt.date(2026, 5, 1), "value": 900.0}, {"month": dt.date(2026, 6, 1), "value": 1000.0}]


def expected(ahead=1, **given):
    return {
        "measure": "mrr", "month": dt.date(2026, 6 + ahead, 1), "months_ahead": ahead, "value": 1100.0, "low": 1050.0,
        "high": 1200.0, "not_available_reason": None,
    } | given  # fmt: skip


def traces(chart):
    return {trace.name: trace for trace in chart.data}


def test_what_is_expected_is_never_drawn_like_what_was():
    lines = traces(forecast(PAST, [expected(), expected(2, low=None, high=None)], "mrr", "USD"))
    assert list(lines["MRR"].y) == [900, 1000] and lines["MRR"].line.dash is None
    assert list(lines["Expected"].y) == [1000, 1100, 1100] and lines["Expected"].line.dash == "dash"
    # The interval begins at what is known, and ends where the past does not tell how wide it is.
    assert list(lines["80 % of cases"].y) == [1000, 1200]
    assert lines["Expected"].hovertext[1:] == (
        "Jul 2026: $1,100 expected, 80 %: $1,050 to $1,200", "Aug 2026: $1,100 expected",
    )  # fmt: skip


def test_without_an_interval_no_area_is_drawn():
    assert "80 % of cases" not in traces(forecast(PAST, [expected(low=None, high=None)], "mrr", "USD"))


def test_too_few_months_are_a_message():
    chart = forecast(PAST, [], "mrr", "USD")
    assert not chart.data and "too few months" in chart.layout.annotations[0].text


def test_the_sentence_says_how_sure_it_is():
    assert expected_text(expected(6), "USD") == (
        "At the end of December 2026, 6 months ahead, MRR is expected to be $1,100, in 80 % of cases between $1,050 and "
        "$1,200."
    )
    people = expected(1, measure="customers", value=41.2, low=None, high=None)
    assert expected_text(people, "USD") == (
        "At the end of July 2026, 1 month ahead, paying customers are expected to be 41. There are too few earlier "
        "months to say how sure that is."
    )
    unknown = expected(3, value=None, low=None, high=None, not_available_reason="It needs 5 complete months.")
    assert expected_text(unknown, "USD") == "MRR in September 2026: not available. It needs 5 complete months."


def errors(**given):
    return {
        "months_ahead": 6, "origins": 18, "forecast_error": 0.048, "no_change_error": 0.12,
        "straight_line_error": 0.047, "best_method": "straight_line",
        "last_error": -0.03, "is_last_largest": False,
    } | given  # fmt: skip


def test_a_simpler_way_that_was_nearer_is_named():
    text = past_errors_text(errors())
    assert text == (
        "18 earlier forecasts 6 months ahead were off by 4.8 % on average; no change by 12.0 %, a straight line by "
        "4.7 %. In the past, a straight line was nearer."
    )
    assert past_errors_text(errors(best_method="forecast")) == text.removesuffix(
        " In the past, a straight line was nearer."
    )
    fallen = past_errors_text(errors(last_error=-0.309, is_last_largest=True))
    assert fallen == (
        f"{text} The last one was off by more than all before: 30.9 % less came. The interval may be too narrow."
    )
    unknown = errors(forecast_error=None, no_change_error=None, straight_line_error=None, best_method=None)
    assert past_errors_text(unknown) == "There are too few earlier months to check a forecast 6 months ahead."


def curve(member, *shares, seen=2):
    return [
        {"member": member, "age_months": age, "survival": share, "is_projected": age >= seen}
        for age, share in enumerate(shares)
    ]


def test_projected_ages_are_dotted_and_join_the_observed_ones():
    chart = survival(curve("SMB", 1.0, 0.8, 0.7) + curve("Pro", 1.0, 0.9, seen=9), largest=["SMB", "Pro"])
    seen, projected, whole = chart.data
    assert (list(seen.x), list(seen.y), seen.line.dash) == ([0, 1], [1.0, 0.8], "solid")
    assert (list(projected.x), list(projected.y), projected.line.dash) == ([1, 2], [0.8, 0.7], "dot")
    assert projected.hovertext[-1] == "SMB, 2 months: 70.0 % still pay (projected)"
    assert (whole.name, len(whole.x), seen.line.color == projected.line.color != whole.line.color) == ("Pro", 2, True)


def test_a_chart_has_as_many_members_as_it_has_colours():
    members = [f"Plan {number}" for number in range(10)]
    chart = survival([row for name in members for row in curve(name, 1.0, 0.5)], largest=members)
    assert [trace.name for trace in chart.data] == members[:8]
    assert "2 smaller ones are not shown." in chart.layout.annotations[0].text
