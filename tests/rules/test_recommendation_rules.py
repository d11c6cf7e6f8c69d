"""A mistake in recommendation_rules.yaml or segments.yaml is said with file, rule, field and what is accepted."""

from copy import deepcopy

import ibis
import pytest
import yaml

from rules.loading.files import load
from rules.models import Segments
from rules.recommendation_rules import RecommendationRules, check_recommendation_rules
from tests.errors import raises_problems
from tests.graph import RULES as SHIPPED

RULE = {
    "rule_id": "call", "trigger": "churn_risk", "title": "Call {company_name}", "category": "Retention",
    "conditions": [{"column": "mrr", "operator": "greater_than", "value": 0}],
    "suggested_owner": "Ann", "expected_action": "Call about {main_driver}.",
    "confidence_weight": 0.8, "severity_weight": 1.5, "effort_level": "Low",
}  # fmt: skip
RULES = {
    "effort_weights": {"Low": 1, "Medium": 2, "High": 3},
    "priority_bands": {"Critical": 5000, "High": 1000, "Low": 0},
    "confidence_levels": {"High": 0.8, "Low": 0},
    "horizon_weeks": 4,
    "weekly_capacity": {"Ann": 10, "Bob": 5},
    "rules": [RULE, RULE | {"rule_id": "visit"}],
}
CHURN = ibis.table(
    {"company_name": "string", "mrr": "decimal(18, 2)", "main_driver": "string", "explanation": "string"}, name="churn"
)
TRIGGERS = {"churn_risk": CHURN, "leakage": CHURN}


@pytest.fixture
def folder(tmp_path):
    """A rules folder."""
    return tmp_path


def write(folder, name, content):
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


def checked(folder):
    """The recommendation rules of the folder, checked against the triggers."""
    path = folder / "recommendation_rules.yaml"
    rules = load(path, RecommendationRules)
    check_recommendation_rules(rules, TRIGGERS, path)
    return rules


def load_content(folder, content):
    """The rules of a recommendation_rules.yaml with this content."""
    write(folder, "recommendation_rules", content)
    return checked(folder)


def with_rule(**changes):
    return RULES | {"rules": [RULE, RULE | {"rule_id": "visit"} | changes]}


def when(column, operator, value):
    return {"conditions": [{"column": column, "operator": operator, "value": value}]}


def test_rules_that_are_right_are_read(folder):
    write(folder, "recommendation_rules", RULES)
    rules = checked(folder)
    assert [rule.rule_id for rule in rules.rules] == ["call", "visit"] and rules.rules[0].enabled


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (when("mmr", "equals", 1), "conditions > 1 > column: rules.unknown_column"),
        (when("mrr", "equals", "much"), "conditions > 1 > mrr: rules.wrong_type"),
        (when("mrr", "contains", "1"), "conditions > 1 > mrr: rules.wrong_type"),
        (when("main_driver", "in", ["Detractor", 3]), "conditions > 1 > main_driver: rules.wrong_type"),
        ({"title": "Call {company}"}, "title: rules.unknown_placeholder"),
        ({"expected_action": "{plan}."}, "expected_action: rules.unknown_placeholder"),
        ({"reason": "Because {"}, "reason: rules.braces"),
    ],
)  # fmt: skip
def test_what_the_rows_cannot_give(folder, change, problem):
    with raises_problems(f"rules > visit > {problem}"):
        load_content(folder, with_rule(**change))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"trigger": "boredom"}, "trigger: rules.wrong_value"),
        ({"effort_level": "Huge"}, "effort_level: rules.wrong_value"),
        ({"enabled": "yes"}, "enabled: rules.wrong_value"),
        ({"title": ["Call"]}, "title: rules.wrong_value"),
        ({"titel": "Call"}, "titel: rules.unknown_key"),
        ({"conditions": []}, "conditions: rules.wrong_value"),
        (when("mrr", "between", [1]), "conditions > 1: rules.wrong_value"),
    ],
)  # fmt: skip
def test_what_a_rule_may_not_have(folder, change, problem):
    with raises_problems(f"rules > visit > {problem}"):
        load_content(folder, with_rule(**change))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("confidence_weight", 1.5),
        ("confidence_weight", -0.1),
        ("severity_weight", 0),
        ("severity_weight", 11),
        ("severity_weight", "much"),
        ("severity_weight", True),
    ],
)
def test_a_weight_is_a_number_within_its_range(folder, field, value):
    with raises_problems(f"rules > visit > {field}: rules.wrong_value"):
        load_content(folder, with_rule(**{field: value}))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"effort_weights": {"Low": 1, "High": 3}}, "the file: rules.wrong_value"),
        ({"rules": [RULE, RULE]}, "the file: rules.wrong_value"),
        ({"rules": [RULE | {"enabled": False}]}, "the file: rules.wrong_value"),
        ({"weekly_capacity": {"Bob": 5}}, "the file: rules.wrong_value"),
        ({"weekly_capacity": {"Ann": 0}}, "weekly_capacity > Ann: rules.wrong_value"),
        ({"horizon_weeks": 0}, "horizon_weeks: rules.wrong_value"),
        ({"priority_bands": {"High": 1000, "Critical": 5000, "Low": 0}}, "priority_bands: rules.wrong_value"),
        ({"priority_bands": {"High": 1000, "Low": 10}}, "priority_bands: rules.wrong_value"),
        ({"confidence_levels": {"Low": 0, "High": 0.8}}, "confidence_levels: rules.wrong_value"),
    ],
)  # fmt: skip
def test_what_the_file_may_not_have(folder, change, problem):
    with raises_problems(problem):
        load_content(folder, RULES | change)


def test_every_mistake_is_reported_at_once(folder):
    rules = with_rule(title="{nobody}", **when("mmr", "equals", 1))
    with raises_problems(
        "rules > visit > conditions > 1 > column: rules.unknown_column",
        "rules > visit > title: rules.unknown_placeholder",
    ):
        load_content(folder, rules)


@pytest.fixture
def segments():
    """The segments as they come with the program."""
    return yaml.safe_load(SHIPPED.path("segments").read_text())


def load_segments(folder, content):
    write(folder, "segments", content)
    return load(folder / "segments.yaml", Segments)


def test_segments_whose_bands_are_out_of_order(segments, folder):
    changed = deepcopy(segments)
    changed["customer_segments"]["nps_segment"]["bands"] = {"Passive": 7, "Promoter": 9, "Detractor": 0}
    with raises_problems("customer_segments > nps_segment > bands: rules.wrong_value"):
        load_segments(folder, changed)


def test_a_segment_that_is_missing_or_not_known(segments, folder):
    changed = deepcopy(segments)
    changed["customer_segments"]["mood"] = changed["customer_segments"].pop("usage_segment")
    with raises_problems("customer_segments > mood: rules.wrong_value"):
        load_segments(folder, changed)
    del changed["customer_segments"]["mood"]
    with raises_problems("customer_segments: rules.wrong_value"):
        load_segments(folder, changed)
