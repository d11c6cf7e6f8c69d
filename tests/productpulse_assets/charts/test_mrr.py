"""The charts of how MRR moves."""

import datetime as dt
from decimal import Decimal

import ibis
import pytest

from productpulse_assets.charts import mrr
from productpulse_assets.charts.palette import GAIN, GREY, LOSS, TOTAL
from resources.tables import rows_of, table_of
from rules.mrr_policy import CAUSES

MAY, JUNE = dt.date(2026, 5, 1), dt.date(2026, 6, 1)
AMOUNTS = {
    "opening_revenue": "1000.00", "new_revenue": "300.00", "reactivation_revenue": "0.00", "expansion_revenue": "50.00",
    "contraction_revenue": "20.00", "churned_revenue": "130.00",
}  # fmt: skip


@pytest.fixture
def kpis():
    return {
        name: {
            "metric_name": name,
            "label": f"<b>{name}</b>",
            "value": float(amount),
            "amount": Decimal(amount),
            "period_start": JUNE,
        }
        for name, amount in AMOUNTS.items()
    }


def test_the_bridge_adds_up_to_the_closing_mrr(kpis):
    bridge = mrr.bridge(kpis)
    assert (bridge.closing, bridge.month) == (Decimal("1200.00"), JUNE)
    assert [sign for _row, sign in bridge.lines] == ["", "+", "+", "+", "-", "-"]


def test_there_is_no_bridge_if_a_movement_is_not_known(kpis):
    assert mrr.bridge(kpis | {"new_revenue": kpis["new_revenue"] | {"value": None}}) is None
    assert mrr.bridge({}) is None


def test_the_waterfall_goes_from_opening_to_closing(kpis):
    figure = mrr.waterfall(mrr.bridge(kpis), "EUR")
    (bars,) = figure.data
    assert list(figure.layout.xaxis.ticktext) == [*mrr.STEPS.values(), "Closing"]
    assert list(bars.y) == [1000, 300, 0, 50, -20, -130, 0]
    assert bars.measure[0] == "absolute" and bars.measure[-1] == "total" and set(bars.measure[1:-1]) == {"relative"}
    assert list(bars.text) == ["€1,000", "+€300.00", "€0", "+€50.00", "-€20.00", "-€130.00", "€1,200"]
    assert bars.hovertext[5] == "&lt;b&gt;churned_revenue&lt;/b&gt;: -€130.00"
    colours = (bars.increasing, bars.decreasing, bars.totals)
    assert [part.marker.color for part in colours] == [GAIN, LOSS, TOTAL]


def test_causes_follow_their_movement_and_exchange_rates_are_a_step_of_their_own(kpis):
    more = {"expansion_from_quantity": "70.00", "expansion_from_price": "-20.00", "contraction_from_plan": "20.00"}
    more |= {"expansion_from_plan": "0.00", "fx_revenue": "-15.00"}
    for name, amount in more.items():
        kpis[name] = kpis["opening_revenue"] | {"metric_name": name, "label": name, "amount": Decimal(amount)}
    bridge = mrr.bridge(kpis)
    assert bridge.closing == Decimal("1185.00")
    assert [(row["metric_name"], sign, row["amount"]) for row, sign, is_cause in bridge.all_lines if is_cause] == [
        ("expansion_from_quantity", "+", 70),
        ("expansion_from_price", "-", 20),
        ("contraction_from_plan", "-", 20),
    ]
    figure = mrr.waterfall(bridge, "USD")
    assert list(figure.layout.xaxis.ticktext)[-3:] == ["Churned", "Exchange rates", "Closing"]
    assert figure.data[0].hovertext[3].endswith("<br>expansion_from_quantity: +$70.00<br>expansion_from_price: -$20.00")


def test_every_cause_of_a_movement_is_known_to_the_chart():
    for whole in ("expansion", "contraction"):
        assert mrr.CAUSES[f"{whole}_revenue"] == [f"{whole}_from_{cause}" for cause in CAUSES]


def test_the_title_of_an_axis_that_does_not_begin_at_0_states_it(kpis):
    figure = mrr.waterfall(mrr.bridge(kpis), "USD")
    assert figure.layout.yaxis.range[0] > 0
    assert "does not begin at 0" in figure.layout.yaxis.title.text


def test_churn_is_of_complete_months_and_mrr_is_of_all_months():
    schema = ibis.schema(
        {"metric_name": "string", "month": "date", "is_complete": "boolean", "value": "float64", "amount": "decimal(18, 2)"}
    )  # fmt: skip
    rows = [
        ("customer_churn_rate", JUNE, False, 0.5, None),
        ("monthly_recurring_revenue", JUNE, False, 12.0, "12.00"),
        ("customer_churn_rate", MAY, True, 0.02, None),
        ("monthly_recurring_revenue", MAY, True, 10.0, "10.00"),
        ("arpu", MAY, True, 99.0, "99.00"),
    ]
    history = table_of(
        [dict(zip(schema.names, (*row[:4], row[4] and Decimal(row[4])), strict=True)) for row in rows], schema
    )
    assert rows_of(mrr.monthly(history)) == [
        {"month": MAY, "mrr": Decimal("10.00"), "churn": 0.02},
        {"month": JUNE, "mrr": Decimal("12.00"), "churn": None},
    ]


def test_mrr_and_churn_have_separate_axes():
    rows = [{"month": MAY, "mrr": Decimal("1500.00"), "churn": 0.02}, {"month": JUNE, "mrr": Decimal("1200.00"), "churn": None}]  # fmt: skip
    area, line = mrr.mrr_and_churn(rows, "USD").data
    assert (list(area.y), list(line.y)) == ([1500, 1200], [0.02, None])
    assert line.yaxis == "y2" and area.yaxis is None
    assert (area.hovertext[1], line.hovertext[0]) == ("Jun 2026: MRR $1,200", "May 2026: customer churn 2.0 %")


def test_there_is_no_second_line_if_churn_is_not_known():
    assert len(mrr.mrr_and_churn([{"month": MAY, "mrr": Decimal(5), "churn": None}], "USD").data) == 1


def test_members_are_ordered_from_the_largest_gain_to_the_largest_loss():
    rows = [
        {"member": name, "change": Decimal(change), "mrr_before": Decimal(100), "mrr_after": Decimal(100) + change}
        for name, change in {"SMB": -40, "<b>Big</b>": 70, "Still": 0}.items()
    ]
    figure = mrr.drivers(rows, "USD")
    (bars,) = figure.data
    assert list(figure.layout.yaxis.ticktext) == ["&lt;b&gt;Big&lt;/b&gt;", "Still", "SMB"]
    assert (list(bars.x), list(bars.marker.color)) == ([70, 0, -40], [GAIN, GREY, LOSS])
    assert bars.hovertext[2] == "SMB: -$40.00, from $100.00 to $60.00"
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]  # the first is on top
