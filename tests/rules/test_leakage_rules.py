"""leakage_rules.yaml: a mistake is said with the file, the detector, the field and what is accepted."""

import pytest
import yaml

from rules.leakage_rules import LABELS, Detectors, LeakageRules
from rules.loading.files import RulesError, load
from tests.graph import RULES


@pytest.fixture
def refusal(tmp_path):
    """What is said about our rules after a change; `place` leads to the mapping that is changed."""
    content = yaml.safe_load(RULES.path("leakage_rules").read_text())

    def say(*place, without=(), **change):
        at = content
        for key in place:
            at = at[key]
        at |= change
        for key in without:
            del at[key]
        path = tmp_path / "leakage_rules.yaml"
        path.write_text(yaml.safe_dump(content))
        with pytest.raises(RulesError) as caught:
            load(path, LeakageRules)
        heading, *problems = str(caught.value).splitlines()
        assert heading == f"leakage_rules.yaml cannot be used ({path}):"
        return [problem.strip() for problem in problems]

    return say


def test_our_rules_are_as_decided():
    rules = RULES.leakage_rules
    of = rules.detectors
    assert rules.window_days == 90
    assert of.failed_payment.recovery_days == 21
    assert of.unpaid_active_subscription.minimum_months == 1
    assert of.missed_invoice.tolerance_days == 10
    assert of.underbilled_subscription.tolerance_rate == 0.01
    assert (of.active_usage_without_billing.login_days, of.active_usage_without_billing.unbilled_days) == (28, 14)
    assert all(of.of(name).enabled for name in LABELS)


def test_every_detector_has_a_label():
    assert tuple(LABELS) == tuple(Detectors.model_fields)


@pytest.mark.parametrize(
    ("place", "change", "problem"),
    [
        ((), {"window_days": -1}, "window_days: is -1; accepted: 0 or more."),
        ((), {"window": 9}, "window: is not a known key; accepted: window_days, detectors."),
        (
            ("failed_payment",),
            {"recovery_days": -1},
            "detectors > failed_payment > recovery_days: is -1; accepted: 0 or more.",
        ),
        (
            ("failed_payment",),
            {"recovery_days": "21"},
            "detectors > failed_payment > recovery_days: is '21'; accepted: a whole number.",
        ),
        (
            ("failed_payment",),
            {"recovery": 21},
            "detectors > failed_payment > recovery: is not a known key; "
            "accepted: enabled, is_recurring, description, recommended_action, recovery_days.",
        ),
        (
            ("unpaid_active_subscription",),
            {"minimum_months": 0},
            "detectors > unpaid_active_subscription > minimum_months: is 0; accepted: 1 or more.",
        ),
        (
            ("missed_invoice",),
            {"tolerance_days": -10},
            "detectors > missed_invoice > tolerance_days: is -10; accepted: 0 or more.",
        ),
        (
            ("underbilled_subscription",),
            {"tolerance_rate": 1.5},
            "detectors > underbilled_subscription > tolerance_rate: is 1.5; accepted: 1.0 or less.",
        ),
        (("refund",), {"enabled": "no"}, "detectors > refund > enabled: is 'no'; accepted: true or false."),
        (
            ("refund",),
            {"recommended_action": ""},
            "detectors > refund > recommended_action: is ''; accepted: a text that is not empty.",
        ),
        (
            ("active_usage_without_billing",),
            {"login_days": 0},
            "detectors > active_usage_without_billing > login_days: is 0; accepted: 1 or more.",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_is_accepted(refusal, place, change, problem):
    assert refusal(*(("detectors", *place) if place else ()), **change) == [problem]


def test_a_detector_that_is_missing_is_named(refusal):
    assert refusal("detectors", without=["refund"]) == [
        "detectors > refund: is missing; accepted: a mapping of names to values."
    ]


def test_a_window_that_is_missing_is_named(refusal):
    assert refusal("detectors", "missed_invoice", without=["tolerance_days"]) == [
        "detectors > missed_invoice > tolerance_days: is missing; accepted: a whole number."
    ]
