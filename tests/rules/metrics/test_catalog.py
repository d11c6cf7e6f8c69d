"""A mistake in the metric catalog is refused with the file, the metric, the field and what is accepted."""

import ibis
import pytest
import yaml

from productpulse_assets.orchestration.graph import MODELS as OURS
from rules.loading.files import load
from rules.loading.problems import RulesError
from rules.metrics.catalog import check_models, check_references
from rules.metrics.models import MetricCatalog
from tests.errors import problem_codes, raises, raises_problems
from tests.graph import RULES, unbound

SALES = {"month": "date", "amount": "decimal(18, 2)", "plan": "string", "seats": "int64", "is_new": "boolean"}
MODELS = {
    "sales": ibis.table(SALES, name="sales"),
    "stock": ibis.table({"amount": "decimal(18, 2)", "plan": "string"}, name="stock"),
}
GOVERNANCE = {
    "category": "Revenue",
    "unit": "money",
    "owner": "team:finance",
    "definition": "What it is.",
    "purpose": "What it is for.",
    "interpretation": "How to read it.",
    "risk_if_misread": "What goes wrong.",
    "good_direction": "up",
}


def metric(label="Revenue", without=(), **given):
    """A metric of the catalog: the sum of amount, unless said."""
    full = {"label": label, **GOVERNANCE, "model": "sales", "period": "as_of", "formula": {"sum": "amount"}, **given}
    return {key: value for key, value in full.items() if key not in without}


def derived(label="Double", **formula):
    return metric(label, without=("model", "period"), formula=formula)


def where(column, operator, *value):
    """A filtered measure."""
    condition = {"column": column, "operator": operator}
    return {"sum": "amount", "where": [condition | {"value": value[0]} if value else condition]}


def load_text(folder, text):
    path = folder / "metric_catalog.yaml"
    path.write_text(text, encoding="utf-8")
    catalog = load(path, MetricCatalog)
    check_references(catalog, path)
    check_models(catalog, MODELS, path)
    return catalog


@pytest.fixture
def given(tmp_path):
    """Loads a catalog of these metrics and validates it against the models."""

    def load_metrics(**metrics):
        content = {"activation_threshold": 5, "metrics": metrics}
        return load_text(tmp_path, yaml.safe_dump(content, sort_keys=False))

    return load_metrics


def test_the_catalog_that_the_mistakes_are_made_in_is_right(given):
    catalog = given(
        revenue=metric(aliases=["MRR"], counted_by="seats"),
        seats=metric("Seats", formula={"count_distinct": "plan", "where": [{"column": "is_new", "operator": "is_true"}]}),
        double=derived(multiply=["revenue", 2]),
        stock=metric("Stock", model="stock", period="current"),
        share=metric("Share", period={"trailing_complete_months": 3}, formula={"ratio": {"numerator": where("plan", "in", ["A"]), "denominator": {"sum": "amount"}}}),
    )  # fmt: skip
    assert list(catalog.metrics) == ["revenue", "seats", "double", "stock", "share"]


MISTAKES = {
    "an unknown column": (
        {"revenue": metric(formula={"sum": "amout"})},
        "metrics > revenue > formula: rules.unknown_column",
    ),
    "an unknown model": (
        {"revenue": metric(model="sale")},
        "metrics > revenue > model: rules.unknown_model",
    ),
    "an unknown operator": (
        {"revenue": metric(formula=where("plan", "is", "Scale"))},
        "metrics > revenue > formula > where > 1 > operator: rules.wrong_value",
    ),
    "an unknown metric": (
        {"revenue": metric(), "double": derived(multiply=["revenu", 2])},
        "metrics > double > formula: rules.unknown_metric",
    ),
    "an unknown metric, deep inside": (
        {"revenue": metric(), "double": derived(divide=[{"add": ["revenue", "revenu"]}, "revenue"])},
        "metrics > double > formula: rules.unknown_metric",
    ),
    "a cycle": (
        {
            "start": derived("Start", add=["one", 1]),
            "one": derived("One", add=["two", 1]),
            "two": derived("Two", add=[{"multiply": ["one", 2]}, 1]),
        },
        "metrics > one > formula: rules.formula_cycle",
    ),
    "a metric that refers to itself": (
        {"one": derived("One", add=["one", 1])},
        "metrics > one > formula: rules.formula_cycle",
    ),
    "a missing governance field": (
        {"revenue": metric(without=["risk_if_misread"])},
        "metrics > revenue > risk_if_misread: rules.missing_key",
    ),
    "a missing choice": (
        {"revenue": metric(without=["good_direction"])},
        "metrics > revenue > good_direction: rules.missing_key",
    ),
    "a blank governance field": (
        {"revenue": metric(purpose="  ")},
        "metrics > revenue > purpose: rules.wrong_value",
    ),
    "a wrong type": ({"revenue": metric(label=5)}, "metrics > revenue > label: rules.wrong_value"),
    "an unknown choice": (
        {"revenue": metric(unit="USD")},
        "metrics > revenue > unit: rules.wrong_value",
    ),
    "an owner that is no team": (
        {"revenue": metric(owner="finance")},
        "metrics > revenue > owner: rules.wrong_value",
    ),
    "an unknown period": (
        {"revenue": metric(period="last_month")},
        "metrics > revenue > period: rules.wrong_value",
    ),
    "a period of no months": (
        {"revenue": metric(period={"trailing_complete_months": 0})},
        "metrics > revenue > period > trailing_complete_months: rules.wrong_value",
    ),
    "a period of months in words": (
        {"revenue": metric(period={"trailing_complete_months": "three"})},
        "metrics > revenue > period > trailing_complete_months: rules.wrong_value",
    ),
    "a formula written as a string": (
        {"revenue": metric(formula="sum(amount)")},
        "metrics > revenue > formula: rules.wrong_value",
    ),
    "an unknown aggregation": (
        {"revenue": metric(formula={"median": "amount"})},
        "metrics > revenue > formula: rules.wrong_value",
    ),
    "two aggregations": (
        {"revenue": metric(formula={"sum": "amount", "mean": "amount"})},
        "metrics > revenue > formula: rules.wrong_value",
    ),
    "a filter on a column of another type": (
        {"revenue": metric(formula=where("plan", "equals", 5))},
        "metrics > revenue > formula > where > plan: rules.wrong_type",
    ),
    "a filter on an unknown column": (
        {"revenue": metric(formula=where("plann", "equals", "Scale"))},
        "metrics > revenue > formula > where: rules.unknown_column",
    ),
    "a filter without its list": (
        {"revenue": metric(formula=where("plan", "in", "Scale"))},
        "metrics > revenue > formula > where > 1: rules.wrong_value",
    ),
    "a filter written as a string": (
        {"revenue": metric(formula={"sum": "amount", "where": "plan = Scale"})},
        "metrics > revenue > formula > where: rules.wrong_value",
    ),
    "an alias of two metrics": (
        {"revenue": metric(aliases=["MRR"]), "other": metric("Other", aliases=["mrr"])},
        "metrics > other > aliases: rules.name_taken",
    ),
    "an alias that is another metric's name": (
        {"revenue": metric(aliases=["other"]), "other": metric("Other")},
        "metrics > revenue > aliases: rules.name_taken",
    ),
    "a label of two metrics": (
        {"revenue": metric(), "other": metric()},
        "metrics > other > label: rules.name_taken",
    ),
    "an unknown key": (
        {"revenue": metric(ownr="team:finance")},
        "metrics > revenue > ownr: rules.unknown_key",
    ),
    "an unknown key of a measure": (
        {"revenue": metric(formula={"sum": "amount", "when": []})},
        "metrics > revenue > formula > when: rules.unknown_key",
    ),
    "a metric's name in capitals": (
        {"Revenue": metric()},
        "metrics > Revenue: rules.wrong_value",
    ),
    "the sum of a text column": (
        {"revenue": metric(formula={"sum": "plan"})},
        "metrics > revenue > formula: rules.wrong_type",
    ),
    "the smallest of a text column": (
        {"revenue": metric(formula={"min": "plan"})},
        "metrics > revenue > formula: rules.wrong_type",
    ),
    "current on a monthly model": (
        {"revenue": metric(period="current")},
        "metrics > revenue > period: rules.wrong_period",
    ),
    "a month of a snapshot": (
        {"revenue": metric(model="stock")},
        "metrics > revenue > period: rules.wrong_period",
    ),
    "counted_by an unknown metric": (
        {"revenue": metric(counted_by="customers")},
        "metrics > revenue > counted_by: rules.unknown_metric",
    ),
    "too few operands": (
        {"revenue": metric(), "share": derived(divide=["revenue"])},
        "metrics > share > formula: rules.wrong_value",
    ),
    "too few operands, deep inside": (
        {"revenue": metric(), "share": derived(divide=["revenue", {"add": ["revenue"]}])},
        "metrics > share > formula > divide > 2: rules.wrong_value",
    ),
    "an operand that is a list": (
        {"revenue": metric(), "share": derived(add=["revenue", ["revenue"]])},
        "metrics > share > formula > add > 2: rules.wrong_value",
    ),
    "an operand that is no number": (
        {"revenue": metric(), "share": derived(multiply=["revenue", float("nan")])},
        "metrics > share > formula > multiply > 2: rules.wrong_value",
    ),
    "arithmetic without a metric": (
        {"revenue": metric(), "three": derived(add=[1, 2])},
        "metrics > three > formula: rules.formula_without_metric",
    ),
    "a ratio without its denominator": (
        {"revenue": metric(formula={"ratio": {"numerator": {"sum": "amount"}}})},
        "metrics > revenue > formula > denominator: rules.missing_key",
    ),
    "a mistake in a ratio's part": (
        {"revenue": metric(formula={"ratio": {"numerator": {"sum": "amount", "unit": "$"}, "denominator": {"sum": "amount"}}})},
        "metrics > revenue > formula > ratio > numerator > unit: rules.wrong_value",
    ),
    "a measure without a period": (
        {"revenue": metric(without=["period"])},
        "metrics > revenue: rules.wrong_value",
    ),
    "arithmetic with a period": (
        {"revenue": metric(), "double": metric("Double", formula={"multiply": ["revenue", 2]})},
        "metrics > double: rules.wrong_value",
    ),
    "a benchmark without its source": (
        {"revenue": metric(benchmark={"text": "4 or more"})},
        "metrics > revenue > benchmark > source: rules.missing_key",
    ),
    "no metrics": ({}, "metrics: rules.wrong_value"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_with_its_place(given, mistake):
    metrics, problem = MISTAKES[mistake]
    with raises_problems(problem):
        given(**metrics)


def test_every_mistake_is_reported_at_once(given):
    with raises_problems(
        "metrics > revenue > formula: rules.unknown_column",
        "metrics > other > period: rules.wrong_period",
        "metrics > third > formula > where > seats: rules.wrong_type",
    ):
        given(
            revenue=metric(formula={"sum": "amout"}),
            other=metric("Other", period="current"),
            third=metric("Third", formula=where("seats", "in", [1, "x"])),
        )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("metrics: []\nactivation_threshold: 5\n", "metrics: rules.wrong_value"),
        ("metrics: {revenue: sum(amount)}\nactivation_threshold: 5\n", "metrics > revenue: rules.wrong_value"),
        ("metrics: {}\n", "activation_threshold: rules.missing_key"),
        ("activation_threshold: -1\nmetrics: {}\n", "activation_threshold: rules.wrong_value"),
    ],
)
def test_a_mistake_above_the_metrics_is_refused(tmp_path, text, problem):
    with raises("rules.invalid") as caught:
        load_text(tmp_path, text)
    assert problem in problem_codes(caught.value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "rules.not_a_mapping"),
        ("metrics: [", "rules.yaml_syntax"),
        ("metrics:\n  revenue: {}\n  revenue: {}\n", "rules.duplicate_key"),
    ],
)
def test_a_file_that_is_not_a_catalog_is_refused(tmp_path, text, code):
    with raises(code) as caught:
        load_text(tmp_path, text)
    assert caught.value.details["file"] == tmp_path / "metric_catalog.yaml"


def test_the_catalog_that_comes_with_the_program_fits_its_models():
    check_models(RULES.metric_catalog, {name: unbound(name) for name in OURS}, RULES.path("metric_catalog"))
    assert {"monthly_recurring_revenue", "customer_churn_rate"} <= set(RULES.metric_catalog.metrics)


def test_the_catalog_is_validated_against_the_models_it_is_given():
    """The test above would pass if nothing were compared."""
    models = {name: unbound(name) for name in OURS}
    models["customer_months"] = models["customer_months"].drop("mrr_end")
    with pytest.raises(RulesError) as caught:
        check_models(RULES.metric_catalog, models, RULES.path("metric_catalog"))
    assert "metrics > monthly_recurring_revenue > formula: rules.unknown_column" in problem_codes(caught.value)
