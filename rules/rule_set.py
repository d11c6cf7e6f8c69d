"""All rule files of one folder, read once and passed to whatever computes with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rules import churn_rules, leakage_rules, mrr_policy, recommendation_rules, scenarios, survival
from rules.churn_rules import ChurnRules
from rules.leakage_rules import LeakageRules
from rules.loading.files import Strict, load, text_hash
from rules.metrics.catalog import check_references
from rules.metrics.models import MetricCatalog
from rules.models import DataQuality, HealthScores, Segments, Sources
from rules.mrr_policy import MrrPolicy
from rules.questions import BusinessQuestions, check_metric_names
from rules.recommendation_rules import RecommendationRules
from rules.scenarios import Scenarios
from rules.survival import Survival

SHIPPED = Path(__file__).resolve().parent
"""The folder of the rules that come with the program."""

MODELS: dict[str, type[Strict]] = {
    "sources": Sources,
    "metric_catalog": MetricCatalog,
    churn_rules.FILE: ChurnRules,
    leakage_rules.FILE: LeakageRules,
    mrr_policy.FILE: MrrPolicy,
    recommendation_rules.FILE: RecommendationRules,
    "segments": Segments,
    "health_scores": HealthScores,
    "data_quality": DataQuality,
    scenarios.FILE: Scenarios,
    survival.FILE: Survival,
    "business_questions": BusinessQuestions,
}
"""The model of each file of a rules folder, by the file's name without ending."""


@dataclass(frozen=True)
class Rules:
    """The content of a rules folder: each file as its model, and a hash of each file's text.

    hashes: the first 12 hex digits of the SHA-256 of each file, by its name without ending.
    """

    folder: Path
    sources: Sources
    metric_catalog: MetricCatalog
    churn_rules: ChurnRules
    leakage_rules: LeakageRules
    mrr_policy: MrrPolicy
    recommendation_rules: RecommendationRules
    segments: Segments
    health_scores: HealthScores
    data_quality: DataQuality
    scenarios: Scenarios
    survival: Survival
    business_questions: BusinessQuestions
    hashes: Mapping[str, str]

    @property
    def currency(self) -> str:
        """The reporting currency, three letters."""
        return self.sources.reporting_currency

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The columns that metrics are sliced by."""
        return self.segments.dimensions

    @cached_property
    def customer_dimensions(self) -> tuple[str, ...]:
        """The dimensions that are columns of customers: all except the plan."""
        return tuple(name for name in self.dimensions if name != "plan")

    def with_folder(self, text: str) -> str:
        """`text` with the name of the rules folder before each of its files: my-rules/sources.yaml."""
        names = "|".join(self.hashes)
        return re.sub(rf"(?<![\w/.-])({names})\.yaml", lambda found: f"{self.folder.name}/{found[0]}", text)

    def path(self, name: str) -> Path:
        """The path of the file with this name, given without ending."""
        return self.folder / f"{name}.yaml"


def read_rules(folder: Path = SHIPPED) -> Rules:
    """The rules in `folder`; raises RulesError for mistakes that can be found without the tables."""
    files: dict[str, Any] = {name: load(folder / f"{name}.yaml", model) for name, model in MODELS.items()}
    rules = Rules(
        folder=folder,
        **files,
        hashes={name: text_hash(folder / f"{name}.yaml") for name in MODELS},
    )
    check_references(rules.metric_catalog, rules.path("metric_catalog"))
    check_metric_names(rules.business_questions, rules.metric_catalog, rules.path("business_questions"))
    return rules
