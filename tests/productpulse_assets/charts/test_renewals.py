"""The calendar of renewals: what is up for renewal in each month, stacked by account owner."""

import datetime as dt
from decimal import Decimal

from productpulse_assets.charts.palette import SERIES
from productpulse_assets.charts.renewals import OTHERS, renewal_calendar


def term(owner, month, mrr, terms=1):
    return {"month": dt.date(2026, month, 1), "account_owner": owner, "mrr": Decimal(mrr), "terms": terms}


def test_each_owner_has_a_bar_in_each_month_the_largest_owner_first():
    chart = renewal_calendar([term("Ann", 7, 100), term("Bob <b>", 7, 50, terms=2), term("Bob <b>", 8, 150)], "USD")
    bob, ann = chart.data
    assert (bob.name, ann.name) == ("Bob &lt;b&gt;", "Ann")
    assert (list(bob.x), list(bob.y)) == (["Jul 2026", "Aug 2026"], [50, 150])
    assert list(ann.y) == [100, 0]
    assert bob.hovertext[0] == "Bob &lt;b&gt;, Jul 2026: $50.00 in 2 contracts"
    assert chart.layout.barmode == "stack"


def test_owners_without_a_colour_of_their_own_are_one_bar():
    many = [term(f"Owner {number:02}", 7, 1000 - number) for number in range(len(SERIES) + 3)]
    chart = renewal_calendar(many, "USD")
    assert len(chart.data) == len(SERIES)
    assert chart.data[-1].name == OTHERS
    assert sum(sum(bar.y) for bar in chart.data) == sum(float(row["mrr"]) for row in many)


def test_exactly_as_many_owners_as_colours_need_no_other_bar():
    chart = renewal_calendar([term(f"Owner {number}", 7, 10) for number in range(len(SERIES))], "USD")
    assert [bar.name for bar in chart.data] == [f"Owner {number}" for number in range(len(SERIES))]
