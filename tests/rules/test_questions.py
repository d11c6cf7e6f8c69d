"""business_questions.yaml: what a question may name, and the sentences that answer it."""

from pathlib import Path

import pytest

from rules.questions import BusinessQuestions, Listing, Question, check_listings, check_metric_names, listing_line
from tests.errors import raises_problems
from tests.graph import RULES

PATH = Path("rules/business_questions.yaml")
CATALOG = RULES.metric_catalog.model_copy(
    update={"metrics": {name: RULES.metric_catalog.metrics[name] for name in ("paying_customers", "churned_customers")}}
)
TABLES = {"leakage_summary": ("leakage_type", "cases")}


def questions(answer="{paying_customers}", metrics=("paying_customers",), **listing):
    question = Question(
        question="How many?",
        owner="team:finance",
        metrics=list(metrics),
        tables=["kpi_summary"],
        answer=answer,
        listing=Listing(**{"table": "leakage_summary", "order_by": "cases", "top": 3, "line": "{cases}", **listing}),
    )
    return BusinessQuestions(questions=[question])


def test_questions_about_known_metrics_and_columns_pass():
    found = questions("{paying_customers} ({paying_customers.change})")
    check_metric_names(found, CATALOG, PATH)
    check_listings(found, TABLES, PATH)


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (questions(metrics=["nope"]), "questions > 1 > metrics: rules.unknown_metric"),
        (questions("{nope}"), "questions > 1 > answer: rules.unknown_placeholder"),
        (questions("{paying_customers"), "questions > 1 > answer: rules.braces"),
        (questions("{paying_customers:.0f}"), "questions > 1 > answer: rules.placeholder_format"),
    ],
)
def test_a_question_about_something_else_is_refused(found, problem):
    with raises_problems(problem):
        check_metric_names(found, CATALOG, PATH)


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (questions(table="targets"), "questions > 1 > listing > table: rules.unknown_table"),
        (questions(order_by="case"), "questions > 1 > listing > order_by: rules.unknown_column"),
        (questions(line="{case}"), "questions > 1 > listing > line: rules.unknown_placeholder"),
    ],
)
def test_a_listing_of_something_else_is_refused(found, problem):
    with raises_problems(problem):
        check_listings(found, TABLES, PATH)


def test_every_mistake_of_a_question_is_reported_at_once():
    with raises_problems(
        "questions > 1 > metrics: rules.unknown_metric", "questions > 1 > answer: rules.unknown_placeholder"
    ):
        check_metric_names(questions("{nope}", metrics=["nope"]), CATALOG, PATH)


def test_a_listing_line_has_the_values_of_the_row():
    listing = Listing(table="leakage_summary", order_by="cases", top=3, line="{leakage_type}: {cases}")
    assert listing_line(listing, {"leakage_type": "Refund", "cases": 1200}, "USD") == "Refund: 1,200"
