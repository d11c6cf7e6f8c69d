"""Signals from support tickets and NPS answers."""

import pytest

from tests.productpulse_assets.facts.one_customer import ago
from tests.productpulse_assets.facts.one_customer import signals_without_bills as signals

TICKETS = ("support_ticket_count", "urgent_ticket_count", "open_ticket_count", "open_urgent_ticket_count")


def ticket(days, **more):
    return {"date_opened": ago(days)} | more


def closed(opened, days_ago, **more):
    return ticket(opened, date_closed=ago(days_ago), status="Closed") | more


@pytest.mark.parametrize(("opened", "count"), [(-1, 0), (0, 1), (90, 1), (91, 0)])
def test_tickets_of_the_last_90_days_are_counted(opened, count):
    tickets = [ticket(opened), ticket(5, customer_id="C2")]
    assert signals("support_ticket_count", support_tickets=tickets) == [(count,)]


def test_urgent_priorities_are_those_of_the_rules_in_any_case():
    words = ["URGENT", "critical", "P1", "High", "Low", None]
    tickets = [closed(9, 1, priority=word) for word in words]
    assert signals(*TICKETS, support_tickets=tickets) == [(6, 3, 0, 0)]


def test_a_ticket_is_open_until_its_closing_date():
    tickets = [closed(200, 1), closed(200, 0), closed(200, -1), closed(200, -1, priority="Urgent")]
    assert signals(*TICKETS, support_tickets=tickets) == [(0, 0, 2, 1)]
    assert signals(*TICKETS, support_tickets=tickets, is_current=False) == [(0, 0, 2, 1)]


@pytest.mark.parametrize(("status", "now"), [("Open", 1), ("Waiting", 1), ("closed", 0), ("RESOLVED", 0)])
def test_a_closed_status_counts_on_the_newest_day_only(status, now):
    tickets = [ticket(9, status=status), closed(200, 100)]
    assert signals("open_ticket_count", support_tickets=tickets) == [(now,)]
    assert signals("open_ticket_count", support_tickets=tickets, is_current=False) == [(1,)]


def test_open_tickets_of_a_past_day_are_unknown_without_closing_dates():
    tickets = [ticket(9, priority="Urgent"), ticket(8, status="Solved")]
    assert signals(*TICKETS, support_tickets=tickets) == [(2, 1, 1, 1)]
    assert signals(*TICKETS, support_tickets=tickets, is_current=False) == [(2, 1, None, None)]


def test_urgent_tickets_are_unknown_without_priorities():
    assert signals(*TICKETS, support_tickets=[ticket(9, priority=None)]) == [(1, None, 1, None)]


def test_counts_are_unknown_without_tickets_and_0_without_tickets_of_the_customer():
    assert signals(*TICKETS) == [(None, None, None, None)]
    assert signals(*TICKETS, support_tickets=[ticket(1, customer_id="C2")]) == [(0, 0, 0, 0)]


def answer(days, score, **more):
    return {"date": ago(days), "score": score} | more


def nps(*answers):
    return signals("latest_nps_score", "nps_age_days", nps_scores=answers)


def test_the_newest_answer_by_the_as_of_date_counts():
    assert nps(answer(40, 2), answer(10, 9), answer(-1, 0), answer(3, 1, customer_id="C2")) == [(9, 10)]


def test_of_several_answers_on_one_day_the_lowest_counts():
    assert nps(answer(10, 9), answer(10, 4), answer(10, 7)) == [(4, 10)]


@pytest.mark.parametrize(("age", "known"), [(0, (3, 0)), (365, (3, 365)), (366, (None, None))])
def test_an_answer_counts_for_365_days(age, known):
    assert nps(answer(age, 3)) == [known]


def test_without_answers_the_score_is_unknown():
    assert nps() == [(None, None)]
