"""Why a customer is in the plan, as a tree: interventions, their recommendations, what those rest on, and the rows.

One tree for the command line and for the pages, read from the published tables alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import ibis
import ibis.expr.types as ir
from ibis import _

from resources.published_snapshot import Row
from rules.churn_rules import ChurnRules
from rules.signal_sources import source_of
from rules.text.formats import NAME_LIMIT, named, visible

ROWS_SHOWN = 3
SUGGESTIONS = 5


class Reader(Protocol):
    """Whatever has the published tables and runs what is asked of them."""

    def table(self, name: str) -> ir.Table:
        """A published table."""

    def rows(self, expression: ir.Table) -> list[dict[str, Any]]:
        """The rows of an expression."""


class UnknownCustomer(Exception):
    """No customer, or more than one, is called so; the message says who comes near."""


@dataclass(frozen=True)
class Step:
    """A row of decision_traces, and what it was decided from."""

    trace: Row

    @cached_property
    def proof(self) -> Row:
        """The evidence: rule, signal, value, operator, threshold, weights and the like."""
        return json.loads(self.trace["evidence"])


@dataclass(frozen=True)
class Finding(Step):
    """A rule that fired, a case of leakage, or that no rule fired: what rests on rows alone."""

    @property
    def is_leakage(self) -> bool:
        """Whether it is about money lost, not about a customer who may leave."""
        return self.trace["entity_type"] == "RevenueLeakage"

    @property
    def explanation(self) -> str:
        """What was found, in a sentence with its numbers."""
        return self.proof["explanation"]

    @property
    def weight(self) -> float:
        """What a rule adds to the score; leakage adds nothing to it."""
        return float(self.proof.get("weight") or 0)


@dataclass(frozen=True)
class Recommendation(Step):
    """A rule's advice, and the findings that it rests on, the weightiest first."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Intervention:
    """A row of intervention_plan, and its recommendations, the most urgent first."""

    row: Row
    recommendations: tuple[Recommendation, ...]


@dataclass(frozen=True)
class Story:
    """A customer: its row of customer_360, its risk profile if it pays, its plan, and what no action rests on."""

    about: Row
    profile: Row | None
    interventions: tuple[Intervention, ...]
    rest: tuple[Finding, ...]


@dataclass(frozen=True)
class SourceRows:
    """The newest rows of a dataset that a finding rests on, and how many there are; `window` is in words."""

    dataset: str
    window: str
    count: int
    rows: tuple[Row, ...]


def find_customer(reader: Reader, called: str) -> str:
    """The customer of this id or name, whatever its case; raises UnknownCustomer."""
    customers = reader.table("customers").select("customer_id", "company_name")
    wanted = called.strip().lower()
    by_id = reader.rows(customers.filter(_.customer_id.lower() == wanted))
    found = by_id or reader.rows(customers.filter(_.company_name.lower() == wanted).order_by("customer_id"))
    if len(found) == 1:
        return str(found[0]["customer_id"])
    if found:
        listed = _listed(row["customer_id"] for row in found[:SUGGESTIONS])
        raise UnknownCustomer(
            f"{len(found)} customers are called '{visible(called, NAME_LIMIT)}': {listed}. Give the customer_id."
        )
    near = _near(reader, customers, wanted)
    raise UnknownCustomer(f"There is no customer '{visible(called, NAME_LIMIT)}'.{near}")


def _listed(keys: Iterable[object]) -> str:
    return ", ".join(visible(key, NAME_LIMIT) for key in keys)


def _near(reader: Reader, customers: ir.Table, wanted: str) -> str:
    """Names that contain what was asked for, else the ids nearest to it."""
    holding = customers.filter(_.company_name.lower().contains(wanted)).order_by("customer_id").limit(SUGGESTIONS)
    names = ", ".join(named(row["company_name"], row["customer_id"]) for row in reader.rows(holding))
    if not names:
        distance = customers.customer_id.lower().levenshtein(wanted)
        nearest = reader.rows(customers.order_by(distance, "customer_id").limit(SUGGESTIONS))
        names = _listed(row["customer_id"] for row in nearest)
    return f" Did you mean: {names}?" if names else ""


def story(reader: Reader, customer_id: str) -> Story:
    """All that is decided about a customer, and from what."""

    def mine(table: str) -> list[Row]:
        return reader.rows(reader.table(table).filter(_.customer_id == customer_id))

    (about,) = mine("customer_360")
    traces = {row["trace_id"]: row for row in mine("decision_traces")}
    plan = sorted(mine("intervention_plan"), key=lambda row: row["priority_rank"])
    used = {row["parent_trace_id"] for row in traces.values()}
    rest = [row for row in traces.values() if row["parent_trace_id"] is None and row["trace_id"] not in used]
    return Story(
        about=about,
        profile=next(iter(mine("churn_risk_profiles")), None),
        interventions=tuple(_grown(row, traces) for row in plan),
        rest=tuple(Finding(row) for row in rest),
    )


def intervention(reader: Reader, intervention_id: str) -> Intervention:
    """One intervention and what it rests on."""
    plan = reader.table("intervention_plan").filter(_.intervention_id == intervention_id)
    (row,) = reader.rows(plan)
    traces = reader.rows(reader.table("decision_traces").filter(_.customer_id == row["customer_id"]))
    return _grown(row, {trace["trace_id"]: trace for trace in traces})


def _grown(row: Row, traces: Mapping[object, Row]) -> Intervention:
    """The tree of an intervention: a recommendation has a trace for each finding under it."""
    advice: dict[object, list[Row]] = {}
    for step in traces.values():
        if step["entity_id"] == row["intervention_id"]:
            parent = traces[step["parent_trace_id"]]
            advice.setdefault(parent["entity_id"], []).append(parent)
    recommendations = [_advised(same, traces) for same in advice.values()]
    return Intervention(row, tuple(sorted(recommendations, key=lambda each: -each.proof["priority_score"])))


def _advised(same: Sequence[Row], traces: Mapping[object, Row]) -> Recommendation:
    findings = [Finding(traces[trace["parent_trace_id"]]) for trace in same]
    return Recommendation(same[0], tuple(sorted(findings, key=lambda each: -each.weight)))


def chain(reader: Reader, trace_id: str) -> tuple[Step, ...]:
    """A trace, what it rests on, and so on down to the finding."""
    traces = reader.table("decision_traces")
    first = reader.rows(traces.filter(_.trace_id == trace_id))
    if not first:
        return ()
    family = reader.rows(traces.filter(_.customer_id == first[0]["customer_id"]))
    known = {row["trace_id"]: row for row in family}
    steps, here = [], known.get(trace_id)
    while here:
        steps.append(Step(here))
        here = known.get(here["parent_trace_id"])
    return tuple(steps)


def sources(reader: Reader, finding: Finding, rules: ChurnRules, limit: int = ROWS_SHOWN) -> tuple[SourceRows, ...]:
    """The newest rows that a finding was counted from, by dataset; none where no rule fired."""
    if finding.trace["triggered_rule"] is None:
        return ()
    if finding.is_leakage:
        return _leakage_rows(reader, finding, limit)
    return _signal_rows(reader, finding, rules, limit)


def _signal_rows(reader: Reader, finding: Finding, rules: ChurnRules, limit: int) -> tuple[SourceRows, ...]:
    """The rows in the window of a rule's signal."""
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
    contract = reader.table("subscriptions").filter(_.subscription_id == case["subscription_id"])
    found = [_newest(reader, "subscriptions", contract, "start_date", "", limit)]
    if ids := json.loads(finding.proof["details"]).get("transaction_ids"):
        payments = reader.table("transactions").filter(_.transaction_id.isin(ids))
        found.append(_newest(reader, "transactions", payments, "transaction_date", "", limit))
    return tuple(found)


def _newest(reader: Reader, dataset: str, table: ir.Table, day: str, window: str, limit: int) -> SourceRows:
    """The newest rows first; of one day in the order of the key, which is a dataset's first column."""
    counted = table.mutate(_rows=_.count().over(ibis.window()))
    rows = reader.rows(counted.order_by(ibis.desc(day), table.columns[0]).limit(limit))
    count = int(rows[0]["_rows"]) if rows else 0
    told = tuple({name: value for name, value in row.items() if name != "_rows"} for row in rows)
    return SourceRows(dataset, window, count, told)
