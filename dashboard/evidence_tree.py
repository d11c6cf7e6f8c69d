"""The evidence under a decision as a tree to open and close: action, recommendations, rules, rows."""

from __future__ import annotations

import json
from collections.abc import Iterable

from dashboard.escape import safe
from dashboard.reading import Reading
from productpulse_assets.decisions.evidence import Finding, Intervention, Recommendation, SourceRows, source_rows
from resources.published_snapshot import Row
from rules.text.formats import is_unknown, money, value_text


def intervention_tree(reading: Reading, found: Intervention) -> str:
    """Why an intervention is in the plan, as HTML."""
    told: set[object] = set()
    return _items(recommendation_tree(reading, each, told) for each in found.recommendations)


def recommendation_tree(reading: Reading, found: Recommendation, told: set[object]) -> str:
    """A recommendation, how its priority comes about, and what it rests on; findings in `told` are closed."""
    proof = found.proof
    priority = (
        f"priority {value_text(proof['priority_score'], 'number')} = "
        f"{money(proof['estimated_revenue_impact'], reading.currency)} × {proof['confidence_weight']:g} confidence × "
        f"{proof['severity_weight']:g} severity / {proof['effort_weight']:g} effort"
    )
    head = f"Recommendation <strong>{safe(found.trace['triggered_rule'])}</strong>, {safe(priority)}"
    below = []
    for each in found.findings:
        below.append(finding_tree(reading, each, is_open=each.trace["trace_id"] not in told))
        told.add(each.trace["trace_id"])
    return _details(head, _items(below))


def finding_tree(reading: Reading, found: Finding, *, is_open: bool = True) -> str:
    """A rule that fired, or a case of leakage, and the newest rows that it was counted from."""
    if found.trace["triggered_rule"] is None:
        return safe(found.explanation)
    kind = "Leakage" if found.is_leakage else "Rule"
    weight = "" if found.is_leakage else f", weight {found.weight:g}"
    proof = f"{found.proof['rule_file']}, version {found.proof['rule_file_hash']}"
    head = f"{kind} <strong>{safe(found.trace['triggered_rule'])}</strong>: {safe(found.explanation)}{safe(weight)}"
    rows = "".join(_rows(each) for each in source_rows(reading, found, reading.rules.churn_rules))
    return _details(head, f"<p><small>From {safe(proof)}</small></p>{rows}", is_open=is_open)


def proof_table(evidence: str) -> str:
    """The evidence of a trace as a table of what was looked at."""
    told = json.loads(evidence)
    lines = (
        f"<tr><th scope='row' style='text-align:left;padding-right:1em'>{safe(name.replace('_', ' '))}</th>"
        f"<td>{safe(value)}</td></tr>"
        for name, value in told.items()
        if value is not None
    )
    return f"<table>{''.join(lines)}</table>"


def _rows(found: SourceRows) -> str:
    window = f", {safe(found.window)}" if found.window else ""
    noun = "row" if found.count == 1 else "rows"
    lines = [_row(row) for row in found.rows]
    if found.count > len(lines):
        lines.append(f"and {found.count - len(lines):,} more")
    return f"<p>{found.count:,} {noun} of <strong>{safe(found.dataset)}</strong>{window}</p>{_items(lines)}"


def _row(row: Row) -> str:
    told = [
        f"{safe(name)} {safe(value)}" for name, value in row.items() if name != "customer_id" and not is_unknown(value)
    ]
    return f"<small>{', '.join(told)}</small>"


def _details(head: str, body: str, *, is_open: bool = True) -> str:
    return f"<details{' open' if is_open else ''}><summary>{head}</summary>{body}</details>"


def _items(each: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{item}</li>' for item in each)}</ul>"
