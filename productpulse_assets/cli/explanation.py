"""Why a customer is in the plan: from each action down to the rows that it rests on, on a terminal."""

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
from rules.text.formats import is_unknown, money, name_with_key, one_line, value_text

WIDTH = 100


@dataclass(frozen=True)
class Terminal:
    """Where the rows come from, by which rules, and what was printed already."""

    reader: Reader
    rules: Rules
    told: set[object] = field(default_factory=set)
    """Findings whose rows were shown: several recommendations may rest on one."""

    def amount(self, value: object) -> str:
        """Money as people say it."""
        return "not available" if value is None else money(value, self.rules.currency)


def explanation_lines(terminal: Terminal, story: CustomerEvidence) -> Iterator[str]:
    """The customer, and the tree of each of its interventions; without any, why there is none."""
    yield from _about(terminal, story)
    for intervention in story.interventions:
        yield ""
        yield from _intervention(terminal, intervention)
    if story.other_findings:
        yield ""
        yield "Without an intervention:" if story.interventions else "No rule asks for an intervention. What is known:"
        for finding in story.other_findings:
            yield from _finding(terminal, finding, 2)


def _about(terminal: Terminal, story: CustomerEvidence) -> Iterator[str]:
    about, profile = story.customer, story.profile
    name = name_with_key(about["company_name"] or about["customer_id"], about["customer_id"])
    yield f"{name}, as of {about['as_of_date']}"
    facts = [about["segment"], about["country"], about["plan"], about["subscription_status"]]
    known = ", ".join(one_line(fact) for fact in facts if fact)
    yield f"  {known}; pays {terminal.amount(about['current_mrr'])} a month"
    if about["churn_risk_band"] and profile:
        yield (
            f"  Churn risk {about['churn_risk_band']}, score {about['churn_risk_score']:.2f} from "
            f"{profile['signals_known']} of {profile['signals_total']} signals"
        )
    if about["open_leakage"]:
        yield f"  Leaking {terminal.amount(about['open_leakage'])}"


def _intervention(terminal: Terminal, found: Intervention) -> Iterator[str]:
    row = found.row
    yield (
        f"{row['priority_rank']}. {one_line(row['recommendation_title'])}  [{one_line(row['suggested_owner'])}, "
        f"week of {row['scheduled_week']}, {row['priority_band']}, {terminal.amount(row['estimated_revenue_impact'])}]"
    )
    yield from _wrapped(row["expected_action"], 3)
    for recommendation in found.recommendations:
        yield from _recommendation(terminal, recommendation)


def _recommendation(terminal: Terminal, found: Recommendation) -> Iterator[str]:
    proof = found.proof
    factors = (
        f"{value_text(proof['priority_score'], 'number')} = {terminal.amount(proof['estimated_revenue_impact'])} x "
        f"{proof['confidence_weight']:g} x {proof['severity_weight']:g} / {proof['effort_weight']:g}"
    )
    yield f"   because of the recommendation {found.trace['triggered_rule']} (priority {factors})"
    for finding in found.findings:
        yield from _finding(terminal, finding, 6)


def _finding(terminal: Terminal, found: Finding, indent: int) -> Iterator[str]:
    """A rule hit or a case of leakage, with the first rows it rests on, once."""
    trace, proof = found.trace, found.proof
    if trace["triggered_rule"] is None:
        yield from _wrapped(found.explanation, indent)
        return
    weight = "" if found.is_leakage else f", weight {found.weight:g}"
    because = trace["signal"] if found.is_leakage else f"the rule {proof['rule']}"
    is_told = trace["trace_id"] in terminal.told
    again = " (see above)" if is_told else ""
    yield from _wrapped(f"because of {because}: {found.explanation}{weight}{again}", indent)
    if not is_told:
        terminal.told.add(trace["trace_id"])
        for rows in source_rows(terminal.reader, found, terminal.rules.churn_rules):
            yield from _listed(rows, indent + 3)


def _listed(found: SourceRows, indent: int) -> Iterator[str]:
    """A few rows of a dataset, newest first, and how many there are."""
    noun = "row" if found.count == 1 else "rows"
    window, colon = f", {found.window}" if found.window else "", ":" if found.count else ""
    yield f"{' ' * indent}from {found.count:,} {noun} of {found.dataset}{window}{colon}"
    for row in found.rows:
        yield f"{' ' * (indent + 3)}{_told(row)}"
    if found.count > len(found.rows):
        yield f"{' ' * (indent + 3)}and {found.count - len(found.rows):,} more"


def _told(row: Row) -> str:
    return ", ".join(
        f"{name} {one_line(value)}" for name, value in row.items() if name != "customer_id" and not is_unknown(value)
    )


def _wrapped(text: object, indent: int) -> list[str]:
    return textwrap.wrap(one_line(text), WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2))
