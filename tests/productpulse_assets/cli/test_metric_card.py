"""The metric card and the business questions: the right numbers are in the sentences."""

import pytest

from productpulse_assets.cli.metric_card import find_metric, sparkline
from rules.questions import Question, answer_text
from tests.errors import raises
from tests.graph import RULES


@pytest.mark.parametrize("text", ["monthly_recurring_revenue", "MRR", "mrr"])
def test_a_metric_is_found_by_name_label_or_alias(text):
    assert find_metric(RULES.metric_catalog, text) == "monthly_recurring_revenue"


def test_an_unknown_metric_is_not_found():
    with raises("metric.unknown"):
        find_metric(RULES.metric_catalog, "revenue per moon phase")


def test_a_sparkline_runs_from_the_lowest_to_the_highest():
    assert sparkline([0, 1, 2, 7]) == "▁▂▃█"
    assert sparkline([5, 5]) == "▁▁"


def row(value, **about):
    return {"value": value, "label": "MRR", "unit": "money", "change": None, "not_available_reason": None} | about


QUESTION = Question(
    question="How large?",
    owner="team:finance",
    metrics=["mrr"],
    tables=["kpi_summary"],
    answer="It is {mrr} ({mrr.change}).",
)


def test_an_answer_contains_the_numbers():
    assert answer_text(QUESTION, {"mrr": row(284090.0, change=-5100.0)}, "USD") == "It is $284,090 (-$5,100)."


def test_an_answer_without_its_metric_gives_the_metric_and_the_reason():
    unknown = {"mrr": row(None, not_available_reason="Needs the dataset subscriptions, which is absent.")}
    assert answer_text(QUESTION, unknown, "USD") == (
        "Not available: MRR. Needs the dataset subscriptions, which is absent."
    )


def test_every_shipped_question_has_numbers_in_its_answer():
    for question in RULES.business_questions.questions:
        assert "{" in question.answer, question.question
