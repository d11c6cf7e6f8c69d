"""Recommendation rules as data: the action for each finding, its owner and its priority."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args

import ibis.expr.types as ir
from pydantic import AfterValidator, Field, field_validator, model_validator

from rules.loading.files import Strict
from rules.loading.problems import Problem, refuse
from rules.metrics.models import Condition
from rules.models import AsWritten, Name, Text, check_bands, duplicate_names
from rules.operators import type_problem
from rules.text.templates import TemplateError, placeholders

FILE = "recommendation_rules"
Trigger = Literal["churn_risk", "leakage"]
Effort = Literal["Low", "Medium", "High"]
EFFORTS: tuple[Effort, ...] = get_args(Effort)
Item = TypeVar("Item")


def _not_empty(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The items; raises ValueError if there are none."""
    if not items:
        raise ValueError("give at least one")
    return items


NotEmpty = AfterValidator(_not_empty)
Share = Annotated[Decimal, Field(ge=0, le=1, decimal_places=2, strict=False), AsWritten]
Weight = Annotated[Decimal, Field(gt=0, le=10, decimal_places=2, strict=False), AsWritten]
Floor = Annotated[Decimal, Field(ge=0, decimal_places=2, strict=False), AsWritten]


class RecommendationRule(Strict):
    """An action for each row of the trigger that meets every condition."""

    rule_id: Name
    trigger: Trigger
    conditions: Annotated[tuple[Condition, ...], Field(strict=False), NotEmpty]
    title: Text
    category: Text
    suggested_owner: Text
    expected_action: Text
    reason: Text = "{explanation}"
    confidence_weight: Share
    severity_weight: Weight
    effort_level: Effort
    enabled: bool = True

    @property
    def texts(self) -> dict[str, str]:
        """The texts with placeholders, by field."""
        return {"title": self.title, "expected_action": self.expected_action, "reason": self.reason}


class RecommendationRules(Strict):
    """recommendation_rules.yaml: the rules, the weights and bands of priority, and the capacity of the owners.

    value_horizon_months: the months over which recurring revenue counts, at least.
    """

    effort_weights: dict[Effort, Weight]
    priority_bands: Annotated[dict[Text, Floor], Field(min_length=1)]
    confidence_levels: Annotated[dict[Text, Share], Field(min_length=1)]
    value_horizon_months: int = Field(default=12, ge=1, le=120)
    horizon_weeks: int = Field(ge=1, le=52)
    weekly_capacity: Annotated[dict[Text, Annotated[int, Field(ge=1, le=10_000)]], Field(min_length=1)]
    rules: Annotated[tuple[RecommendationRule, ...], Field(strict=False), NotEmpty]

    @field_validator("priority_bands", "confidence_levels")
    @classmethod
    def _in_order(cls, bands: dict[str, Decimal]) -> dict[str, Decimal]:
        return check_bands(bands)

    @model_validator(mode="after")
    def _fits_together(self) -> RecommendationRules:
        missing = [level for level in EFFORTS if level not in self.effort_weights]
        if missing:
            raise ValueError(
                f"effort_weights: {', '.join(missing)} is missing; accepted: one weight for each of Low, Medium, High"
            )
        if duplicates := duplicate_names(rule.rule_id for rule in self.rules):
            raise ValueError(f"rules: the rule_id {', '.join(duplicates)} appears twice; give each rule its own")
        if not any(rule.enabled for rule in self.rules):
            raise ValueError("rules: no rule is enabled; accepted: at least one with enabled: true")
        for rule in self.rules:
            if rule.suggested_owner not in self.weekly_capacity:
                owners = ", ".join(self.weekly_capacity)
                raise ValueError(
                    f"rules > {rule.rule_id} > suggested_owner: '{rule.suggested_owner}' has no weekly_capacity; "
                    f"accepted: {owners}"
                )
        return self


def check_recommendation_rules(rules: RecommendationRules, triggers: Mapping[str, ir.Table], path: Path) -> None:
    """Raise RulesError for every condition or placeholder whose column the trigger does not have."""
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
