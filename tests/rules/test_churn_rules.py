"""A mistake in churn_rules.yaml is said with file, rule, field, and what would be accepted."""

import copy

import ibis
import pytest
import yaml

from rules.churn_rules import ChurnRules, check_churn_rules
from rules.loading.files import load
from tests.errors import raises_problems

SIGNALS = ibis.table(
    {
        "customer_id": "string", "as_of_date": "date", "plan": "string", "mrr": "decimal(18, 2)", "logins": "int64",
        "usage_change": "float64", "is_activated": "boolean",
    },
    name="customer_signals",
)  # fmt: skip
RULE = {
    "rule_id": "quiet",
    "signal_name": "logins",
    "operator": "less_than",
    "threshold": 3,
    "weight": 0.3,
    "driver_label": "Quiet",
    "description": "Hardly a login.",
}
FILE = {
    "bands": {"High": 0.4, "Low": 0},
    "revenue_at_risk_bands": ["High"],
    "tickets": {"closed_statuses": ["Closed"], "urgent_priorities": ["Urgent"]},
    "rules": [RULE],
}


@pytest.fixture
def loaded(tmp_path):
    """The rules of a file with this content, checked against the signals."""

    def load_content(content):
        path = tmp_path / "churn_rules.yaml"
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        rules = load(path, ChurnRules)
        check_churn_rules(rules, SIGNALS, path)
        return rules

    return load_content


def with_rule(**changes):
    return FILE | {"rules": [RULE | changes]}


def without(key):
    content = copy.deepcopy(FILE)
    del content["rules"][0][key]
    return content


def test_a_file_that_is_right_is_read(loaded):
    rules = loaded(FILE)
    assert (str(rules.rules[0].weight), rules.signals, rules.tickets.closed_statuses) == (
        "0.3",
        ("logins",),
        ("closed",),
    )


SECOND = {"signal_name": "lgoins", "operator": "is_missing"}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"signal_name": "lgoins"}, "rules > quiet > signal_name: rules.unknown_signal"),
        ({"signal_name": "as_of_date"}, "rules > quiet > signal_name: rules.unknown_signal"),
        ({"and": SECOND}, "rules > quiet > and > signal_name: rules.unknown_signal"),
        ({"threshold": "three"}, "rules > quiet > threshold: rules.wrong_type"),
        ({"threshold": True}, "rules > quiet > threshold: rules.wrong_type"),
        ({"signal_name": "plan"}, "rules > quiet > threshold: rules.wrong_type"),
        ({"operator": "contains"}, "rules > quiet > threshold: rules.wrong_type"),
        ({"operator": "is_true", "threshold": None}, "rules > quiet > threshold: rules.wrong_type"),
        ({"operator": "between", "threshold": [3, 1]}, "rules > quiet > threshold: rules.wrong_type"),
        ({"enabled": False}, "the file: rules.wrong_value"),
        ({"operator": "below"}, "rules > quiet > operator: rules.wrong_value"),
        ({"operator": "between"}, "rules > quiet: rules.wrong_value"),
        ({"operator": "is_missing"}, "rules > quiet: rules.wrong_value"),
        ({"threshold": [3]}, "rules > quiet: rules.wrong_value"),
        ({"threshold": None}, "rules > quiet: rules.wrong_value"),
        ({"wieght": 0.1}, "rules > quiet > wieght: rules.unknown_key"),
        ({"rule_id": "Quiet one"}, "rules > Quiet one > rule_id: rules.wrong_value"),
        ({"driver_label": " "}, "rules > quiet > driver_label: rules.wrong_value"),
        ({"enabled": "no"}, "rules > quiet > enabled: rules.wrong_value"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_rule_is_refused_with_its_place(loaded, changes, problem):
    with raises_problems(problem):
        loaded(with_rule(**changes))


@pytest.mark.parametrize("weight", [1.2, -0.1, 0.12345, "heavy"])
def test_a_weight_is_a_part_of_1(loaded, weight):
    with raises_problems("rules > quiet > weight: rules.wrong_value"):
        loaded(with_rule(weight=weight))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (without("weight"), "rules > quiet > weight: rules.missing_key"),
        (FILE | {"bands": {"High": 0.2, "Medium": 0.4, "Low": 0}}, "bands: rules.wrong_value"),
        (FILE | {"bands": {"High": 0.4, "Low": 0.1}}, "bands: rules.wrong_value"),
        (FILE | {"bands": {"High": 1.4, "Low": 0}}, "bands > High: rules.wrong_value"),
        (FILE | {"revenue_at_risk_bands": ["High", "Critical"]}, "the file: rules.wrong_value"),
        (FILE | {"rules": [RULE, RULE | {"weight": 0.1}]}, "the file: rules.wrong_value"),
        (FILE | {"rules": []}, "the file: rules.wrong_value"),
        (FILE | {"rulez": []}, "rulez: rules.unknown_key"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_refused(loaded, content, problem):
    with raises_problems(problem):
        loaded(content)


def test_every_rule_that_does_not_fit_is_reported_at_once(loaded):
    others = [
        RULE | {"rule_id": "rich", "signal_name": "mrrr"},
        RULE | {"rule_id": "off", "enabled": False, "threshold": "x"},
    ]
    with raises_problems(
        "rules > rich > signal_name: rules.unknown_signal", "rules > off > threshold: rules.wrong_type"
    ):
        loaded(FILE | {"rules": [RULE, *others]})
