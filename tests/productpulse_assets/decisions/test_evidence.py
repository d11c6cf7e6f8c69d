"""The tree under a customer's plan, on tables of a few rows, and on the snapshot of a run."""

import datetime as dt
import json
from decimal import Decimal

import ibis
import pyarrow as pa
import pytest

from asset_checks.contracts import CONTRACTS
from productpulse_assets.decisions.evidence import UnknownCustomer, chain, find_customer, intervention, sources, story
from resources.home import Home
from resources.published_snapshot import Snapshot, version_of
from resources.tables import rows_of
from tests.builders import dataset
from tests.graph import RULES

AS_OF = dt.date(2026, 6, 30)
CHURN = RULES.churn_rules


class Tables:
    """A snapshot made by hand; it counts what it is asked."""

    def __init__(self, **tables):
        self.tables, self.asked = tables, 0

    def table(self, name):
        return self.tables[name]

    def rows(self, expression):
        self.asked += 1
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
    """C1 has one intervention of two recommendations, and leakage that nobody acts on; C2 is quiet; C3 never paid."""
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
    """An intervention's tree by the ids of its traces."""
    return [
        (each.trace["entity_id"], [finding.trace["trace_id"] for finding in each.findings])
        for each in found.recommendations
    ]


def test_an_intervention_rests_on_recommendations_and_those_on_findings_the_weightiest_first(tables):
    told = story(tables, "C1")
    assert told.about == {"customer_id": "C1"} and told.profile["signals_known"] == 11
    assert [each.row["intervention_id"] for each in told.interventions] == ["I1"]
    assert shape(told.interventions[0]) == [("R-collect", ["t3"]), ("R-call", ["t2", "t1"])]
    assert told.interventions[0].recommendations[0].proof["priority_score"] == 50
    detractor, tickets = told.interventions[0].recommendations[1].findings
    assert (detractor.weight, detractor.explanation, detractor.is_leakage) == (0.3, "detractor.", False)
    assert tickets.weight == 0.1


def test_what_no_recommendation_rests_on_is_told_too(tables):
    (rest,) = story(tables, "C1").rest
    assert (rest.trace["entity_id"], rest.is_leakage, rest.weight) == ("L2", True, 0)


def test_a_customer_without_a_plan_has_what_is_known(tables):
    quiet = story(tables, "C2")
    assert quiet.interventions == ()
    assert [finding.explanation for finding in quiet.rest] == ["No rule fired."]
    assert sources(tables, quiet.rest[0], CHURN) == ()


def test_a_customer_who_does_not_pay_has_no_profile(tables):
    assert story(tables, "C3").profile is None
    assert story(tables, "C3").rest == ()


def test_one_intervention_is_read_without_the_rest_of_its_customer(tables):
    assert intervention(tables, "I1") == story(tables, "C1").interventions[0]
    tables.asked = 0
    intervention(tables, "I1")
    assert tables.asked == 2


@pytest.mark.parametrize(
    ("trace_id", "steps"), [("t9", ["t9", "t6", "t2"]), ("t7", ["t7", "t3"]), ("u1", ["u1"]), ("nobody", [])]
)
def test_a_trace_is_followed_to_its_finding(tables, trace_id, steps):
    assert [step.trace["trace_id"] for step in chain(tables, trace_id)] == steps


def finding_of(tables, trace_id):
    below = story(tables, "C1")
    found = [each for plan in below.interventions for advice in plan.recommendations for each in advice.findings]
    return next(each for each in [*found, *below.rest] if each.trace["trace_id"] == trace_id)


def test_a_signal_rests_on_its_customers_rows_within_its_days_newest_first(tables):
    finding, tables.asked = finding_of(tables, "t1"), 0
    (found,) = sources(tables, finding, CHURN)
    assert tables.asked == 1
    assert (found.dataset, found.window, found.count) == ("support_tickets", "last 90 days", 4)
    assert [row["ticket_id"] for row in found.rows] == ["T1", "T2", "T3"]  # of one day by key; T4 is the fourth
    assert set(found.rows[0]) == set(CONTRACTS["support_tickets"].columns)
    (all_rows,) = sources(tables, finding, CHURN, limit=10)
    assert [row["ticket_id"] for row in all_rows.rows] == ["T1", "T2", "T3", "T4"]


def test_a_signal_whose_rows_are_gone_rests_on_none(tables):
    (found,) = sources(tables, finding_of(tables, "t2"), CHURN)
    assert (found.dataset, found.count, found.rows) == ("nps_scores", 0, ())


def test_leakage_rests_on_its_subscription_and_its_transactions(tables):
    contract, payments = sources(tables, finding_of(tables, "t3"), CHURN)
    assert [row["subscription_id"] for row in contract.rows] == ["S1"]
    assert (payments.dataset, payments.window, payments.count) == ("transactions", "", 2)
    assert [row["transaction_id"] for row in payments.rows] == ["T3", "T1"]
    assert payments.rows[0]["amount"] == Decimal(100)


def test_leakage_without_transactions_rests_on_its_subscription(tables):
    (contract,) = sources(tables, finding_of(tables, "t4"), CHURN)
    assert [row["subscription_id"] for row in contract.rows] == ["S2"]


def test_a_customer_is_found_by_id_or_name_whatever_the_case(tables):
    assert find_customer(tables, " c2 ") == "C2"
    assert find_customer(tables, "ACME") == "C1"


@pytest.mark.parametrize(
    ("called", "answer"),
    [
        ("globex", "2 customers are called 'globex': C2, C3. Give the customer_id."),
        ("Acm", "There is no customer 'Acm'. Did you mean: Acme (C1)?"),
        ("C9", "There is no customer 'C9'. Did you mean: C1, C2, C3?"),
    ],
)
def test_who_cannot_be_found_is_answered_with_who_comes_near(tables, called, answer):
    with pytest.raises(UnknownCustomer) as raised:
        find_customer(tables, called)
    assert str(raised.value) == answer


def test_where_there_is_no_customer_none_comes_near(tables):
    with pytest.raises(UnknownCustomer, match=r"There is no customer 'C1'\.$"):
        find_customer(Tables(customers=dataset("customers")), "C1")


@pytest.fixture(scope="module")
def snapshot(good_run, good_home):
    opened = Snapshot(version_of(Home(good_home).published))
    yield opened
    opened.close()


def test_a_datasets_first_column_is_its_key(snapshot):
    """Rows of one day are told in the order of the first column."""
    for name, contract in CONTRACTS.items():
        assert snapshot.table(name).columns[0] == contract.metadata["key"][0]


def test_every_intervention_leads_to_findings_with_rows(snapshot):
    plan = snapshot.rows(snapshot.table("intervention_plan").select("intervention_id").limit(10))
    assert plan
    for row in plan:
        found = intervention(snapshot, row["intervention_id"])
        findings = [finding for advice in found.recommendations for finding in advice.findings]
        assert findings
        assert all(
            each.count for finding in findings if finding.is_leakage for each in sources(snapshot, finding, CHURN)
        )


def test_the_rows_of_a_ticket_count_are_as_many_as_it_says(snapshot):
    traces = snapshot.table("decision_traces")
    counted = traces.filter(traces.signal == "support_ticket_count", traces.entity_type == "ChurnRisk")
    customers = {row["customer_id"] for row in snapshot.rows(counted.limit(5))}
    assert customers
    for customer in customers:
        told = story(snapshot, customer)
        below = [each for plan in told.interventions for advice in plan.recommendations for each in advice.findings]
        hits = [each for each in [*below, *told.rest] if each.trace["signal"] == "support_ticket_count"]
        for each in hits:
            assert sources(snapshot, each, CHURN)[0].count == int(each.proof["value"])
