"""Churn risk: each rule at its threshold, scores at the bands' floors, and their explanations."""

import dataclasses
import datetime as dt
import json
from decimal import Decimal

import ibis
import pytest

from productpulse_assets.risk.churn import churn_evidence, churn_risk_profiles
from resources.tables import table_of
from rules.churn_rules import ChurnRules
from rules.operators import OPERATORS
from tests.builders import rows, store
from tests.graph import RULES

SIGNALS = ibis.schema(
    {"customer_id": "string", "as_of_date": "date"}
    | dict.fromkeys(RULES.dimensions, "string")
    | {
        "mrr": "decimal(18, 2)", "tenure_days": "int64", "days_to_renewal": "int64", "is_activated": "boolean",
        "usage_change": "float64", "key_action_change": "float64", "days_since_last_login": "int64",
        "latest_nps_score": "int64", "failed_payment_count": "int64", "support_ticket_count": "int64",
        "open_urgent_ticket_count": "int64", "downgraded_recently": "boolean", "is_past_due": "boolean",
        "cancellation_scheduled": "boolean",
    }
)  # fmt: skip
HEALTHY = {
    "plan": "Growth", "segment": "SMB", "mrr": 100, "tenure_days": 400, "days_to_renewal": 200, "is_activated": True,
    "usage_change": 0.1, "key_action_change": 0.0, "days_since_last_login": 0, "latest_nps_score": 9,
    "failed_payment_count": 0, "support_ticket_count": 0, "open_urgent_ticket_count": 0, "downgraded_recently": False,
    "is_past_due": False, "cancellation_scheduled": False,
}  # fmt: skip
"""No rule fires for this customer."""

PROFILE = ("risk_score", "risk_band", "revenue_at_risk", "drivers")


def signals(*customers):
    """customer_signals of customers that are healthy except for the given values: C1, C2 and so on."""
    named = [{"customer_id": f"C{number}"} | HEALTHY | given for number, given in enumerate(customers, start=1)]
    full = [dict.fromkeys(SIGNALS) | row | {"as_of_date": dt.date(2026, 6, 30)} for row in named]
    return table_of([row | {"mrr": row["mrr"] and Decimal(str(row["mrr"]))} for row in full], SIGNALS)


IN_USE = {"rules": RULES}
"""The rules of a test: the shipped ones, or those that `use` puts here."""
QUERIES = {}


def queries(rules):
    """The SQL of both tables with these rules: compiled once, run on the rows of every test."""
    key = rules.churn_rules.model_dump_json()
    if key not in QUERIES:
        given = ibis.table(SIGNALS, name="customer_signals")
        hits = churn_evidence(given, rules)
        profiles = churn_risk_profiles(given, ibis.table(hits.schema(), name="churn_evidence"), rules)
        QUERIES[key] = [ibis.to_sql(table, dialect="duckdb") for table in (hits, profiles)]
    return QUERIES[key]


def results(*customers):
    """churn_evidence and churn_risk_profiles of these customers."""
    names = ("churn_evidence", "profiles")
    with store({"customer_signals": signals(*customers)}).con as connection:
        for name, query in zip(names, queries(IN_USE["rules"]), strict=True):
            connection.execute(f"CREATE TABLE {name} AS {query}")
        return [ibis.memtable(connection.table(name).to_arrow_table()) for name in names]


def evidence(*customers):
    return results(*customers)[0]


def fired(**given):
    return [rule for (rule,) in rows(evidence(given), "rule_id", by=("rule_order",))]


def profile(*columns, **given):
    (values,) = rows(results(given)[1], *columns)
    return values


@pytest.fixture
def use(monkeypatch):
    """Use these rules instead of the shipped ones; the weight is 0.5 unless a rule has one."""

    def use(*rules, bands=None, at_risk=("Critical",), **more):
        plain = {"operator": "is_true", "weight": 0.5, "description": "A rule of a test."}
        named = [plain | {"rule_id": f"r{n}", "driver_label": f"Driver {n}"} | rule for n, rule in enumerate(rules, 1)]
        content = {
            "bands": bands or {"Critical": 0.65, "High": 0.40, "Medium": 0.20, "Low": 0},
            "revenue_at_risk_bands": list(at_risk),
            "tickets": {"closed_statuses": ["Closed"], "urgent_priorities": ["Urgent"]},
            "rules": named,
        } | more
        chosen = ChurnRules.model_validate(content)
        monkeypatch.setitem(IN_USE, "rules", dataclasses.replace(RULES, churn_rules=chosen))

    return use


# --- the shipped rules ----------------------------------------------------------------------------

FALLING, OLD = {"usage_change": -0.25}, {"tenure_days": 60}
SHIPPED = [
    ("usage_drop", "usage_change", {}, {-0.51: True, -0.5: True, -0.4999: False}),
    ("usage_collapse", "usage_change", {"days_to_renewal": 46}, {-0.76: True, -0.75: True, -0.7499: False}),
    ("key_action_drop", "key_action_change", {}, {-0.61: True, -0.6: True, -0.5999: False}),
    ("no_login", "days_since_last_login", {}, {22: True, 21: True, 20: False}),
    ("detractor", "latest_nps_score", {}, {0: True, 6: True, 7: False}),
    ("failed_payment", "failed_payment_count", {}, {2: True, 1: True, 0: False}),
    ("many_tickets", "support_ticket_count", {}, {4: True, 3: True, 2: False}),
    ("open_urgent_ticket", "open_urgent_ticket_count", {}, {2: True, 1: True, 0: False}),
    ("recent_downgrade", "downgraded_recently", {}, {True: True, False: False}),
    ("cancellation_scheduled", "cancellation_scheduled", {}, {True: True, False: False}),
    ("never_activated", "is_activated", OLD, {False: True, True: False}),
    ("never_activated", "tenure_days", {"is_activated": False}, {61: True, 60: True, 59: False}),
    ("renewal_with_falling_usage", "days_to_renewal", FALLING, {44: True, 45: True, 46: False}),
    (
        "renewal_with_falling_usage",
        "usage_change",
        {"days_to_renewal": 45},
        {-0.26: True, -0.25: True, -0.24999999999999994: True, -0.2499: False},
    ),
]


@pytest.mark.parametrize(
    ("rule", "given", "fires"),
    [
        pytest.param(rule, others | {signal: value}, fires, id=f"{rule}: {signal} {value}")
        for rule, signal, others, values in SHIPPED
        for value, fires in values.items()
    ],
)
def test_a_shipped_rule_fires_from_its_threshold_on(rule, given, fires):
    assert (rule in fired(**given)) == fires


@pytest.mark.parametrize(
    ("signal", "others"), dict.fromkeys((signal, tuple(others.items())) for _, signal, others, _ in SHIPPED)
)
def test_a_missing_signal_fires_nothing_and_is_counted(signal, others):
    assert fired(**dict(others) | {signal: None}) == []
    assert profile("signals_known", "signals_total", **{signal: None}) == (11, 12)


def test_every_shipped_rule_is_tested():
    assert {rule for rule, *_ in SHIPPED} == {rule.rule_id for rule in RULES.churn_rules.enabled}


def test_evidence_has_all_that_a_decision_is_computed_from():
    table = evidence({"usage_change": -0.5, "days_to_renewal": 45})
    columns = ("signal_name", "signal_value", "operator", "threshold", "weight", "source_dataset", "window")
    assert rows(table, "rule_id", *columns, by=("rule_order",)) == [
        ("usage_drop", "usage_change", "-0.5", "less_or_equal", "-0.5", 0.25, "product_usage", "last 28 days against the 84 before"),
        ("renewal_with_falling_usage", "days_to_renewal", "45", "less_or_equal", "45", 0.05, "subscriptions", "running at the as-of date"),
    ]  # fmt: skip
    second = [f"second_{name}" for name in ("signal_name", "signal_value", "operator", "threshold")]
    assert rows(table, *second, by=("rule_order",)) == [
        (None, None, None, None),
        ("usage_change", "-0.5", "less_or_equal", "-0.25"),
    ]
    assert rows(table, "explanation", by=("rule_order",)) == [
        ("Usage has halved: logins changed by -50.0 % (rule: -50.0 % or less)",),
        (
            "Renewal near while usage falls: renewal in 45 days (rule: 45 or less) and logins changed by -50.0 % "
            "(rule: -25.0 % or less)",
        ),
    ]


def test_evidence_shows_a_binary_number_as_it_was_compared():
    table = evidence({"usage_change": -0.7499999999999999})
    assert rows(table, "rule_id", "signal_value", "threshold", by=("rule_order",)) == [
        ("usage_drop", "-0.75", "-0.5"),
        ("usage_collapse", "-0.75", "-0.75"),
    ]


# --- operators and conditions ---------------------------------------------------------------------

OPERATOR_CASES = [
    ("less_than", "latest_nps_score", 6, [5], [6]),
    ("less_or_equal", "latest_nps_score", 6, [6], [7]),
    ("greater_than", "mrr", 99.99, [100], [99.99]),
    ("greater_or_equal", "mrr", 99.99, [99.99], [99.98]),
    ("equals", "is_activated", False, [False], [True]),
    ("not_equals", "plan", "Free", ["free", "Scale"], ["Free"]),
    ("in", "plan", ["Starter", "Growth"], ["Starter", "Growth"], ["Scale", "growth"]),
    ("not_in", "plan", ["Starter", "Growth"], ["Scale"], ["Starter"]),
    ("contains", "plan", "Pro", ["Pro", "Team Pro 2"], ["Basic"]),
    ("between", "usage_change", [-0.5, 0], [-0.5, -0.2, 0.0], [-0.51, 0.01]),
    ("is_true", "is_past_due", None, [True], [False]),
    ("is_missing", "latest_nps_score", None, [None], [0]),
]


@pytest.mark.parametrize(("operator", "signal", "threshold", "hits", "misses"), OPERATOR_CASES)
def test_each_operator_through_a_rule(use, operator, signal, threshold, hits, misses):
    use({"signal_name": signal, "operator": operator, "threshold": threshold})
    unknown = [] if operator == "is_missing" else [None]
    table = evidence(*({signal: value} for value in [*hits, *misses, *unknown]))
    as_json = None if threshold is None else json.dumps(threshold)
    assert rows(table, "customer_id", "threshold") == [(f"C{number}", as_json) for number in range(1, len(hits) + 1)]


def test_every_operator_is_tested():
    assert {operator for operator, *_ in OPERATOR_CASES} == set(OPERATORS)


def test_a_second_condition_must_hold_too(use):
    second = {"signal_name": "latest_nps_score", "operator": "is_missing"}
    use({"signal_name": "downgraded_recently", "and": second})
    down, silent = {"downgraded_recently": True}, {"latest_nps_score": None}
    assert rows(evidence(down, silent, down | silent, {}), "customer_id", "second_signal_value") == [("C3", None)]


def test_a_disabled_rule_neither_fires_nor_counts(use):
    use({"signal_name": "is_past_due", "enabled": False}, {"signal_name": "downgraded_recently"})
    given = {"is_past_due": True, "downgraded_recently": True}
    assert fired(**given) == ["r2"]
    assert profile("risk_score", "signals_known", "signals_total", **given) == (0.5, 1, 1)


# --- scores ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "score", "band"),
    [
        ((0.35, 0.30), 0.65, "Critical"),
        ((0.35, 0.2999), 0.6499, "High"),
        ((0.1, 0.1, 0.2), 0.4, "High"),
        ((0.15, 0.2499), 0.3999, "Medium"),
        ((0.1, 0.1), 0.2, "Medium"),
        ((0.1, 0.0999), 0.1999, "Low"),
        ((0.7, 0.3), 1.0, "Critical"),
        ((0.7, 0.7), 1.0, "Critical"),
        ((0,), 0.0, "Low"),
    ],
)
def test_weights_add_up_exactly_to_the_floors_and_end_at_1(use, weights, score, band):
    use(*({"signal_name": "downgraded_recently", "weight": weight} for weight in weights))
    assert profile("risk_score", "risk_band", "rules_fired", downgraded_recently=True) == (score, band, len(weights))


def test_all_shipped_rules_together_are_critical_and_score_1():
    worst = {
        "usage_change": -1.0, "key_action_change": -1.0, "days_since_last_login": 90, "latest_nps_score": 0,
        "failed_payment_count": 3, "support_ticket_count": 9, "open_urgent_ticket_count": 2,
        "downgraded_recently": True, "is_activated": False, "days_to_renewal": 1, "mrr": 120.5,
    }  # fmt: skip
    assert profile("risk_score", "risk_band", "revenue_at_risk", "rules_fired", **worst) == (1.0, "Critical", 120.5, 11)


def test_drivers_are_in_order_of_weight_then_of_the_file(use):
    use(
        {"signal_name": "downgraded_recently", "weight": 0.1},
        {"signal_name": "downgraded_recently", "weight": 0.3},
        {"signal_name": "is_past_due", "weight": 0.4},
        {"signal_name": "downgraded_recently", "weight": 0.1},
    )
    columns = ("main_driver", "main_rule", "drivers", "rule_ids", "explanation")
    assert profile(*columns, downgraded_recently=True) == (
        "Driver 2",
        "r2",
        "Driver 2, Driver 1, Driver 4",
        "r2, r1, r4",
        "Driver 2: moved to a lower price in the last 90 days; Driver 1: moved to a lower price in the last 90 days; "
        "Driver 4: moved to a lower price in the last 90 days. 2 of 2 signals are known.",
    )


@pytest.mark.parametrize(
    ("weight", "at_risk", "revenue"),
    [
        (0.7, ("Critical",), 100),
        (0.5, ("Critical",), 0),
        (0.5, ("Critical", "High"), 100),
        (0.3, ("Critical", "High"), 0),
        (0.7, (), 0),
    ],
)
def test_revenue_is_at_risk_in_the_named_bands_alone(use, weight, at_risk, revenue):
    use({"signal_name": "downgraded_recently", "weight": weight}, at_risk=at_risk)
    assert profile("revenue_at_risk", "mrr", downgraded_recently=True) == (revenue, 100)


def test_revenue_at_risk_is_unknown_where_too_few_signals_are_known(use):
    numbers = ["latest_nps_score", "failed_payment_count"]
    rules = [{"signal_name": name, "operator": "equals", "threshold": 99} for name in numbers]
    use(*rules, {"signal_name": "is_past_due", "weight": 0.7}, minimum_known_share=0.4)
    two_known, one_known = {"latest_nps_score": None}, dict.fromkeys(numbers)
    bad = one_known | {"is_past_due": True}  # what is known is bad enough
    columns = ("revenue_at_risk", "is_at_risk")
    assert rows(results(two_known, one_known, bad)[1], *columns) == [(0, 0), (100, 1), (None, None)]
    # Enough is known of no customer: those in the band are not the whole.
    assert rows(results(one_known, bad)[1], *columns) == [(None, None), (None, None)]


def test_a_single_band_is_enough(use):
    use({"signal_name": "downgraded_recently"}, bands={"Watched": 0}, at_risk=("Watched",))
    assert profile("risk_score", "risk_band", downgraded_recently=True) == (0.5, "Watched")


def test_where_no_rule_fired_the_score_is_0_with_the_number_of_known_signals():
    columns = ("risk_score", "risk_band", "revenue_at_risk", "rules_fired", "main_driver", "drivers", "explanation")
    nothing = (0.0, "Low", 0, 0, None, None)
    assert profile(*columns) == (*nothing, "No rule fired. 12 of 12 signals are known.")
    silent = {"latest_nps_score": None, "usage_change": None}
    assert profile(*columns, **silent) == (*nothing, "No rule fired. 10 of 12 signals are known.")


def test_each_customer_has_its_own_profile():
    _, profiles = results({"failed_payment_count": 1, "support_ticket_count": 3}, {}, {"latest_nps_score": 2})
    assert rows(profiles, "customer_id", *PROFILE) == [
        ("C1", 0.6, "High", 100, "Many support tickets, Payment failed"),
        ("C2", 0.0, "Low", 0, None),
        ("C3", 0.15, "Low", 0, "Detractor"),
    ]
