"""A mistake in churn_rules.yaml is said with file, rule, field, and what would be accepted."""

import copy

import ibis
import pytest
import yaml

from rules.churn_rules import ChurnRules, check_churn_rules
from rules.loading.files import RulesError, load
from rules.operators import OPERATORS

SIGNALS = ibis.table(
    {
        "customer_id": "string", "as_of_date": "date", "plan": "string", "mrr": "decimal(18, 2)", "logins": "int64",
        "usage_change": "float64", "is_activated": "boolean",
    },
    name="customer_signals",
)  # fmt: skip
ACCEPTED = "accepted: plan, mrr, logins, usage_change, is_activated."
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


@pytest.fixture
def refused(loaded, tmp_path):
    """What is said of a file, line by line, without its name."""

    def refusal(content):
        with pytest.raises(RulesError) as caught:
            loaded(content)
        first, *lines = str(caught.value).splitlines()
        assert first == f"churn_rules.yaml cannot be used ({tmp_path / 'churn_rules.yaml'}):"
        return [line.strip() for line in lines]

    return refusal


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
    ("changes", "said"),
    [
        ({"signal_name": "lgoins"}, f"rules > quiet > signal_name: there is no signal 'lgoins'; {ACCEPTED}"),
        ({"signal_name": "as_of_date"}, f"rules > quiet > signal_name: there is no signal 'as_of_date'; {ACCEPTED}"),
        ({"and": SECOND}, f"rules > quiet > and > signal_name: there is no signal 'lgoins'; {ACCEPTED}"),
        ({"threshold": "three"}, "rules > quiet > threshold: 'three' cannot be compared with a column of type int64; accepted: a number."),
        ({"threshold": True}, "rules > quiet > threshold: True cannot be compared with a column of type int64; accepted: a number."),
        ({"signal_name": "plan"}, "rules > quiet > threshold: 3 cannot be compared with a column of type string; accepted: text."),
        ({"operator": "contains"}, "rules > quiet > threshold: contains needs a text column; this one is int64."),
        ({"operator": "is_true", "threshold": None}, "rules > quiet > threshold: is_true needs a true/false column; this one is int64."),
        ({"operator": "between", "threshold": [3, 1]}, "rules > quiet > threshold: between needs the lowest value first; 3 is above 1."),
        ({"enabled": False}, "the file: rules: none is switched on; accepted: at least one with enabled: true."),
        ({"operator": "below"}, f"rules > quiet > operator: is 'below'; accepted: {', '.join(map(repr, [*OPERATORS][:-1]))} or 'is_missing'."),
        ({"operator": "between"}, "rules > quiet: between needs a list of at least one threshold."),
        ({"operator": "is_missing"}, "rules > quiet: is_missing takes no threshold."),
        ({"threshold": [3]}, "rules > quiet: less_than needs a single threshold, not a list."),
        ({"threshold": None}, "rules > quiet: less_than needs a threshold."),
        ({"wieght": 0.1}, "rules > quiet > wieght: is not a known key; accepted: signal_name, operator, threshold, rule_id, weight, driver_label, description, enabled, and."),
        ({"rule_id": "Quiet one"}, "rules > Quiet one > rule_id: is 'Quiet one'; accepted: text that matches ^[a-z][a-z0-9_]*$."),
        ({"driver_label": " "}, "rules > quiet > driver_label: is ' '; accepted: a text that is not empty."),
        ({"enabled": "no"}, "rules > quiet > enabled: is 'no'; accepted: true or false."),
    ],
)  # fmt: skip
def test_a_mistake_in_a_rule_is_said_with_its_place(refused, changes, said):
    assert refused(with_rule(**changes)) == [said]


@pytest.mark.parametrize(
    ("weight", "accepted"),
    [(1.2, "1 or less"), (-0.1, "0 or more"), (0.12345, "no more than 4 decimal places"), ("heavy", "a valid decimal")],
)
def test_a_weight_is_a_part_of_1(refused, weight, accepted):
    (line,) = refused(with_rule(weight=weight))
    assert line.startswith("rules > quiet > weight: is ")
    assert str(weight) in line
    assert line.endswith(f"{accepted}.")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (without("weight"), "rules > quiet > weight: is missing; accepted: "),
        (FILE | {"bands": {"High": 0.2, "Medium": 0.4, "Low": 0}}, "bands: give the bands from the highest floor to the lowest, which is 0."),
        (FILE | {"bands": {"High": 0.4, "Low": 0.1}}, "bands: give the bands from the highest floor to the lowest, which is 0."),
        (FILE | {"bands": {"High": 1.4, "Low": 0}}, "bands > High: is "),
        (FILE | {"revenue_at_risk_bands": ["High", "Critical"]}, "revenue_at_risk_bands: 'Critical' is no band; accepted: High, Low."),
        (FILE | {"rules": [RULE, RULE | {"weight": 0.1}]}, "rules: the rule_id quiet is there twice; accepted: one of its own for each."),
        (FILE | {"rules": []}, "rules: none is switched on; accepted: at least one with enabled: true."),
        (FILE | {"rulez": []}, "rulez: is not a known key; accepted: bands, revenue_at_risk_bands, "),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_said(refused, content, said):
    (line,) = refused(content)
    assert said in line


def test_every_rule_that_does_not_fit_is_said_at_once(refused):
    others = [
        RULE | {"rule_id": "rich", "signal_name": "mrrr"},
        RULE | {"rule_id": "off", "enabled": False, "threshold": "x"},
    ]
    assert [line.split(":")[0] for line in refused(FILE | {"rules": [RULE, *others]})] == [
        "rules > rich > signal_name",
        "rules > off > threshold",
    ]
