"""Why a customer is in the plan: each action with its reasons, down to the rows, as lines of text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field

from productpulse_assets.decisions.evidence import (
    CustomerEvidence,
    Finding,
    Intervention,
    Reader,
    Recommendation,
    SourceRows,
    source_rows,
)
from resources.published_snapshot import Row
from rules.rule_set import Rules
from rules.text.formats import (
    Number,
    action_money,
    is_unknown,
    money,
    name_with_key,
    one_line,
    priority_money,
    value_text,
)

WIDTH = 100

LATE_DAYS = 10
"""From this many days on, a bill that was paid late is mentioned."""


@dataclass(frozen=True)
class Terminal:
    """The published tables, the rules, and the findings whose rows were already printed."""

    reader: Reader
    rules: Rules
    printed: set[object] = field(default_factory=set)
    """Trace ids of these findings: several recommendations can have the same finding."""

    def amount(self, value: Number | None) -> str:
        """An amount in the reporting currency, or "not available"."""
        return "not available" if value is None else money(value, self.rules.currency)


def explanation_lines(terminal: Terminal, evidence: CustomerEvidence) -> Iterator[str]:
    """The customer and the tree of each intervention; then the findings that led to no intervention."""
    yield from _customer_lines(terminal, evidence)
    for intervention in evidence.interventions:
        yield ""
        yield from _intervention_lines(terminal, intervention)
    if evidence.other_findings:
        yield ""
        yield (
            "Findings without an intervention:"
            if evidence.interventions
            else "No rule asks for an intervention. What is known:"
        )
        for finding in evidence.other_findings:
            yield from _finding_lines(terminal, finding, 2)


def _customer_lines(terminal: Terminal, evidence: CustomerEvidence) -> Iterator[str]:
    customer, profile = evidence.customer, evidence.profile
    name = name_with_key(customer["company_name"] or customer["customer_id"], customer["customer_id"])
    yield f"{name}, as of {customer['as_of_date']}"
    facts = [customer["segment"], customer["country"], customer["plan"], customer["subscription_status"]]
    known = ", ".join(one_line(fact) for fact in facts if fact)
    yield f"  {known}; pays {terminal.amount(customer['current_mrr'])} a month"
    if customer["churn_risk_band"] and profile:
        yield (
            f"  Churn risk {customer['churn_risk_band']}, score {customer['churn_risk_score']:.2f} from "
            f"{profile['signals_known']} of {profile['signals_total']} signals"
        )
    if customer["amount_open"]:
        late = f", the oldest bill {customer['days_past_due']:,} days past due" if customer["days_past_due"] else ""
        yield f"  Owes {terminal.amount(customer['amount_open'])}{late}"
    elif (customer["days_late"] or 0) > LATE_DAYS:
        yield f"  Owes nothing; one bill was paid {customer['days_late']:,} days late"
    if customer["open_leakage"]:
        yield f"  Leaking {terminal.amount(customer['open_leakage'])}"


def _intervention_lines(terminal: Terminal, intervention: Intervention) -> Iterator[str]:
    row = intervention.row
    yield (
        f"{row['priority_rank']}. {one_line(row['recommendation_title'])}  [{one_line(row['suggested_owner'])}, "
        f"week of {row['scheduled_week']}, {row['priority_band']}, "
        f"{action_money(row, terminal.rules.currency)}]"
    )
    yield from _wrap(row["expected_action"], 3)
    for recommendation in intervention.recommendations:
        yield from _recommendation_lines(terminal, recommendation)


def _recommendation_lines(terminal: Terminal, recommendation: Recommendation) -> Iterator[str]:
    proof = recommendation.proof
    factors = (
        f"{value_text(proof['priority_score'], 'number')} = "
        f"{priority_money(proof, terminal.rules.currency)} x "
        f"{proof['confidence_weight']:g} x {proof['severity_weight']:g} / {proof['effort_weight']:g}"
    )
    yield f"   because of the recommendation {recommendation.trace['triggered_rule']} (priority {factors})"
    for finding in recommendation.findings:
        yield from _finding_lines(terminal, finding, 6)


def _finding_lines(terminal: Terminal, finding: Finding, indent: int) -> Iterator[str]:
    """A rule that fired or a case of leakage, with its newest rows; the rows are printed once."""
    trace = finding.trace
    if trace["triggered_rule"] is None:
        yield from _wrap(finding.explanation, indent)
        return
    weight = "" if finding.is_leakage else f", weight {finding.weight:g}"
    cause = trace["signal"] if finding.is_leakage else f"the rule {finding.proof['rule']}"
    is_printed = trace["trace_id"] in terminal.printed
    reference = " (see above)" if is_printed else ""
    yield from _wrap(f"because of {cause}: {finding.explanation}{weight}{reference}", indent)
    if not is_printed:
        terminal.printed.add(trace["trace_id"])
        for rows in source_rows(terminal.reader, finding, terminal.rules.churn_rules):
            yield from _source_lines(rows, indent + 3)


def _source_lines(rows: SourceRows, indent: int) -> Iterator[str]:
    """A few rows of a dataset, newest first, and their total number."""
    noun = "row" if rows.count == 1 else "rows"
    window, colon = f", {rows.window}" if rows.window else "", ":" if rows.count else ""
    yield f"{' ' * indent}from {rows.count:,} {noun} of {rows.dataset}{window}{colon}"
    for row in rows.rows:
        yield f"{' ' * (indent + 3)}{_row_text(row)}"
    if rows.count > len(rows.rows):
        yield f"{' ' * (indent + 3)}and {rows.count - len(rows.rows):,} more"


def _row_text(row: Row) -> str:
    return ", ".join(
        f"{name} {one_line(value)}" for name, value in row.items() if name != "customer_id" and not is_unknown(value)
    )


def _wrap(text: object, indent: int) -> list[str]:
    return textwrap.wrap(one_line(text), WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2))
