"""Why a customer is in the plan, as a tree: interventions, their recommendations, the findings under these, and the
source rows of each finding.

The command line and the pages show the same tree. It is read from the published tables alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, cast

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.decisions.rows import CustomerRow, PlanRow, ProfileRow, Proof, TraceRow
from resources.published_snapshot import Row
from rules.churn_rules import ChurnRules
from rules.signal_sources import source_of
from rules.text.errors import ProductPulseError
from rules.text.formats import NAME_LIMIT, name_with_key, printable_line

ROWS_SHOWN = 3
SUGGESTIONS = 5


class Reader(Protocol):
    """What reads the published tables: the snapshot, or a page's view of it."""

    def table(self, name: str) -> ir.Table:
        """A published table."""

    def rows(self, expression: ir.Table) -> list[dict[str, object]]:
        """The rows of an expression."""


class UnknownCustomer(ProductPulseError):
    """No customer, or more than one, has the name or id that was given; the message lists similar ones."""


@dataclass(frozen=True)
class Step:
    """A row of decision_traces, and its evidence as data."""

    trace: TraceRow

    @cached_property
    def proof(self) -> Proof:
        """The evidence: rule, signal, value, operator, threshold, weights and the like."""
        return cast(Proof, json.loads(self.trace["evidence"]))


@dataclass(frozen=True)
class Finding(Step):
    """What source rows alone show: a churn rule that fired, a case of leakage, or that no rule fired."""

    @property
    def is_leakage(self) -> bool:
        """Whether the finding is about lost money, not about a customer who may leave."""
        return self.trace["entity_type"] == "RevenueLeakage"

    @property
    def explanation(self) -> str:
        """What was found, in a sentence with its numbers."""
        return self.proof["explanation"]

    @property
    def weight(self) -> float:
        """What a rule adds to the risk score, from 0 to 1; leakage adds nothing."""
        return float(self.proof.get("weight") or 0)


@dataclass(frozen=True)
class Recommendation(Step):
    """A rule's advice, and the findings that it is based on, the one with the largest weight first."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Intervention:
    """A row of intervention_plan, and its recommendations, the most urgent first."""

    row: PlanRow
    recommendations: tuple[Recommendation, ...]


@dataclass(frozen=True)
class CustomerEvidence:
    """A customer's row of customer_360, its risk profile if it pays, its interventions, and the other findings.

    `other_findings` are those that no recommendation is based on.
    """

    customer: CustomerRow
    profile: ProfileRow | None
    interventions: tuple[Intervention, ...]
    other_findings: tuple[Finding, ...]


@dataclass(frozen=True)
class SourceRows:
    """The newest rows of a dataset that a finding was computed from.

    `count` is the number of all such rows; `window` says in words which days they cover.
    """

    dataset: str
    window: str
    count: int
    rows: tuple[Row, ...]


def find_customer(reader: Reader, name_or_id: str) -> str:
    """The customer_id of the customer with this id or name, in upper or lower case; raises UnknownCustomer."""
    customers = reader.table("customers").select("customer_id", "company_name")
    wanted = name_or_id.strip().lower()
    by_id = reader.rows(customers.filter(_.customer_id.lower() == wanted))
    found = by_id or reader.rows(customers.filter(_.company_name.lower() == wanted).order_by("customer_id"))
    if len(found) == 1:
        return str(found[0]["customer_id"])
    shown = printable_line(name_or_id, NAME_LIMIT)
    if found:
        ids = _listed(row["customer_id"] for row in found[:SUGGESTIONS])
        raise UnknownCustomer(
            "customer.name_not_unique",
            f"{len(found)} customers have the name '{shown}': {ids}. Give the customer_id.",
            name=name_or_id,
        )
    similar = _similar_customers(reader, customers, wanted)
    suggestion = f" Did you mean: {similar}?" if similar else ""
    raise UnknownCustomer("customer.unknown", f"There is no customer '{shown}'.{suggestion}", name=name_or_id)


def _listed(keys: Iterable[object]) -> str:
    return ", ".join(printable_line(key, NAME_LIMIT) for key in keys)


def _similar_customers(reader: Reader, customers: ir.Table, wanted: str) -> str:
    """Customers whose name contains `wanted`, else those with the most similar ids; empty without any customer."""
    containing = customers.filter(_.company_name.lower().contains(wanted)).order_by("customer_id").limit(SUGGESTIONS)
    names = ", ".join(name_with_key(row["company_name"], row["customer_id"]) for row in reader.rows(containing))
    if names:
        return names
    distance = customers.customer_id.lower().levenshtein(wanted)
    nearest = reader.rows(customers.order_by(distance, "customer_id").limit(SUGGESTIONS))
    return _listed(row["customer_id"] for row in nearest)


def customer_evidence(reader: Reader, customer_id: str) -> CustomerEvidence:
    """All that is decided about a customer, with the evidence."""

    def rows_of_customer(table: str) -> list[dict[str, object]]:
        return reader.rows(reader.table(table).filter(_.customer_id == customer_id))

    (customer,) = cast(list[CustomerRow], rows_of_customer("customer_360"))
    profiles = cast(list[ProfileRow], rows_of_customer("churn_risk_profiles"))
    plan = cast(list[PlanRow], rows_of_customer("intervention_plan"))
    traces = _by_id(rows_of_customer("decision_traces"))
    parents = {trace["parent_trace_id"] for trace in traces.values()}
    findings = [trace for trace in traces.values() if trace["parent_trace_id"] is None]
    return CustomerEvidence(
        customer=customer,
        profile=profiles[0] if profiles else None,
        interventions=tuple(
            _build_intervention(row, traces) for row in sorted(plan, key=lambda row: row["priority_rank"])
        ),
        other_findings=tuple(Finding(trace) for trace in findings if trace["trace_id"] not in parents),
    )


def read_intervention(reader: Reader, intervention_id: str) -> Intervention:
    """One intervention with its evidence."""
    plan = reader.table("intervention_plan").filter(_.intervention_id == intervention_id)
    (row,) = cast(list[PlanRow], reader.rows(plan))
    traces = reader.rows(reader.table("decision_traces").filter(_.customer_id == row["customer_id"]))
    return _build_intervention(row, _by_id(traces))


def _by_id(rows: Iterable[Mapping[str, object]]) -> dict[str, TraceRow]:
    """Rows of decision_traces by trace_id."""
    traces = cast(Iterable[TraceRow], rows)
    return {trace["trace_id"]: trace for trace in traces}


def _build_intervention(row: PlanRow, traces: Mapping[str, TraceRow]) -> Intervention:
    """The tree of an intervention: a recommendation has one trace for each finding under it."""
    by_recommendation: dict[str, list[TraceRow]] = {}
    for trace in traces.values():
        if trace["entity_id"] == row["intervention_id"]:
            parent = _parent(trace, traces)
            by_recommendation.setdefault(parent["entity_id"], []).append(parent)
    recommendations = [_build_recommendation(same, traces) for same in by_recommendation.values()]
    return Intervention(row, tuple(sorted(recommendations, key=lambda each: -each.proof["priority_score"])))


def _build_recommendation(same: Sequence[TraceRow], traces: Mapping[str, TraceRow]) -> Recommendation:
    """One recommendation of its traces, which differ only in the finding that is their parent."""
    findings = [Finding(_parent(trace, traces)) for trace in same]
    return Recommendation(same[0], tuple(sorted(findings, key=lambda each: -each.weight)))


def _parent(trace: TraceRow, traces: Mapping[str, TraceRow]) -> TraceRow:
    """The parent of a trace that is not a finding."""
    parent = trace["parent_trace_id"]
    assert parent is not None, f"The trace {trace['trace_id']} has no parent."
    return traces[parent]


def trace_chain(reader: Reader, trace_id: str) -> tuple[Step, ...]:
    """A trace, its parent, the parent of that and so on, up to the finding; empty for an unknown id."""
    table = reader.table("decision_traces")
    first = reader.rows(table.filter(_.trace_id == trace_id))
    if not first:
        return ()
    traces = _by_id(reader.rows(table.filter(_.customer_id == first[0]["customer_id"])))
    steps = [Step(traces[trace_id])]
    while steps[-1].trace["parent_trace_id"] is not None:
        steps.append(Step(_parent(steps[-1].trace, traces)))
    return tuple(steps)


def source_rows(reader: Reader, finding: Finding, rules: ChurnRules, limit: int = ROWS_SHOWN) -> tuple[SourceRows, ...]:
    """The newest rows that a finding was computed from, by dataset; none where no rule fired."""
    if finding.trace["triggered_rule"] is None:
        return ()
    if finding.is_leakage:
        return _leakage_rows(reader, finding, limit)
    return _signal_rows(reader, finding, rules, limit)


def _signal_rows(reader: Reader, finding: Finding, rules: ChurnRules, limit: int) -> tuple[SourceRows, ...]:
    """The customer's rows in the days that a rule's signal covers."""
    source = source_of(finding.proof["signal"])
    table = reader.table(source.dataset).filter(_.customer_id == finding.trace["customer_id"])
    day = ibis.literal(finding.trace["created_at"], "date")
    age = day.delta(table[source.day], unit="day")
    in_window = table.filter(age >= 0) if source.days is None else table.filter(age >= 0, age <= source.days)
    if source.keep:
        in_window = in_window.filter(source.keep(in_window, day, rules))
    return (_newest(reader, source.dataset, in_window, source.day, source.window, limit),)


def _leakage_rows(reader: Reader, finding: Finding, limit: int) -> tuple[SourceRows, ...]:
    """The subscription that a case is about, and its transactions if there are any."""
    case = reader.rows(reader.table("revenue_leakage").filter(_.leakage_id == finding.trace["entity_id"]))[0]
    subscription = reader.table("subscriptions").filter(_.subscription_id == case["subscription_id"])
    found = [_newest(reader, "subscriptions", subscription, "start_date", "", limit)]
    if ids := json.loads(finding.proof["details"]).get("transaction_ids"):
        payments = reader.table("transactions").filter(_.transaction_id.isin(ids))
        found.append(_newest(reader, "transactions", payments, "transaction_date", "", limit))
    return tuple(found)


def _newest(reader: Reader, dataset: str, table: ir.Table, day: str, window: str, limit: int) -> SourceRows:
    """The newest rows first; rows of one day in the order of the key, which is a dataset's first column."""
    counted = table.mutate(_rows=_.count().over(ibis.window()))
    found = reader.rows(counted.order_by(ibis.desc(day), table.columns[0]).limit(limit))
    count = cast(int, found[0]["_rows"]) if found else 0
    rows = tuple({name: value for name, value in row.items() if name != "_rows"} for row in found)
    return SourceRows(dataset, window, count, rows)
