"""Churn rules as data: a signal, a threshold and a weight; and their validation against the signals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import ibis.expr.types as ir
from pydantic import Field, field_validator, model_validator

from rules.loading.files import Strict
from rules.loading.problems import Problem, refuse
from rules.models import AsWritten, Name, Text, check_bands, duplicate_names
from rules.operators import Operator, type_problem, value_problem

FILE = "churn_rules"


Share = Annotated[Decimal, Field(ge=0, le=1, decimal_places=4, strict=False), AsWritten]
"""A share of 1; a decimal, so that weights add up to exactly the floor of a band."""


class SignalTest(Strict):
    """A signal compared with a threshold."""

    signal_name: Name
    operator: Operator
    threshold: Any = None

    @field_validator("threshold")
    @classmethod
    def _hashable(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _threshold_fits(self) -> SignalTest:
        if problem := value_problem(self.operator, self.threshold):
            raise ValueError(problem.replace("value", "threshold"))
        return self

    @property
    def threshold_text(self) -> str | None:
        """The threshold as JSON; None for an operator without one."""
        return None if self.threshold is None else json.dumps(self.threshold)


class ChurnRule(SignalTest):
    """One reason to expect that a customer leaves; the key `and` of the file is a second condition."""

    rule_id: Name
    weight: Share
    driver_label: Text
    description: Text
    enabled: bool = True
    also: SignalTest | None = Field(default=None, alias="and")

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """The keys that a rule has in the file."""
        return tuple("and" if name == "also" else name for name in cls.model_fields)

    @property
    def tests(self) -> tuple[SignalTest, ...]:
        """The conditions, which must all be true."""
        return (self, self.also) if self.also else (self,)


class TicketWords(Strict):
    """The support system's words for closed and urgent tickets, in lower case."""

    closed_statuses: tuple[Text, ...] = Field(strict=False)
    urgent_priorities: tuple[Text, ...] = Field(strict=False)

    @field_validator("*")
    @classmethod
    def _lowered(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(word.lower() for word in words)


class ChurnRules(Strict):
    """churn_rules.yaml: the rules, the bands of the risk score, and the bands whose revenue is at risk."""

    bands: Annotated[dict[Text, Share], Field(min_length=1)]
    revenue_at_risk_bands: tuple[Text, ...] = Field(strict=False)
    minimum_known_share: Share = Decimal("0.5")
    involuntary_reasons: tuple[Text, ...] = Field(default=(), strict=False)
    tickets: TicketWords
    rules: tuple[ChurnRule, ...] = Field(strict=False)

    @field_validator("involuntary_reasons")
    @classmethod
    def _plain(cls, reasons: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(reason.lower().replace("_", " ").replace("-", " ") for reason in reasons)

    @field_validator("bands")
    @classmethod
    def _in_order(cls, bands: dict[str, Decimal]) -> dict[str, Decimal]:
        return check_bands(bands)

    @model_validator(mode="after")
    def _names_fit(self) -> ChurnRules:
        for band in self.revenue_at_risk_bands:
            if band not in self.bands:
                raise ValueError(f"revenue_at_risk_bands: '{band}' is not a band; accepted: {', '.join(self.bands)}")
        if duplicates := duplicate_names(rule.rule_id for rule in self.rules):
            raise ValueError(f"rules: the rule_id {', '.join(duplicates)} appears twice; give each rule its own")
        if not self.enabled:
            raise ValueError("rules: no rule is enabled; accepted: at least one with enabled: true")
        return self

    @property
    def enabled(self) -> tuple[ChurnRule, ...]:
        """The rules that are enabled."""
        return tuple(rule for rule in self.rules if rule.enabled)

    @property
    def signals(self) -> tuple[str, ...]:
        """The signals of the enabled rules, each once."""
        return tuple(dict.fromkeys(test.signal_name for rule in self.enabled for test in rule.tests))


def check_churn_rules(rules: ChurnRules, customer_signals: ir.Table, path: Path) -> None:
    """Raise RulesError for every rule whose signal does not exist or cannot be compared with its threshold."""
    refuse(path, _problems(rules, customer_signals))


def _problems(rules: ChurnRules, signals: ir.Table) -> Iterator[Problem]:
    names = [name for name in signals.columns if name not in ("customer_id", "as_of_date")]
    for rule in rules.rules:
        for test in rule.tests:
            place = f"rules > {rule.rule_id}{'' if test is rule else ' > and'}"
            if test.signal_name not in names:
                unknown = f"there is no signal '{test.signal_name}'"
                yield Problem("rules.unknown_signal", f"{place} > signal_name", unknown, ", ".join(names))
            elif problem := type_problem(test.operator, test.threshold, signals[test.signal_name]):
                yield Problem("rules.wrong_type", f"{place} > threshold", problem)
