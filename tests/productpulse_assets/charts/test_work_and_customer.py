"""The charts of owners' work, of one customer and of scenarios."""

import datetime as dt
from decimal import Decimal

from productpulse_assets.charts import customer, scenarios, work

OWNER = "<b>CSM</b>"
WEEKS = [
    {"owner": OWNER, "week": "2026-06-29", "interventions": 15, "capacity": 15},
    {"owner": OWNER, "week": "2026-07-06", "interventions": 1, "capacity": 15},
    {"owner": OWNER, "week": "backlog", "interventions": 7, "capacity": None},
]


def test_the_backlog_has_its_own_bar_and_no_capacity():
    order, planned, backlog, capacity = work.workload(WEEKS).data
    assert list(order.x[1]) == ["29 Jun", "6 Jul", "backlog"]
    assert (list(planned.y), list(backlog.y), list(capacity.y)) == ([15, 1], [7], [15, 15])
    assert set(planned.x[0]) == {"&lt;b&gt;CSM&lt;/b&gt;"}
    assert planned.hovertext[1] == "&lt;b&gt;CSM&lt;/b&gt;, week of 6 Jul: 1 intervention (capacity 15)"
    assert backlog.hovertext[0] == "&lt;b&gt;CSM&lt;/b&gt;: 7 interventions in the backlog"
    assert planned.marker.color != backlog.marker.color


def month(number, mrr, collected, failed):
    money = {"mrr_end": mrr, "amount_collected": collected, "amount_failed": failed}
    return {"month": dt.date(2026, number, 1)} | {
        name: None if value is None else Decimal(value) for name, value in money.items()
    }


def test_mrr_and_payments_of_a_customer_by_month():
    rows = [month(5, "100.00", "100.00", "0.00"), month(6, "100.00", "0.00", "1100.00")]
    collected, failed, mrr = customer.revenue(rows, "USD").data
    assert (list(collected.y), list(failed.y), list(mrr.y)) == ([100, 0], [0, 1100], [100, 100])
    assert failed.hovertext[1] == "Jun 2026: Failed $1,100"


def test_payments_are_left_out_if_their_dataset_is_absent():
    assert [trace.name for trace in customer.revenue([month(6, "5.00", None, None)], "USD").data] == ["MRR"]


def test_usage_of_a_customer_by_week():
    logins, actions = customer.usage([{"week": dt.date(2026, 6, 22), "logins": 1200, "key_actions": 3}]).data
    assert (list(logins.y), list(actions.y)) == ([1200], [3])
    assert logins.hovertext[0] == "Week of 22 Jun 2026: Logins 1,200"


def test_unknown_usage_is_not_shown_as_no_logins():
    figure = customer.usage([{"week": dt.date(2026, 6, 22), "logins": None, "key_actions": None}])
    assert len(figure.data) == 0 and "No product usage" in figure.layout.annotations[0].text


def scenario(label, default, chosen=None):
    amounts = {"default": default, "chosen": chosen, "low": 40, "high": 250}
    return {"label": label} | {name: None if amount is None else Decimal(amount) for name, amount in amounts.items()}


def test_a_scenario_shows_its_range_and_the_users_assumption():
    figure = scenarios.impact(
        [scenario("<b>Less</b> churn", 100), scenario("More", 50, 90), scenario("Gone", None)], "USD"
    )
    default, chosen = figure.data
    assert (list(default.x), list(default.error_x.array), list(default.error_x.arrayminus)) == (
        [100, 50],
        [150, 200],
        [60, 10],
    )
    assert (list(chosen.x), list(chosen.y)) == ([90], [1])
    assert figure.layout.yaxis.ticktext[0] == "&lt;b&gt;Less&lt;/b&gt; churn<br>$100.00 ($40.00 to $250.00)"
    assert figure.layout.annotations[0].text == "Not available: Gone."


def test_there_is_one_bar_without_an_assumption_of_the_user():
    assert len(scenarios.impact([scenario("Less churn", 100)], "USD").data) == 1
