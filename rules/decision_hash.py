"""Whether two scores were computed with the same rules."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from rules.rule_set import Rules

TEXTS = {"description", "recommended_action"}
HEALTH: Final = "health_status"
"""The customer segment that the history keeps."""
DIGITS = 12


def decision_hash(rules: Rules) -> str:
    """12 hex digits of a SHA-256 over all that the rules say about scores, bands, health and leakage.

    Texts and rules that are switched off do not count: they change no number.
    """
    churn, leakage = rules.churn_rules, rules.leakage_rules
    health = rules.segments.customer_segments.get(HEALTH)
    content = {
        "churn": churn.model_dump(mode="json", exclude={"rules"}),
        "churn_rules": sorted(
            [
                rule.rule_id,
                str(rule.weight),
                [[test.signal_name, test.operator, test.threshold_text] for test in rule.tests],
            ]
            for rule in churn.enabled
        ),
        "leakage": leakage.model_dump(mode="json", exclude={"detectors"}),
        "detectors": {
            name: leakage.detectors.of(name).model_dump(mode="json", exclude=TEXTS)
            for name in type(leakage.detectors).model_fields
        },
        "activation_threshold": rules.metric_catalog.activation_threshold,
        "late_days": rules.data_quality.late_days,
        HEALTH: health.model_dump(mode="json") if health else None,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:DIGITS]
