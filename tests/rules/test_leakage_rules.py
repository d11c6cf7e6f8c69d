"""leakage_rules.yaml: a mistake is refused with its place."""

import pytest
import yaml

from rules.leakage_rules import LABELS, Detectors, LeakageRules
from rules.loading.files import load
from tests.errors import raises_problems
from tests.graph import RULES


@pytest.fixture
def load_changed(tmp_path):
    """Loads our rules after a change; `place` leads to the mapping that is changed."""
    content = yaml.safe_load(RULES.path("leakage_rules").read_text())

    def load_content(*place, without=(), **change):
        at = content
        for key in place:
            at = at[key]
        at |= change
        for key in without:
            del at[key]
        path = tmp_path / "leakage_rules.yaml"
        path.write_text(yaml.safe_dump(content))
        return load(path, LeakageRules)

    return load_content


def test_our_rules_are_as_decided():
    rules = RULES.leakage_rules
    of = rules.detectors
    assert rules.window_days == 90
    assert rules.payment_terms_days == 0
    assert of.missed_invoice.tolerance_days == 10
    assert of.underbilled_subscription.tolerance_rate == 0.01
    assert (of.active_usage_without_billing.login_days, of.active_usage_without_billing.unbilled_days) == (28, 14)
    assert all(of.of(name).enabled for name in LABELS)


def test_every_detector_has_a_label():
    assert tuple(LABELS) == tuple(Detectors.model_fields)


@pytest.mark.parametrize(
    ("place", "change", "problem"),
    [
        ((), {"window_days": -1}, "window_days: rules.wrong_value"),
        ((), {"window": 9}, "window: rules.unknown_key"),
        ((), {"payment_terms_days": -30}, "payment_terms_days: rules.wrong_value"),
        (
            ("failed_payment",),
            {"recovery_days": -1},
            "detectors > failed_payment > recovery_days: rules.wrong_value",
        ),
        (
            ("failed_payment",),
            {"recovery_days": "21"},
            "detectors > failed_payment > recovery_days: rules.wrong_value",
        ),
        (
            ("failed_payment",),
            {"recovery": 21},
            "detectors > failed_payment > recovery: rules.unknown_key",
        ),
        (
            ("unpaid_active_subscription",),
            {"minimum_months": 0},
            "detectors > unpaid_active_subscription > minimum_months: rules.wrong_value",
        ),
        (
            ("missed_invoice",),
            {"tolerance_days": -10},
            "detectors > missed_invoice > tolerance_days: rules.wrong_value",
        ),
        (
            ("underbilled_subscription",),
            {"tolerance_rate": 1.5},
            "detectors > underbilled_subscription > tolerance_rate: rules.wrong_value",
        ),
        (("refund",), {"enabled": "no"}, "detectors > refund > enabled: rules.wrong_value"),
        (
            ("refund",),
            {"recommended_action": ""},
            "detectors > refund > recommended_action: rules.wrong_value",
        ),
        (
            ("active_usage_without_billing",),
            {"login_days": 0},
            "detectors > active_usage_without_billing > login_days: rules.wrong_value",
        ),
    ],
)
def test_a_mistake_is_refused_with_its_place(load_changed, place, change, problem):
    with raises_problems(problem):
        load_changed(*(("detectors", *place) if place else ()), **change)


def test_a_detector_that_is_missing_is_named(load_changed):
    with raises_problems("detectors > refund: rules.missing_key"):
        load_changed("detectors", without=["refund"])


def test_a_tolerance_that_is_missing_is_named(load_changed):
    with raises_problems("detectors > missed_invoice > tolerance_days: rules.missing_key"):
        load_changed("detectors", "missed_invoice", without=["tolerance_days"])


def test_keys_of_older_files_are_read_and_have_no_effect(load_changed):
    load_changed("detectors", "failed_payment", recovery_days=21)
    load_changed("detectors", "unpaid_active_subscription", minimum_months=1)
