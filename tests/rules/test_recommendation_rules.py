"""A mistake in recommendation_rules.yaml or segments.yaml is said with file, rule, field and what is accepted."""

from copy import deepcopy

import ibis
import pytest
import yaml

from rules.loading.files import RulesError, load
from rules.models import Segments
from rules.recommendation_rules import RecommendationRules, check_recommendation_rules
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


def refusal(folder, content):
    """What is said about recommendation_rules.yaml with this content."""
    write(folder, "recommendation_rules", content)
    with pytest.raises(RulesError) as caught:
        checked(folder)
    first, *problems = str(caught.value).splitlines()
    assert first == f"recommendation_rules.yaml cannot be used ({folder / 'recommendation_rules.yaml'}):"
    return problems


def with_rule(**changes):
    return RULES | {"rules": [RULE, RULE | {"rule_id": "visit"} | changes]}


def when(column, operator, value):
    return {"conditions": [{"column": column, "operator": operator, "value": value}]}


def test_rules_that_are_right_are_read(folder):
    write(folder, "recommendation_rules", RULES)
    rules = checked(folder)
    assert [rule.rule_id for rule in rules.rules] == ["call", "visit"] and rules.rules[0].enabled


COLUMNS = "company_name, mrr, main_driver, explanation"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (when("mmr", "equals", 1), f"conditions > 1 > column: churn_risk has no column 'mmr'; accepted: {COLUMNS}."),
        (when("mrr", "equals", "much"), "conditions > 1 > mrr: 'much' cannot be compared with a column of type decimal(18, 2); accepted: a number."),
        (when("mrr", "contains", "1"), "conditions > 1 > mrr: contains needs a text column; this one is decimal(18, 2)."),
        (when("main_driver", "in", ["Detractor", 3]), "conditions > 1 > main_driver: 3 cannot be compared with a column of type string; accepted: text."),
        ({"title": "Call {company}"}, f"title: {{company}} is no column; accepted: {COLUMNS}."),
        ({"expected_action": "{plan}."}, f"expected_action: {{plan}} is no column; accepted: {COLUMNS}."),
        ({"reason": "Because {"}, "reason: 'Because {' is no text with {placeholders}: Single '{' encountered in format string."),
    ],
)  # fmt: skip
def test_what_the_rows_cannot_give(folder, change, said):
    assert refusal(folder, with_rule(**change)) == [f"  rules > visit > {said}"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"trigger": "boredom"}, "trigger: is 'boredom'; accepted: 'churn_risk' or 'leakage'."),
        ({"effort_level": "Huge"}, "effort_level: is 'Huge'; accepted: 'Low', 'Medium' or 'High'."),
        ({"enabled": "yes"}, "enabled: is 'yes'; accepted: true or false."),
        ({"title": ["Call"]}, "title: is ['Call']; accepted: text."),
        ({"titel": "Call"}, "titel: is not a known key; accepted: rule_id, trigger, conditions, title, category, suggested_owner, expected_action, reason, confidence_weight, severity_weight, effort_level, enabled."),
        ({"conditions": []}, "conditions: is []; give at least one."),
        (when("mrr", "between", [1]), "conditions > 1: between needs a list of two: the lowest and the highest value."),
    ],
)  # fmt: skip
def test_what_a_rule_may_not_say(folder, change, said):
    assert refusal(folder, with_rule(**change)) == [f"  rules > visit > {said}"]


@pytest.mark.parametrize(
    ("field", "value", "accepted"),
    [
        ("confidence_weight", 1.5, "accepted: 1 or less."),
        ("confidence_weight", -0.1, "accepted: 0 or more."),
        ("severity_weight", 0, "accepted: more than 0."),
        ("severity_weight", 11, "accepted: 10 or less."),
        ("severity_weight", "much", "valid decimal."),
        ("severity_weight", True, "Decimal object."),
    ],
)
def test_a_weight_is_a_number_within_its_range(folder, field, value, accepted):
    (line,) = refusal(folder, with_rule(**{field: value}))
    assert line.startswith(f"  rules > visit > {field}: is ") and str(value).lower() in line and line.endswith(accepted)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"effort_weights": {"Low": 1, "High": 3}}, "the file: effort_weights: Medium is missing; accepted: one weight for each of Low, Medium, High."),
        ({"rules": [RULE, RULE]}, "the file: rules: the rule_id call is there twice; accepted: one of its own for each."),
        ({"rules": [RULE | {"enabled": False}]}, "the file: rules: all are switched off; accepted: at least one with enabled: true."),
        ({"weekly_capacity": {"Bob": 5}}, "the file: rules > call > suggested_owner: 'Ann' has no weekly_capacity; accepted: Bob."),
        ({"weekly_capacity": {"Ann": 0}}, "weekly_capacity > Ann: is 0; accepted: 1 or more."),
        ({"horizon_weeks": 0}, "horizon_weeks: is 0; accepted: 1 or more."),
        ({"priority_bands": {"High": 1000, "Critical": 5000, "Low": 0}}, "priority_bands: give the bands from the highest floor to the lowest, which is 0."),
        ({"priority_bands": {"High": 1000, "Low": 10}}, "priority_bands: give the bands from the highest floor to the lowest, which is 0."),
        ({"confidence_levels": {"Low": 0, "High": 0.8}}, "confidence_levels: give the bands from the highest floor to the lowest, which is 0."),
    ],
)  # fmt: skip
def test_what_the_file_may_not_say(folder, change, said):
    assert refusal(folder, RULES | change) == [f"  {said}"]


def test_every_mistake_is_said_at_once(folder):
    rules = with_rule(title="{nobody}", **when("mmr", "equals", 1))
    assert [line.split(":")[0] for line in refusal(folder, rules)] == [
        "  rules > visit > conditions > 1 > column",
        "  rules > visit > title",
    ]


@pytest.fixture
def segments():
    """The segments as they come with the program."""
    return yaml.safe_load(SHIPPED.path("segments").read_text())


def segments_refusal(folder, content):
    write(folder, "segments", content)
    with pytest.raises(RulesError) as caught:
        load(folder / "segments.yaml", Segments)
    first, *problems = str(caught.value).splitlines()
    assert first == f"segments.yaml cannot be used ({folder / 'segments.yaml'}):"
    return problems


def test_segments_whose_bands_are_out_of_order(segments, folder):
    changed = deepcopy(segments)
    changed["customer_segments"]["nps_segment"]["bands"] = {"Passive": 7, "Promoter": 9, "Detractor": 0}
    assert segments_refusal(folder, changed) == [
        "  customer_segments > nps_segment > bands: give the bands from the highest floor to the lowest."
    ]


def test_a_segment_that_is_missing_or_not_known(segments, folder):
    changed = deepcopy(segments)
    changed["customer_segments"]["mood"] = changed["customer_segments"].pop("usage_segment")
    (line,) = segments_refusal(folder, changed)
    assert "'mood'" in line and "'usage_segment'" in line
    del changed["customer_segments"]["mood"]
    assert segments_refusal(folder, changed) == ["  customer_segments: usage_segment is missing."]
