"""decision_traces: every decision leads to its evidence and can be computed again from it."""

import json
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

import pytest

from resources.duckdb_connection import open_read_only
from resources.home import Home
from resources.tables import rows_of
from rules.rule_set import SHIPPED, read_rules
from tests.productpulse_assets.decisions.cases import CALL, COLLECT, traces

ASKS = {
    "less_than": lambda value, threshold: value < threshold,
    "less_or_equal": lambda value, threshold: value <= threshold,
    "greater_than": lambda value, threshold: value > threshold,
    "greater_or_equal": lambda value, threshold: value >= threshold,
    "equals": lambda value, threshold: value == threshold,
    "not_equals": lambda value, threshold: value != threshold,
    "in": lambda value, threshold: value in threshold,
    "not_in": lambda value, threshold: value not in threshold,
    "contains": lambda value, threshold: threshold in value,
    "between": lambda value, threshold: threshold[0] <= value <= threshold[1],
    "is_true": lambda value, threshold: value is True,
    "is_missing": lambda value, threshold: value is None,
}
EVIDENCE = {"ChurnRisk", "RevenueLeakage"}
HIT = {
    "customer_id": "C1", "rule_id": "detractor", "signal_name": "latest_nps_score", "signal_value": "3",
    "operator": "less_or_equal", "threshold": "6", "weight": "0.15", "window": "last 365 days",
    "source_dataset": "nps_scores", "explanation": "Detractor: latest NPS score is 3 (rule: 6 or less)",
}  # fmt: skip


def decided(text):
    """A trace's evidence; numbers as decimals, with the digits of the text."""
    return json.loads(text, parse_float=Decimal)


@pytest.fixture(scope="module")
def published(good_run, good_home):
    """The rows of a table after a run over a whole company."""
    backend = open_read_only(Home(good_home).published)
    return lambda name: rows_of(backend.table(name))


@pytest.fixture(scope="module")
def traces_by_id(published):
    """Traces by id."""
    return {row["trace_id"]: row for row in published("decision_traces")}


def chain(trace, by_id):
    """The trace, its parent, the parent of that, and so on."""
    while trace:
        yield trace
        trace = by_id[trace["parent_trace_id"]] if trace["parent_trace_id"] else None


def test_one_decision_from_the_action_to_the_signal(follow):
    follow(CALL, COLLECT)
    found = rows_of(traces({"rules_fired": 1, "signals_known": 5}, leaks=({},), hits=(HIT,)))
    by_id = {row["trace_id"]: row for row in found}
    chains = sorted(
        [
            (step["entity_type"], step["signal"], step["triggered_rule"], step["generated_action"])
            for step in chain(row, by_id)
        ]
        for row in found
        if row["entity_type"] == "Intervention"
    )
    assert chains == [
        [
            ("Intervention", "Refund", "collect", "Ask why."),
            ("Recommendation", "Refund", "collect", "Collect $50.00"),
            ("RevenueLeakage", "Refund", "Refund", "Ask why."),
        ],
        [
            ("Intervention", "latest_nps_score", "call", "Call."),
            ("Recommendation", "latest_nps_score", "call", "Call Acme"),
            ("ChurnRisk", "latest_nps_score", "detractor", None),
        ],
    ]
    (hit,) = (row for row in found if row["entity_type"] == "ChurnRisk")
    proof = decided(hit["evidence"])
    assert {name: proof[name] for name in ("rule", "value", "operator", "threshold", "weight", "source_dataset")} == {
        "rule": "detractor", "value": "3", "operator": "less_or_equal", "threshold": "6", "weight": Decimal("0.15"),
        "source_dataset": "nps_scores",
    }  # fmt: skip
    assert hit["created_at"].isoformat() == "2026-06-30" and hit["confidence_level"] == "Low"  # 5 of 11 signals


def test_a_profile_without_a_hit_has_a_trace(follow):
    follow(CALL)
    found = rows_of(traces({"explanation": "No rule fired."}))
    (risk,) = (row for row in found if row["entity_type"] == "ChurnRisk")
    assert risk["triggered_rule"] is None and decided(risk["evidence"])["explanation"] == "No rule fired."
    assert [row["parent_trace_id"] for row in found if row["entity_type"] == "Recommendation"] == [risk["trace_id"]]


def test_every_parent_exists_and_only_evidence_has_none(traces_by_id):
    assert {row["entity_type"] for row in traces_by_id.values()} == EVIDENCE | {"Recommendation", "Intervention"}
    for row in traces_by_id.values():
        assert (row["parent_trace_id"] is None) == (row["entity_type"] in EVIDENCE)
        assert row["parent_trace_id"] is None or row["parent_trace_id"] in traces_by_id


def test_every_intervention_leads_to_its_recommendations_and_to_rows_that_are_there(traces_by_id, published):
    cases = {row["leakage_id"] for row in published("revenue_leakage")}
    customers = {row["customer_id"] for row in published("churn_risk_profiles")}
    under = defaultdict(set)
    for row in traces_by_id.values():
        if row["entity_type"] == "Intervention":
            _, advised, evidence = chain(row, traces_by_id)
            under[row["entity_id"]].add(advised["entity_id"])
            assert (advised["entity_type"], evidence["entity_type"] in EVIDENCE) == ("Recommendation", True)
            assert evidence["entity_id"] in (cases if evidence["entity_type"] == "RevenueLeakage" else customers)
            assert row["customer_id"] == advised["customer_id"] == evidence["customer_id"]
    plan = published("intervention_plan")
    assert len(plan) > 10
    assert under == {row["intervention_id"]: set(row["recommendation_ids"].split(", ")) for row in plan}


def as_signal(text, threshold):
    """A signal's value in the type of the threshold."""
    if text is None:
        return None
    if isinstance(threshold, list):
        return as_signal(text, threshold[0])
    if threshold is None or isinstance(threshold, bool):
        return {"true": True, "false": False}.get(text, text)
    return text if isinstance(threshold, str) else Decimal(text)


def holds(proof, prefix=""):
    """Whether the condition in the evidence holds."""
    given = proof[f"{prefix}threshold"]
    threshold = None if given is None else decided(given)
    return ASKS[proof[f"{prefix}operator"]](as_signal(proof[f"{prefix}value"], threshold), threshold)


def band_of(score, bands):
    return next(name for name, floor in decided(bands).items() if score >= floor)


def test_every_risk_score_and_band_follows_from_the_traces_alone(traces_by_id, published):
    hits = defaultdict(list)
    for row in traces_by_id.values():
        if row["entity_type"] == "ChurnRisk":
            hits[row["entity_id"]].append(decided(row["evidence"]))
    profiles = published("churn_risk_profiles")
    assert len(profiles) > 50 and {row["risk_band"] for row in profiles} >= {"High", "Low"}
    for profile in profiles:
        proofs = hits.pop(profile["customer_id"])
        fired = [proof for proof in proofs if "rule" in proof]
        assert all(holds(proof) and (proof["second_signal"] is None or holds(proof, "second_")) for proof in fired)
        score = min(Decimal(1), sum((Decimal(proof["weight"]) for proof in fired), Decimal(0)))
        assert (float(score), len(fired)) == (profile["risk_score"], profile["rules_fired"])
        assert {band_of(score, proof["bands"]) for proof in proofs} == {profile["risk_band"]}
        assert {proof["signals_known"] for proof in proofs} == {profile["signals_known"]}
    assert not hits


def test_every_priority_follows_from_the_traces_alone(traces_by_id, published):
    proofs = defaultdict(list)
    for row in traces_by_id.values():
        if row["entity_type"] == "Recommendation":
            proofs[row["entity_id"]].append(decided(row["evidence"]))
    advised, best = published("recommendations"), defaultdict(dict)
    for row in advised:
        for proof in proofs.pop(row["recommendation_id"]):
            value = proof["recurring_value"] or proof["one_off_cash"]
            exact = value * proof["confidence_weight"] * proof["severity_weight"]
            score = (exact / proof["effort_weight"]).quantize(Decimal("0.01"), ROUND_HALF_UP)
            band = band_of(score, proof["priority_bands"])
            assert (float(score), band) == (row["priority_score"], row["priority_band"])
        subject = (proof["trigger"], proof["subject"])
        scores = best[row["intervention_id"]]
        scores[subject] = max(score, scores.get(subject, score))
    assert not proofs
    plan = published("intervention_plan")
    assert {row["intervention_id"]: row["priority_score"] for row in plan} == {
        name: float(sum(scores.values())) for name, scores in best.items()
    }


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("churn_rules", {"ChurnRisk"}),
        ("leakage_rules", {"RevenueLeakage"}),
        ("recommendation_rules", {"Recommendation", "Intervention"}),
    ],
)
def test_other_rules_have_another_hash(follow, tmp_path, file, changed):
    for path in SHIPPED.glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())

    def hashes():
        follow(CALL, COLLECT, others=read_rules(tmp_path))
        found = rows_of(traces({"rules_fired": 1}, leaks=({},), hits=(HIT,)))
        return {row["entity_type"]: decided(row["evidence"])["rule_file_hash"] for row in found}

    before = hashes()
    with (tmp_path / f"{file}.yaml").open("a") as rules:
        rules.write("# another word\n")
    assert {kind for kind, mark in hashes().items() if mark != before[kind]} == changed
