"""The evidence of a customer's interventions, from tables of a few rows and from the snapshot of a run."""

import datetime as dt
import json
from decimal import Decimal

import ibis
import pyarrow as pa
import pytest

from asset_checks.contracts import CONTRACTS
from productpulse_assets.decisions.evidence import (
    UnknownCustomer,
    customer_evidence,
    find_customer,
    read_intervention,
    source_rows,
    trace_chain,
)
from resources.home import Home
from resources.published_snapshot import Snapshot, version_of
from resources.tables import rows_of
from tests.builders import dataset
from tests.errors import raises
from tests.graph import RULES

AS_OF = dt.date(2026, 6, 30)
CHURN = RULES.churn_rules


class Tables:
    """A reader of tables that a test gives; it counts its queries."""

    def __init__(self, **tables):
        self.tables, self.queries = tables, 0

    def table(self, name):
        return self.tables[name]

    def rows(self, expression):
        self.queries += 1
        return rows_of(expression)


def trace(trace_id, kind, entity, parent=None, rule=None, customer="C1", **proof):
    """A row of decision_traces; a finding's proof names its signal."""
    return {
        "trace_id": trace_id, "created_at": AS_OF, "entity_type": kind, "entity_id": entity, "customer_id": customer,
        "parent_trace_id": parent, "signal": proof.get("signal"), "triggered_rule": rule, "evidence": json.dumps(proof),
    }  # fmt: skip


def hit(trace_id, rule, signal, weight):
    """A churn rule that fired for C1."""
    return trace(trace_id, "ChurnRisk", "C1", rule=rule, signal=signal, weight=weight, explanation=f"{rule}.")


def leak(trace_id, leakage_id, *transactions):
    """A case of leakage of C1."""
    details = json.dumps({"transaction_ids": list(transactions)} if transactions else {})
    return trace(trace_id, "RevenueLeakage", leakage_id, rule="Refund", details=details, explanation="Refunded.")


def table(*rows):
    return ibis.memtable(pa.Table.from_pylist(list(rows)))


TRACES = (
    hit("t1", "many_tickets", "support_ticket_count", 0.1),
    hit("t2", "detractor", "latest_nps_score", 0.3),
    leak("t3", "L1", "T1", "T3"),
    leak("t4", "L2"),
    trace("t5", "Recommendation", "R-call", "t1", "call", priority_score=10.0),
    trace("t6", "Recommendation", "R-call", "t2", "call", priority_score=10.0),
    trace("t7", "Recommendation", "R-collect", "t3", "collect", priority_score=50.0),
    trace("t8", "Intervention", "I1", "t5", "call"),
    trace("t9", "Intervention", "I1", "t6", "call"),
    trace("t10", "Intervention", "I1", "t7", "collect"),
    trace("u1", "ChurnRisk", "C2", customer="C2", explanation="No rule fired."),
)


@pytest.fixture
def tables():
    """C1 has one intervention of two recommendations, and leakage without one; no rule fired for C2; C3 never paid."""
    opened = [{"date_opened": AS_OF - dt.timedelta(days=days)} for days in (0, 5, 5, 90, 91, -1)]
    return Tables(
        customers=dataset(
            "customers",
            {"customer_id": "C1", "company_name": "Acme"},
            {"customer_id": "C2", "company_name": "Globex"},
            {"customer_id": "C3", "company_name": "globex"},
        ),
        customer_360=table({"customer_id": "C1"}, {"customer_id": "C2"}, {"customer_id": "C3"}),
        churn_risk_profiles=table(
            {"customer_id": "C1", "signals_known": 11}, {"customer_id": "C2", "signals_known": 4}
        ),
        intervention_plan=table({"customer_id": "C1", "intervention_id": "I1", "priority_rank": 1}),
        decision_traces=table(*TRACES),
        revenue_leakage=table(
            {"leakage_id": "L1", "subscription_id": "S1"}, {"leakage_id": "L2", "subscription_id": "S2"}
        ),
        subscriptions=dataset("subscriptions", {}, {}),
        transactions=dataset(
            "transactions",
            {"transaction_date": "2026-06-01", "subscription_id": "S1"},
            {"transaction_date": "2026-06-02", "subscription_id": "S1"},
            {"transaction_date": "2026-06-03", "subscription_id": "S1"},
        ),
        support_tickets=dataset("support_tickets", *opened, {"customer_id": "C2", "date_opened": AS_OF}),
        nps_scores=dataset("nps_scores"),
    )


def shape(found):
    """An intervention's tree as ids of its traces."""
    return [
        (each.trace["entity_id"], [finding.trace["trace_id"] for finding in each.findings])
        for each in found.recommendations
    ]


def test_an_intervention_has_recommendations_with_findings_by_weight(tables):
    evidence = customer_evidence(tables, "C1")
    assert evidence.customer == {"customer_id": "C1"} and evidence.profile["signals_known"] == 11
    assert [each.row["intervention_id"] for each in evidence.interventions] == ["I1"]
    assert shape(evidence.interventions[0]) == [("R-collect", ["t3"]), ("R-call", ["t2", "t1"])]
    assert evidence.interventions[0].recommendations[0].proof["priority_score"] == 50
    detractor, tickets = evidence.interventions[0].recommendations[1].findings
    assert (detractor.weight, detractor.explanation, detractor.is_leakage) == (0.3, "detractor.", False)
    assert tickets.weight == 0.1


def test_findings_without_a_recommendation_are_listed_apart(tables):
    (other,) = customer_evidence(tables, "C1").other_findings
    assert (other.trace["entity_id"], other.is_leakage, other.weight) == ("L2", True, 0)


def test_a_customer_without_interventions_has_other_findings(tables):
    quiet = customer_evidence(tables, "C2")
    assert quiet.interventions == ()
    assert [finding.explanation for finding in quiet.other_findings] == ["No rule fired."]
    assert source_rows(tables, quiet.other_findings[0], CHURN) == ()


def test_a_customer_who_does_not_pay_has_no_risk_profile(tables):
    assert customer_evidence(tables, "C3").profile is None
    assert customer_evidence(tables, "C3").other_findings == ()


def test_one_intervention_is_read_with_two_queries(tables):
    assert read_intervention(tables, "I1") == customer_evidence(tables, "C1").interventions[0]
    tables.queries = 0
    read_intervention(tables, "I1")
    assert tables.queries == 2


@pytest.mark.parametrize(
    ("trace_id", "steps"), [("t9", ["t9", "t6", "t2"]), ("t7", ["t7", "t3"]), ("u1", ["u1"]), ("unknown", [])]
)
def test_a_trace_chain_ends_with_the_finding(tables, trace_id, steps):
    assert [step.trace["trace_id"] for step in trace_chain(tables, trace_id)] == steps


def finding_of(tables, trace_id):
    below = customer_evidence(tables, "C1")
    found = [each for plan in below.interventions for advice in plan.recommendations for each in advice.findings]
    return next(each for each in [*found, *below.other_findings] if each.trace["trace_id"] == trace_id)


def test_the_source_rows_of_a_signal_are_those_of_its_days_newest_first(tables):
    finding, tables.queries = finding_of(tables, "t1"), 0
    (found,) = source_rows(tables, finding, CHURN)
    assert tables.queries == 1
    assert (found.dataset, found.window, found.count) == ("support_tickets", "last 90 days", 4)
    assert [row["ticket_id"] for row in found.rows] == ["T1", "T2", "T3"]  # of one day by key; T4 is the fourth
    assert set(found.rows[0]) == set(CONTRACTS["support_tickets"].columns)
    (all_rows,) = source_rows(tables, finding, CHURN, limit=10)
    assert [row["ticket_id"] for row in all_rows.rows] == ["T1", "T2", "T3", "T4"]


def test_a_signal_without_rows_has_none(tables):
    (found,) = source_rows(tables, finding_of(tables, "t2"), CHURN)
    assert (found.dataset, found.count, found.rows) == ("nps_scores", 0, ())


def test_the_source_rows_of_leakage_are_its_subscription_and_transactions(tables):
    contract, payments = source_rows(tables, finding_of(tables, "t3"), CHURN)
    assert [row["subscription_id"] for row in contract.rows] == ["S1"]
    assert (payments.dataset, payments.window, payments.count) == ("transactions", "", 2)
    assert [row["transaction_id"] for row in payments.rows] == ["T3", "T1"]
    assert payments.rows[0]["amount"] == Decimal(100)


def test_the_source_row_of_leakage_without_transactions_is_its_subscription(tables):
    (contract,) = source_rows(tables, finding_of(tables, "t4"), CHURN)
    assert [row["subscription_id"] for row in contract.rows] == ["S2"]


def test_a_customer_is_found_by_id_or_name_in_any_case(tables):
    assert find_customer(tables, " c2 ") == "C2"
    assert find_customer(tables, "ACME") == "C1"


@pytest.mark.parametrize(
    ("name", "code", "suggested"),
    [
        ("globex", "customer.name_not_unique", "2 customers have the name 'globex': C2, C3. Give the customer_id."),
        ("Acm", "customer.unknown", "Did you mean: Acme (C1)?"),
        ("C9", "customer.unknown", "Did you mean: C1, C2, C3?"),
    ],
)
def test_an_unknown_customer_is_answered_with_similar_ones(tables, name, code, suggested):
    with raises(code, UnknownCustomer) as caught:
        find_customer(tables, name)
    assert str(caught.value).endswith(suggested)
    assert caught.value.details == {"name": name}


def test_without_any_customer_none_is_suggested():
    with raises("customer.unknown", UnknownCustomer) as caught:
        find_customer(Tables(customers=dataset("customers")), "C1")
    assert "Did you mean" not in str(caught.value)


@pytest.fixture(scope="module")
def snapshot(good_run, good_home):
    opened = Snapshot(version_of(Home(good_home).published))
    yield opened
    opened.close()


def test_a_datasets_first_column_is_its_key(snapshot):
    """Rows of one day are listed in the order of the first column."""
    for name, contract in CONTRACTS.items():
        assert snapshot.table(name).columns[0] == contract.metadata["key"][0]


def test_every_intervention_leads_to_findings_with_rows(snapshot):
    plan = snapshot.rows(snapshot.table("intervention_plan").select("intervention_id").limit(10))
    assert plan
    for row in plan:
        found = read_intervention(snapshot, row["intervention_id"])
        findings = [finding for advice in found.recommendations for finding in advice.findings]
        assert findings
        assert all(
            each.count for finding in findings if finding.is_leakage for each in source_rows(snapshot, finding, CHURN)
        )


def test_the_rows_of_a_ticket_count_are_as_many_as_it_says(snapshot):
    traces = snapshot.table("decision_traces")
    counted = traces.filter(traces.signal == "support_ticket_count", traces.entity_type == "ChurnRisk")
    customers = {row["customer_id"] for row in snapshot.rows(counted.limit(5))}
    assert customers
    for customer in customers:
        evidence = customer_evidence(snapshot, customer)
        below = [each for plan in evidence.interventions for advice in plan.recommendations for each in advice.findings]
        hits = [each for each in [*below, *evidence.other_findings] if each.trace["signal"] == "support_ticket_count"]
        for each in hits:
            assert source_rows(snapshot, each, CHURN)[0].count == int(each.proof["value"])
