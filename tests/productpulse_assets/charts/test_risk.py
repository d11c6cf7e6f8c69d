"""The charts of churn risk and leakage."""

from decimal import Decimal

import ibis

from productpulse_assets.charts import risk
from productpulse_assets.charts.palette import LEVELS
from resources.tables import rows_of, table_of

BANDS = ["Critical", "High", "Low"]
PROFILES = table_of(
    [
        {"customer_id": "1", "segment": "SMB", "risk_band": "High", "mrr": Decimal("10.00")},
        {"customer_id": "2", "segment": "SMB", "risk_band": "High", "mrr": Decimal("5.50")},
        {"customer_id": "3", "segment": None, "risk_band": "Low", "mrr": Decimal("7.00")},
    ],
    ibis.schema({"customer_id": "string", "segment": "string", "risk_band": "string", "mrr": "decimal(18, 2)"}),
)


def test_customers_and_mrr_are_counted_by_segment_and_band():
    assert rows_of(risk.by_segment(PROFILES)) == [
        {"segment": "SMB", "risk_band": "High", "customers": 2, "mrr": Decimal("15.50")},
        {"segment": "Unknown", "risk_band": "Low", "customers": 1, "mrr": Decimal("7.00")},
    ]


def test_bands_are_stacked_in_their_colours_with_the_highest_risk_first():
    rows = [
        {"segment": "<b>S</b>", "risk_band": "Low", "customers": 1},
        {"segment": "Big", "risk_band": "Low", "customers": 1200},
        {"segment": "Big", "risk_band": "Critical", "customers": 3},
    ]
    figure = risk.risk_by_segment(rows, BANDS)
    assert [bars.name for bars in figure.data] == BANDS
    assert [bars.marker.color for bars in figure.data] == [LEVELS[band] for band in BANDS]
    assert figure.layout.barmode == "stack"
    assert list(figure.layout.yaxis.ticktext) == ["Big", "&lt;b&gt;S&lt;/b&gt;"]
    low = figure.data[2]
    assert dict(zip(low.y, low.x, strict=True)) == {0: 1200, 1: 1}
    assert list(low.hovertext) == ["&lt;b&gt;S&lt;/b&gt;, Low: 1 customer", "Big, Low: 1,200 customers"]
    assert low.insidetextfont.color == "black"


def leak(kind, loss):
    return {"leakage_type": kind, "estimated_revenue_loss": loss and Decimal(loss), "cases": loss and 1}


def test_kinds_that_are_not_available_are_listed_and_not_shown_as_0():
    figure = risk.leakage_by_type([leak("Refund", "20.00"), leak("Missed", None), leak("Failed", "1500.00")], "EUR")
    assert list(figure.layout.yaxis.ticktext) == ["Failed", "Refund"]
    assert list(figure.data[0].x) == [1500, 20]
    assert figure.data[0].hovertext[0] == "Failed: €1,500 in 1 case"
    assert figure.layout.annotations[0].text == "Not available: Missed."


def test_only_a_message_is_shown_if_no_kind_is_available():
    figure = risk.leakage_by_type([leak("Missed", None)], "USD")
    assert len(figure.data) == 0
    assert figure.layout.annotations[0].text == "Not available: Missed."


def test_drivers_are_counted_by_rule_with_the_most_frequent_first():
    evidence = ibis.memtable(
        {"customer_id": ["1", "3", "2"], "rule_id": ["b", "b", "a"], "driver_label": ["Idle", "Idle", "Detractor"]}
    )
    rows = rows_of(risk.driver_counts(evidence, PROFILES))
    assert rows == [
        {"rule_id": "b", "driver_label": "Idle", "customers": 2, "mrr": Decimal("17.00")},
        {"rule_id": "a", "driver_label": "Detractor", "customers": 1, "mrr": Decimal("10.00") - Decimal("4.50")},
    ]
    figure = risk.drivers(rows, "USD")
    assert list(figure.data[0].x) == [2, 1]
    assert figure.data[0].hovertext[0] == "Idle: 2 customers with $17.00 MRR"
