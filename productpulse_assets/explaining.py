"""Why a customer is in the plan: from each action down to the rows that it rests on, on a terminal."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import ibis
from ibis import _

from asset_checks.contracts import CONTRACTS
from productpulse_assets.signals.registry import source_of
from resources.tables import rows_of
from rules.formats import is_unknown, money, value_text

ROWS_SHOWN = 3
SUGGESTIONS = 5
WIDTH = 100
Row = Mapping[str, object]


class UnknownCustomer(Exception):
    """No customer, or more than one, is called so; the message says who comes near."""


@dataclass(frozen=True)
class Snapshot:
    """The published tables, and one customer in them."""

    backend: ibis.BaseBackend
    customer_id: str
    currency: str
    told: set[str] = field(default_factory=set)
    """Findings whose rows were shown: several recommendations may rest on one."""

    def rows(self, table: str) -> list[Row]:
        """The customer's rows of a table."""
        return rows_of(self.backend.table(table).filter(_.customer_id == self.customer_id))

    def amount(self, value: object) -> str:
        """Money as people say it."""
        return "not available" if value is None else money(value, self.currency)


def find(backend: ibis.BaseBackend, called: str) -> str:
    """The customer of this id or name, whatever its case; raises UnknownCustomer."""
    customers = backend.table("customers").select("customer_id", "company_name")
    wanted = called.strip().lower()
    by_id = rows_of(customers.filter(_.customer_id.lower() == wanted))
    found = by_id or rows_of(customers.filter(_.company_name.lower() == wanted).order_by("customer_id"))
    if len(found) == 1:
        return found[0]["customer_id"]
    if found:
        listed = ", ".join(row["customer_id"] for row in found[:SUGGESTIONS])
        raise UnknownCustomer(f"{len(found)} customers are called '{called}': {listed}. Give the customer_id.")
    raise UnknownCustomer(f"There is no customer '{called}'.{_near(customers, wanted)}")


def _near(customers: ibis.Table, wanted: str) -> str:
    """Names that contain what was asked for, else the ids nearest to it."""
    holding = rows_of(
        customers.filter(_.company_name.lower().contains(wanted)).order_by("customer_id").limit(SUGGESTIONS)
    )
    names = [f"{row['company_name']} ({row['customer_id']})" for row in holding]
    if not names:
        distance = customers.customer_id.lower().levenshtein(wanted)
        names = [row["customer_id"] for row in rows_of(customers.order_by(distance, "customer_id").limit(SUGGESTIONS))]
    return f" Did you mean: {', '.join(names)}?"


def explanation_lines(snapshot: Snapshot) -> Iterator[str]:
    """The customer, and the tree of each of its interventions; without any, why there is none."""
    (about,) = snapshot.rows("customer_360")
    yield from _about(snapshot, about)
    traces = {row["trace_id"]: row for row in snapshot.rows("decision_traces")}
    plan = sorted(snapshot.rows("intervention_plan"), key=lambda row: row["priority_rank"])
    for intervention in plan:
        yield ""
        yield from _intervention(snapshot, intervention, traces)
    shown = {row["parent_trace_id"] for row in traces.values()}
    rest = [row for row in traces.values() if row["parent_trace_id"] is None and row["trace_id"] not in shown]
    if rest:
        yield ""
        yield "Without an intervention:" if plan else "No rule asks for an intervention. What is known:"
        for trace in rest:
            yield from _finding(snapshot, trace, 2)


def _about(snapshot: Snapshot, about: Row) -> Iterator[str]:
    name = about["company_name"] or about["customer_id"]
    yield f"{name} ({about['customer_id']}), as of {about['as_of_date']}"
    facts = [about["segment"], about["country"], about["plan"], about["subscription_status"]]
    yield f"  {', '.join(str(fact) for fact in facts if fact)}; pays {snapshot.amount(about['current_mrr'])} a month"
    if about["churn_risk_band"]:
        profile = snapshot.rows("churn_risk_profiles")[0]
        yield (
            f"  Churn risk {about['churn_risk_band']}, score {about['churn_risk_score']:.2f} from "
            f"{profile['signals_known']} of {profile['signals_total']} signals"
        )
    if about["open_leakage"]:
        yield f"  Leaking {snapshot.amount(about['open_leakage'])}"


def _intervention(snapshot: Snapshot, row: Row, traces: Mapping[str, Row]) -> Iterator[str]:
    yield (
        f"{row['priority_rank']}. {row['recommendation_title']}  [{row['suggested_owner']}, week of "
        f"{row['scheduled_week']}, {row['priority_band']}, {snapshot.amount(row['estimated_revenue_impact'])}]"
    )
    yield from _wrapped(row["expected_action"], 3)
    steps = [trace for trace in traces.values() if trace["entity_id"] == row["intervention_id"]]
    advice: dict[str, list[Row]] = {}
    for step in steps:
        parent = traces[step["parent_trace_id"]]
        advice.setdefault(parent["entity_id"], []).append(parent)
    for found in sorted(advice.values(), key=lambda same: -json.loads(same[0]["evidence"])["priority_score"]):
        yield from _recommendation(snapshot, found, traces)


def _recommendation(snapshot: Snapshot, found: Sequence[Row], traces: Mapping[str, Row]) -> Iterator[str]:
    """One recommendation, of which there is a trace per piece of evidence."""
    proof = json.loads(found[0]["evidence"])
    factors = (
        f"{value_text(proof['priority_score'], 'number')} = {snapshot.amount(proof['estimated_revenue_impact'])} x "
        f"{proof['confidence_weight']:g} x {proof['severity_weight']:g} / {proof['effort_weight']:g}"
    )
    yield f"   because of the recommendation {found[0]['triggered_rule']} (priority {factors})"
    evidence = [traces[trace["parent_trace_id"]] for trace in found]
    for trace in sorted(evidence, key=lambda each: -float(json.loads(each["evidence"]).get("weight") or 0)):
        yield from _finding(snapshot, trace, 6)


def _finding(snapshot: Snapshot, trace: Row, indent: int) -> Iterator[str]:
    """A rule hit or a case of leakage, with the first rows it rests on, once."""
    proof = json.loads(trace["evidence"])
    if trace["triggered_rule"] is None:
        yield from _wrapped(proof["explanation"], indent)
        return
    is_leakage = trace["entity_type"] == "RevenueLeakage"
    weight = "" if is_leakage else f", weight {proof['weight']:g}"
    because = trace["signal"] if is_leakage else f"the rule {proof['rule']}"
    is_told = trace["trace_id"] in snapshot.told
    yield from _wrapped(
        f"because of {because}: {proof['explanation']}{weight}{' (see above)' if is_told else ''}", indent
    )
    if is_told:
        return
    snapshot.told.add(trace["trace_id"])
    if is_leakage:
        yield from _leakage_rows(snapshot, proof, trace["entity_id"], indent + 3)
    else:
        yield from _signal_rows(snapshot, proof, indent + 3)


def _signal_rows(snapshot: Snapshot, proof: Row, indent: int) -> Iterator[str]:
    """The newest rows that the signal of a rule hit was counted from."""
    source = source_of(proof["signal"])
    table = snapshot.backend.table(source.dataset).filter(_.customer_id == snapshot.customer_id)
    as_of = rows_of(snapshot.backend.table("calendar").limit(1))[0]["as_of_date"]
    day = ibis.literal(as_of)
    age = day.delta(table[source.day], unit="day")
    in_window = table.filter(age >= 0) if source.days is None else table.filter(age >= 0, age <= source.days)
    if source.keep:
        in_window = in_window.filter(source.keep(in_window, day))
    yield from _listed(source.dataset, in_window, source.day, source.window, indent)


def _leakage_rows(snapshot: Snapshot, proof: Row, leakage_id: str, indent: int) -> Iterator[str]:
    """The transactions of a case, else the subscription that it is about."""
    case = rows_of(snapshot.backend.table("revenue_leakage").filter(_.leakage_id == leakage_id))[0]
    subscriptions = snapshot.backend.table("subscriptions")
    yield from _listed(
        "subscriptions", subscriptions.filter(_.subscription_id == case["subscription_id"]), "start_date", "", indent
    )
    if ids := json.loads(proof["details"]).get("transaction_ids"):
        payments = snapshot.backend.table("transactions").filter(_.transaction_id.isin(ids))
        yield from _listed("transactions", payments, "transaction_date", "", indent)


def _listed(dataset: str, table: ibis.Table, day: str, window: str, indent: int) -> Iterator[str]:
    """A few rows of a dataset, newest first, and how many there are."""
    count = int(table.count().execute())
    key = CONTRACTS[dataset].metadata["key"][0]
    noun = "row" if count == 1 else "rows"
    yield f"{' ' * indent}from {count:,} {noun} of {dataset}{f', {window}' if window else ''}{':' if count else ''}"
    for row in rows_of(table.order_by(ibis.desc(day), key).limit(ROWS_SHOWN)):
        told = [f"{name} {value}" for name, value in row.items() if name != "customer_id" and not is_unknown(value)]
        yield f"{' ' * (indent + 3)}{', '.join(told)}"
    if count > ROWS_SHOWN:
        yield f"{' ' * (indent + 3)}and {count - ROWS_SHOWN:,} more"


def _wrapped(text: object, indent: int) -> list[str]:
    return textwrap.wrap(str(text), WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2))
