"""Since when a customer has its risk band, who is worse than a week before, and the mark of a change of rules."""

import datetime as dt
from types import SimpleNamespace

import ibis
import pytest

from dashboard import score_history
from dashboard.score_history import WORSE, apply_view, since_text
from productpulse_assets.charts.customer import score
from tests.builders import rows

MARCH, APRIL, MAY = dt.date(2026, 3, 31), dt.date(2026, 4, 30), dt.date(2026, 5, 31)


@pytest.mark.parametrize(
    ("as_of", "since", "expected"),
    [
        (MAY, APRIL, "**High** since 2026-04-30"),
        (MAY, MARCH, "**High** since 2026-03-31 or longer"),
        (MARCH, MARCH, "**High** on the first date of the history"),
    ],
)
def test_a_band_is_as_old_as_the_history_knows(as_of, since, expected):
    text = since_text({"risk_band": "High", "band_since": since, "as_of_date": as_of}, MARCH)
    assert text.replace("\\", "") == expected


def test_a_change_of_rules_is_a_mark_between_the_dates_of_the_customer():
    points = [
        {"as_of_date": day, "risk_score": 0.5, "risk_band": "High", "main_driver": None} for day in (MARCH, APRIL)
    ]
    chart = score(points, [MARCH, APRIL, MAY], {"High": 0.4, "Low": 0.0})
    marks = [note for note in chart.layout.annotations if note.text == "rules changed"]
    assert [mark.x for mark in marks] == [APRIL]


@pytest.fixture
def worse(monkeypatch):
    """The customers who are worse on MAY, with the rules of each date, and what the page reports."""

    def found(**rules):
        reported = []
        monkeypatch.setattr(score_history, "select_value", lambda *_arguments, **_options: WORSE)
        monkeypatch.setattr(score_history, "show_empty_state", lambda text, _todo: reported.append(text))
        monkeypatch.setattr(score_history.st, "caption", reported.append)
        earlier = ibis.memtable({"as_of_date": [APRIL] * 2, "customer_id": ["A", "B"], "risk_score": [0.25, 0.5]})
        now = ibis.memtable({"customer_id": ["A", "B", "New"], "risk_score": [0.5, 0.5, 0.9]})
        days = [{"as_of_date": MAY, "rules_hash": rules["may"]}, {"as_of_date": APRIL, "rules_hash": rules["april"]}]
        return rows(apply_view(SimpleNamespace(table=lambda _name: earlier), now, MAY, days), "customer_id"), reported

    return found


def test_worse_is_a_higher_score_than_on_the_date_before(worse):
    assert worse(april="one", may="one") == (
        [("A",)],
        ["Customers with a higher score on 2026-05-31 than on 2026-04-30."],
    )


def test_scores_of_other_rules_are_not_compared(worse):
    assert worse(april="one", may="two") == ([], ["The rules have changed between 2026-04-30 and 2026-05-31."])
