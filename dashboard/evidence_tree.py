"""The evidence for a decision as an HTML tree that can be expanded: action, recommendations, rules, source rows."""

from __future__ import annotations

import json
from collections.abc import Iterable

from dashboard.escape import html_text
from dashboard.reading import Reading
from productpulse_assets.decisions.evidence import Finding, Intervention, Recommendation, SourceRows, source_rows
from resources.published_snapshot import Row
from rules.text.formats import is_unknown, priority_money, value_text


def intervention_tree(reading: Reading, found: Intervention) -> str:
    """Why an intervention is in the plan, as HTML."""
    expanded: set[object] = set()
    return _items(recommendation_tree(reading, each, expanded) for each in found.recommendations)


def recommendation_tree(reading: Reading, found: Recommendation, expanded: set[object]) -> str:
    """A recommendation with the formula of its priority and its findings, as HTML.

    A finding is expanded once: `expanded` has the trace ids of those that are, and this function adds to it.
    """
    proof = found.proof
    priority = (
        f"priority {value_text(proof['priority_score'], 'number')} = "
        f"{priority_money(proof, reading.currency)} × {proof['confidence_weight']:g} confidence × "
        f"{proof['severity_weight']:g} severity / {proof['effort_weight']:g} effort"
    )
    head = f"Recommendation <strong>{html_text(found.trace['triggered_rule'])}</strong>, {html_text(priority)}"
    findings = []
    for each in found.findings:
        findings.append(finding_tree(reading, each, is_open=each.trace["trace_id"] not in expanded))
        expanded.add(each.trace["trace_id"])
    return _details(head, _items(findings))


def finding_tree(reading: Reading, found: Finding, *, is_open: bool = True) -> str:
    """A rule that fired, or a case of leakage, with the newest source rows, as HTML."""
    if found.trace["triggered_rule"] is None:
        return html_text(found.explanation)
    kind = "Leakage" if found.is_leakage else "Rule"
    weight = "" if found.is_leakage else f", weight {found.weight:g}"
    origin = f"{found.proof['rule_file']}, version {found.proof['rule_file_hash']}"
    rule = html_text(found.trace["triggered_rule"])
    head = f"{kind} <strong>{rule}</strong>: {html_text(found.explanation)}{html_text(weight)}"
    rows = "".join(_rows(each) for each in source_rows(reading, found, reading.rules.churn_rules))
    return _details(head, f"<p><small>From {html_text(origin)}</small></p>{rows}", is_open=is_open)


def evidence_table(evidence: str) -> str:
    """The recorded evidence of a trace as an HTML table."""
    lines = (
        f"<tr><th scope='row' style='text-align:left;padding-right:1em'>{html_text(name.replace('_', ' '))}</th>"
        f"<td>{html_text(value)}</td></tr>"
        for name, value in json.loads(evidence).items()
        if value is not None
    )
    return f"<table>{''.join(lines)}</table>"


def _rows(found: SourceRows) -> str:
    window = f", {html_text(found.window)}" if found.window else ""
    noun = "row" if found.count == 1 else "rows"
    lines = [_row(row) for row in found.rows]
    if found.count > len(lines):
        lines.append(f"and {found.count - len(lines):,} more")
    return f"<p>{found.count:,} {noun} of <strong>{html_text(found.dataset)}</strong>{window}</p>{_items(lines)}"


def _row(row: Row) -> str:
    known = [(name, value) for name, value in row.items() if name != "customer_id" and not is_unknown(value)]
    cells = [f"{html_text(name)} {html_text(value)}" for name, value in known]
    return f"<small>{', '.join(cells)}</small>"


def _details(head: str, body: str, *, is_open: bool = True) -> str:
    return f"<details{' open' if is_open else ''}><summary>{head}</summary>{body}</details>"


def _items(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"
