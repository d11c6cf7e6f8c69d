"""Recommendation rules as data: which finding asks for which action, by whom, and how urgently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import ibis.expr.types as ir
from pydantic import AfterValidator, Field, field_validator, model_validator

from rules.loading.files import Strict
from rules.loading.problems import Problem, refuse
from rules.metrics.models import Condition
from rules.models import AsWritten, Name, Text, highest_first
from rules.operators import type_problem
from rules.text.templates import TemplateError, placeholders

FILE = "recommendation_rules"
TRIGGERS = ("churn_risk", "leakage")
EFFORTS = ("Low", "Medium", "High")


def _some(items: tuple) -> tuple:
    """As they are; raises ValueError if there is none."""
    if not items:
        raise ValueError("give at least one")
    return items


Some = AfterValidator(_some)
Share = Annotated[Decimal, Field(ge=0, le=1, decimal_places=2, strict=False), AsWritten]
Weight = Annotated[Decimal, Field(gt=0, le=10, decimal_places=2, strict=False), AsWritten]
Floor = Annotated[Decimal, Field(ge=0, decimal_places=2, strict=False), AsWritten]


class RecommendationRule(Strict):
    """What to do when every condition holds for a row of the trigger."""

    rule_id: Name
    trigger: Literal[TRIGGERS]
    conditions: Annotated[tuple[Condition, ...], Field(strict=False), Some]
    title: Text
    category: Text
    suggested_owner: Text
    expected_action: Text
    reason: Text = "{explanation}"
    confidence_weight: Share
    severity_weight: Weight
    effort_level: Literal[EFFORTS]
    enabled: bool = True

    @property
    def texts(self) -> dict[str, str]:
        """The texts with placeholders, by field."""
        return {"title": self.title, "expected_action": self.expected_action, "reason": self.reason}


class RecommendationRules(Strict):
    """recommendation_rules.yaml: the rules, how priority is judged, and what owners can take on."""

    effort_weights: dict[Literal[EFFORTS], Weight]
    priority_bands: Annotated[dict[Text, Floor], Field(min_length=1)]
    confidence_levels: Annotated[dict[Text, Share], Field(min_length=1)]
    horizon_weeks: int = Field(ge=1, le=52)
    weekly_capacity: Annotated[dict[Text, Annotated[int, Field(ge=1, le=10_000)]], Field(min_length=1)]
    rules: Annotated[tuple[RecommendationRule, ...], Field(strict=False), Some]

    @field_validator("priority_bands", "confidence_levels")
    @classmethod
    def _in_order(cls, bands: dict[str, Decimal]) -> dict[str, Decimal]:
        return highest_first(bands)

    @model_validator(mode="after")
    def _fits_together(self) -> RecommendationRules:
        missing = [level for level in EFFORTS if level not in self.effort_weights]
        if missing:
            names = ", ".join(missing)
            raise ValueError(f"effort_weights: {names} is missing; accepted: one weight for each of Low, Medium, High")
        names = [rule.rule_id for rule in self.rules]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"rules: the rule_id {', '.join(twice)} is there twice; accepted: one of its own for each")
        if not any(rule.enabled for rule in self.rules):
            raise ValueError("rules: all are switched off; accepted: at least one with enabled: true")
        for rule in self.rules:
            if rule.suggested_owner not in self.weekly_capacity:
                owners = ", ".join(self.weekly_capacity)
                raise ValueError(
                    f"rules > {rule.rule_id} > suggested_owner: '{rule.suggested_owner}' has no weekly_capacity; "
                    f"accepted: {owners}"
                )
        return self


def check_recommendation_rules(rules: RecommendationRules, triggers: Mapping[str, ir.Table], path: Path) -> None:
    """Raise RulesError for every condition or placeholder that the trigger's rows cannot give."""
    refuse(path, (text for rule in rules.rules for text in _problems(rule, triggers[rule.trigger])))


def _problems(rule: RecommendationRule, table: ir.Table) -> Iterator[Problem]:
    for number, item in enumerate(rule.conditions, start=1):
        place = f"rules > {rule.rule_id} > conditions > {number}"
        if item.column not in table.columns:
            unknown = f"{rule.trigger} has no column '{item.column}'"
            yield Problem("rules.unknown_column", f"{place} > column", unknown, ", ".join(table.columns))
        elif problem := type_problem(item.operator, item.value, table[item.column]):
            yield Problem("rules.wrong_type", f"{place} > {item.column}", problem)
    for field, text in rule.texts.items():
        try:
            placeholders(text, table.columns)
        except TemplateError as error:
            yield Problem(error.code, f"rules > {rule.rule_id} > {field}", str(error))
