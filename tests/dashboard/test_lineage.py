"""From source column to metric to who acts."""

import pytest
from ibis import _

from dashboard.lineage import ACTION, COLUMN, DATASET, METRIC, decisions, lineage_of, uses


def about(reading, name):
    (row,) = reading.rows(reading.table("metric_lineage").filter(_.metric_name == name))
    return row


def labels(found, layer):
    return {label for _id, label, at, _colour in found.nodes.values() if at == layer}


def test_a_metric_is_joined_to_its_columns_and_they_to_who_acts_on_the_same_data(reading):
    found = lineage_of(reading, about(reading, "failed_payment_rate"))
    assert labels(found, COLUMN) == {"transactions.status"}
    assert labels(found, DATASET) == {"transactions"}
    assert labels(found, METRIC) == {"Failed payment rate"}
    assert "Billing Recovery, Billing Operations" in labels(found, ACTION)
    assert all(start in found.nodes and end in found.nodes for start, end in found.links)
    assert len(found.links) == len(set(found.links))


def test_what_is_said_with_a_metric(reading):
    assert ("Health", "Customer Churn") in uses(reading, "customer_churn_rate")
    assert ("Scenario", "Churn Reduction") in uses(reading, "average_monthly_churn_rate")
    assert uses(reading, "new_customers") == []


@pytest.mark.parametrize("dataset", ["support_tickets", "transactions"])
def test_decisions_are_counted_along_their_traces(reading, demo_sql, dataset):
    rows = decisions(reading, [dataset])
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
