"""The lineage of a metric, from source columns to decisions."""

import pytest
from ibis import _

from dashboard.lineage import ACTION, COLUMN, DATASET, METRIC, build_lineage, metric_uses, related_decisions

pytestmark = pytest.mark.slow


def about(reading, name):
    (row,) = reading.rows(reading.table("metric_lineage").filter(_.metric_name == name))
    return row


def labels(graph, layer):
    return {node.label for node in graph.nodes.values() if node.layer == layer}


def test_a_metric_is_linked_to_its_columns_and_to_actions_from_the_same_datasets(reading):
    graph = build_lineage(reading, about(reading, "failed_payment_rate"))
    assert labels(graph, COLUMN) == {"transactions.status", "transactions.transaction_date"}
    assert labels(graph, DATASET) == {"transactions"}
    assert labels(graph, METRIC) == {"Failed payment rate"}
    assert "Billing Recovery, Billing Operations" in labels(graph, ACTION)
    assert all(start in graph.nodes and end in graph.nodes for start, end in graph.links)
    assert len(graph.links) == len(set(graph.links))


def test_the_uses_of_a_metric(reading):
    assert ("Health", "Customer Churn") in metric_uses(reading, "customer_churn_rate")
    assert ("Scenario", "Churn Reduction") in metric_uses(reading, "average_monthly_churn_rate")
    assert metric_uses(reading, "new_customers") == []


@pytest.mark.parametrize("dataset", ["support_tickets", "transactions"])
def test_interventions_are_counted_along_their_traces(reading, demo_sql, dataset):
    rows = related_decisions(reading, [dataset])
    assert rows and all(dataset in row["source_dataset"] for row in rows)
    first = rows[0]
    counted = demo_sql.execute(
        """SELECT count(DISTINCT top.entity_id) FROM decision_traces top
           JOIN decision_traces mid ON mid.trace_id = top.parent_trace_id
           JOIN decision_traces low ON low.trace_id = mid.parent_trace_id
           JOIN intervention_plan p ON p.intervention_id = top.entity_id
           WHERE top.entity_type = 'Intervention' AND low.triggered_rule = $rule
             AND p.category = $category AND p.suggested_owner = $owner""",
        {"rule": first["triggered_rule"], "category": first["category"], "owner": first["suggested_owner"]},
    ).fetchone()[0]
    assert first["interventions"] == counted
