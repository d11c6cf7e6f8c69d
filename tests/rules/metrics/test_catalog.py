"""A mistake in the metric catalog is refused with the file, the metric, the field and what is accepted."""

import ibis
import pytest
import yaml

from productpulse_assets.orchestration.graph import MODELS as OURS
from rules.loading.files import RulesError, load
from rules.metrics.catalog import check_models, check_references
from rules.metrics.models import MetricCatalog
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
FORMULA_KEYS = "ratio, sum, mean, count, count_distinct, min, max, add, subtract, multiply, divide, complement"
METRIC_KEYS = (
    "label, category, unit, owner, definition, purpose, interpretation, risk_if_misread, good_direction, "
    "benchmark, aliases, counted_by, model, period, formula"
)


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
        "metrics > revenue > formula: sales has no column 'amout'; accepted: month, amount, plan, seats, is_new.",
    ),
    "an unknown model": (
        {"revenue": metric(model="sale")},
        "metrics > revenue > model: is 'sale'; accepted: sales, stock.",
    ),
    "an unknown operator": (
        {"revenue": metric(formula=where("plan", "is", "Scale"))},
        "metrics > revenue > formula > where > 1 > operator: is 'is'; accepted: 'less_than', 'less_or_equal', "
        "'greater_than', 'greater_or_equal', 'equals', 'not_equals', 'in', 'not_in', 'contains', 'between', "
        "'is_true' or 'is_missing'.",
    ),
    "an unknown metric": (
        {"revenue": metric(), "double": derived(multiply=["revenu", 2])},
        "metrics > double > formula: there is no metric 'revenu'; accepted: revenue, double.",
    ),
    "an unknown metric, deep inside": (
        {"revenue": metric(), "double": derived(divide=[{"add": ["revenue", "revenu"]}, "revenue"])},
        "metrics > double > formula: there is no metric 'revenu'; accepted: revenue, double.",
    ),
    "a cycle": (
        {
            "start": derived("Start", add=["one", 1]),
            "one": derived("One", add=["two", 1]),
            "two": derived("Two", add=[{"multiply": ["one", 2]}, 1]),
        },
        "metrics > one > formula: refers to itself by way of one > two > one; name other metrics.",
    ),
    "a metric made of itself": (
        {"one": derived("One", add=["one", 1])},
        "metrics > one > formula: refers to itself by way of one > one; name other metrics.",
    ),
    "a missing governance field": (
        {"revenue": metric(without=["risk_if_misread"])},
        "metrics > revenue > risk_if_misread: is missing; accepted: text.",
    ),
    "a missing choice": (
        {"revenue": metric(without=["good_direction"])},
        "metrics > revenue > good_direction: is missing; accepted: up, down, neutral.",
    ),
    "a blank governance field": (
        {"revenue": metric(purpose="  ")},
        "metrics > revenue > purpose: is '  '; accepted: a text that is not empty.",
    ),
    "a wrong type": ({"revenue": metric(label=5)}, "metrics > revenue > label: is 5; accepted: text."),
    "an unknown choice": (
        {"revenue": metric(unit="USD")},
        "metrics > revenue > unit: is 'USD'; accepted: 'money', 'count', 'rate', 'ratio', 'score', 'days', "
        "'months' or 'number'.",
    ),
    "an owner that is no team": (
        {"revenue": metric(owner="finance")},
        "metrics > revenue > owner: is 'finance'; accepted: text that matches ^team:[a-z-]+$.",
    ),
    "an unknown period": (
        {"revenue": metric(period="last_month")},
        "metrics > revenue > period: is 'last_month'; accepted: as_of, last_complete_month, current or "
        "{trailing_complete_months: n}.",
    ),
    "a period of no months": (
        {"revenue": metric(period={"trailing_complete_months": 0})},
        "metrics > revenue > period > trailing_complete_months: is 0; accepted: 1 or more.",
    ),
    "a period of months in words": (
        {"revenue": metric(period={"trailing_complete_months": "three"})},
        "metrics > revenue > period > trailing_complete_months: is 'three'; accepted: a whole number.",
    ),
    "a formula written as a string": (
        {"revenue": metric(formula="sum(amount)")},
        "metrics > revenue > formula: is 'sum(amount)'; a formula is a mapping such as {sum: mrr_end}; "
        f"accepted keys: {FORMULA_KEYS}.",
    ),
    "an unknown aggregation": (
        {"revenue": metric(formula={"median": "amount"})},
        f"metrics > revenue > formula: accepted keys: {FORMULA_KEYS}.",
    ),
    "two aggregations": (
        {"revenue": metric(formula={"sum": "amount", "mean": "amount"})},
        "metrics > revenue > formula: needs exactly one of sum, mean, count, count_distinct, min, max.",
    ),
    "a filter on a column of another type": (
        {"revenue": metric(formula=where("plan", "equals", 5))},
        "metrics > revenue > formula: where > plan: 5 cannot be compared with a column of type string; accepted: text.",
    ),
    "a filter on an unknown column": (
        {"revenue": metric(formula=where("plann", "equals", "Scale"))},
        "metrics > revenue > formula: where: sales has no column 'plann'; accepted: month, amount, plan, seats, is_new.",
    ),
    "a filter without its list": (
        {"revenue": metric(formula=where("plan", "in", "Scale"))},
        "metrics > revenue > formula > where > 1: in needs a list of at least one value.",
    ),
    "a filter written as a string": (
        {"revenue": metric(formula={"sum": "amount", "where": "plan = Scale"})},
        "metrics > revenue > formula > where: is 'plan = Scale'; accepted: a list.",
    ),
    "an alias of two metrics": (
        {"revenue": metric(aliases=["MRR"]), "other": metric("Other", aliases=["mrr"])},
        "metrics > other > aliases: 'mrr' already names revenue; accepted: a name of its own.",
    ),
    "an alias that is another metric's name": (
        {"revenue": metric(aliases=["other"]), "other": metric("Other")},
        "metrics > revenue > aliases: 'other' already names other; accepted: a name of its own.",
    ),
    "a label of two metrics": (
        {"revenue": metric(), "other": metric()},
        "metrics > other > label: 'Revenue' already names revenue; accepted: a name of its own.",
    ),
    "an unknown key": (
        {"revenue": metric(ownr="team:finance")},
        f"metrics > revenue > ownr: is not a known key; accepted: {METRIC_KEYS}.",
    ),
    "an unknown key of a measure": (
        {"revenue": metric(formula={"sum": "amount", "when": []})},
        "metrics > revenue > formula > when: is not a known key; accepted: sum, mean, count, count_distinct, min, "
        "max, where, label, unit.",
    ),
    "a metric's name in capitals": (
        {"Revenue": metric()},
        "metrics > Revenue: is 'Revenue'; accepted: text that matches ^[a-z][a-z0-9_]*$.",
    ),
    "the sum of a text column": (
        {"revenue": metric(formula={"sum": "plan"})},
        "metrics > revenue > formula: sum needs a number; 'plan' is string; accepted: amount, seats.",
    ),
    "the smallest of a text column": (
        {"revenue": metric(formula={"min": "plan"})},
        "metrics > revenue > formula: min needs a number; 'plan' is string; accepted: amount, seats.",
    ),
    "current on a monthly model": (
        {"revenue": metric(period="current")},
        "metrics > revenue > period: sales has a row for every month; accepted: as_of, last_complete_month, "
        "trailing_complete_months.",
    ),
    "a month of a snapshot": (
        {"revenue": metric(model="stock")},
        "metrics > revenue > period: stock has no months; accepted: current.",
    ),
    "counted_by an unknown metric": (
        {"revenue": metric(counted_by="customers")},
        "metrics > revenue > counted_by: is 'customers'; accepted: revenue.",
    ),
    "too few operands": (
        {"revenue": metric(), "share": derived(divide=["revenue"])},
        "metrics > share > formula: divide takes 2 operands, not 1.",
    ),
    "too few operands, deep inside": (
        {"revenue": metric(), "share": derived(divide=["revenue", {"add": ["revenue"]}])},
        "metrics > share > formula > divide > 2: add takes at least 2 operands, not 1.",
    ),
    "an operand that is a list": (
        {"revenue": metric(), "share": derived(add=["revenue", ["revenue"]])},
        "metrics > share > formula > add > 2: is ['revenue']; an operand is a metric's name, a number or further "
        "arithmetic such as {add: [...]}.",
    ),
    "an operand that is no number": (
        {"revenue": metric(), "share": derived(multiply=["revenue", float("nan")])},
        "metrics > share > formula > multiply > 2: is nan; an operand is a metric's name, a number or further "
        "arithmetic such as {add: [...]}.",
    ),
    "arithmetic without a metric": (
        {"revenue": metric(), "three": derived(add=[1, 2])},
        "metrics > three > formula: refers to no metric; name at least one of: revenue, three.",
    ),
    "a ratio without its denominator": (
        {"revenue": metric(formula={"ratio": {"numerator": {"sum": "amount"}}})},
        "metrics > revenue > formula > denominator: is missing; accepted: a mapping of names to values.",
    ),
    "a mistake in a ratio's part": (
        {"revenue": metric(formula={"ratio": {"numerator": {"sum": "amount", "unit": "$"}, "denominator": {"sum": "amount"}}})},
        "metrics > revenue > formula > ratio > numerator > unit: is '$'; accepted: 'money' or 'count'.",
    ),
    "a measure without a period": (
        {"revenue": metric(without=["period"])},
        "metrics > revenue: model and period are needed beside a measure or a ratio.",
    ),
    "arithmetic with a period": (
        {"revenue": metric(), "double": metric("Double", formula={"multiply": ["revenue", 2]})},
        "metrics > double: a derived formula takes model and period from its operands; leave them out.",
    ),
    "a benchmark without its source": (
        {"revenue": metric(benchmark={"text": "4 or more"})},
        "metrics > revenue > benchmark > source: is missing; accepted: text.",
    ),
    "no metrics": ({}, "metrics: is {}; accepted: at least 1 of them."),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_with_its_place_and_what_is_accepted(given, tmp_path, mistake):
    metrics, said = MISTAKES[mistake]
    with pytest.raises(RulesError) as caught:
        given(**metrics)
    assert str(caught.value).splitlines() == [
        f"metric_catalog.yaml cannot be used ({tmp_path / 'metric_catalog.yaml'}):",
        f"  {said}",
    ]


def test_every_mistake_is_said_at_once(given):
    with pytest.raises(RulesError) as caught:
        given(
            revenue=metric(formula={"sum": "amout"}),
            other=metric("Other", period="current"),
            third=metric("Third", formula=where("seats", "in", [1, "x"])),
        )
    assert [line.split(":")[0] for line in str(caught.value).splitlines()[1:]] == [
        "  metrics > revenue > formula",
        "  metrics > other > period",
        "  metrics > third > formula",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "metric_catalog.yaml is empty; a mapping of names to values is expected"),
        ("metrics: [", "metric_catalog.yaml is not valid YAML"),
        ("metrics:\n  revenue: {}\n  revenue: {}\n", "line 3: 'revenue' is defined twice."),
        ("metrics: []\nactivation_threshold: 5\n", "metrics: is []; accepted: a mapping of names to values."),
        ("metrics: {revenue: sum(amount)}\nactivation_threshold: 5\n", "metrics > revenue: is 'sum(amount)'; accepted: a mapping of names to values."),
        ("metrics: {}\n", "activation_threshold: is missing; accepted: a whole number."),
        ("activation_threshold: -1\nmetrics: {}\n", "activation_threshold: is -1; accepted: 0 or more."),
    ],
)  # fmt: skip
def test_a_file_that_is_no_catalog_is_refused(tmp_path, text, said):
    with pytest.raises(RulesError) as caught:
        load_text(tmp_path, text)
    assert said in str(caught.value)
    assert str(tmp_path / "metric_catalog.yaml") in str(caught.value)


def test_the_catalog_that_comes_with_the_program_fits_its_models():
    check_models(RULES.metric_catalog, {name: unbound(name) for name in OURS}, RULES.path("metric_catalog"))
    assert {"monthly_recurring_revenue", "customer_churn_rate"} <= set(RULES.metric_catalog.metrics)


def test_the_catalog_is_validated_against_the_models_it_is_given():
    """The test above would pass if nothing were compared."""
    models = {name: unbound(name) for name in OURS}
    models["customer_months"] = models["customer_months"].drop("mrr_end")
    with pytest.raises(
        RulesError, match="monthly_recurring_revenue > formula: customer_months has no column 'mrr_end'"
    ):
        check_models(RULES.metric_catalog, models, RULES.path("metric_catalog"))
