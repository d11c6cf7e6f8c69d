"""The charts of a metric over time and by member, of health and of lineage."""

import datetime as dt
import math

from productpulse_assets.charts import metrics
from productpulse_assets.charts.metrics import LineageNode
from productpulse_assets.charts.palette import GREEN, LEVELS, SKY

METRIC = LineageNode("m", "MRR", 1, GREEN)


def months(*values, last_is_complete=True):
    return [
        {"month": dt.date(2026, place, 1), "is_complete": last_is_complete or place < len(values), "value": value}
        for place, value in enumerate(values, start=1)
    ]


def test_unknown_months_are_gaps():
    (line,) = metrics.history(months(0.1, None, math.nan, 0.2), "Churn", "rate", "USD").data
    assert list(line.y) == [0.1, None, None, 0.2]
    assert list(line.hovertext[:2]) == ["Jan 2026: 10.0 %", "Feb 2026: not available"]


def test_a_month_that_is_not_complete_has_a_dotted_line():
    complete, incomplete = metrics.history(months(1000, 1200, 900, last_is_complete=False), "MRR", "money", "EUR").data
    assert list(complete.y) == [1000, 1200]
    assert list(incomplete.y) == [1200, 900]
    assert incomplete.line.dash == "dot" and complete.line.dash is None
    assert incomplete.hovertext[1] == "Mar 2026: €900.00 (month not complete)"


def test_the_target_is_a_separate_line():
    line = metrics.history(months(0.1, 0.2), "Churn", "rate", "USD", target=0.05).data[-1]
    assert (line.name, list(line.y)) == ("Target 5.0 %", [0.05, 0.05])


def test_members_are_ordered_by_value_and_members_without_a_value_are_listed():
    rows = [
        {"member": "<b>SMB</b>", "value": 0.2, "customers": 1},
        {"member": "Big", "value": 0.9, "customers": 1200},
        {"member": "New", "value": None, "customers": 3},
    ]
    figure = metrics.slices(rows, "Activation", "rate", "USD")
    assert list(figure.layout.yaxis.ticktext) == ["Big", "&lt;b&gt;SMB&lt;/b&gt;"]
    assert list(figure.data[0].hovertext) == [
        "Big: 90.0 % (1,200 customers)",
        "&lt;b&gt;SMB&lt;/b&gt;: 20.0 % (1 customer)",
    ]
    assert figure.layout.annotations[0].text == "Not available: New."


def test_the_lowest_score_is_on_top_and_an_area_without_a_score_is_listed():
    rows = [
        {"area": "Growth", "score": 95.0, "status": "Healthy"},
        {"area": "Leakage", "score": 0.0, "status": "Critical"},
        {"area": "Support", "score": None, "status": "Not available"},
    ]
    figure = metrics.health(rows)
    assert list(figure.layout.yaxis.ticktext) == ["Leakage", "Growth"]
    assert list(figure.data[0].marker.color) == [LEVELS["Critical"], LEVELS["Healthy"]]
    assert list(figure.data[0].text) == ["0 Critical", "95 Healthy"]
    assert figure.layout.annotations[0].text == "Not available: Support."


def test_lineage_goes_from_layer_to_layer_with_links_of_equal_width():
    long = "column_" * 20
    nodes = [LineageNode("a", "<b>A</b>", 0, SKY), LineageNode("b", long, 0, SKY), METRIC]
    figure = metrics.lineage(nodes, [("a", "m"), ("b", "m")])
    (graph,) = figure.data
    assert (list(graph.link.source), list(graph.link.target), list(graph.link.value)) == ([0, 1], [2, 2], [1, 1])
    assert graph.node.label[0] == "&lt;b&gt;A&lt;/b&gt;" and len(graph.node.label[1]) == metrics.LABEL_LENGTH
    assert graph.node.x[0] == graph.node.x[1] < graph.node.x[2]
    assert graph.node.y[0] < graph.node.y[1]


def test_the_lineage_chart_is_taller_if_its_widest_layer_has_more_nodes():
    nodes = [*(LineageNode(str(n), str(n), 0, SKY) for n in range(60)), METRIC]
    few = metrics.lineage([*nodes[:2], nodes[-1]], [("0", "m"), ("1", "m")])
    many = metrics.lineage(nodes, [(str(n), "m") for n in range(60)])
    assert many.layout.height > 3 * few.layout.height
