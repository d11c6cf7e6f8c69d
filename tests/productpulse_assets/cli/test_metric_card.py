"""The metric card and the business questions: sentences with the right numbers in them."""

import pytest

from productpulse_assets.cli.metric_card import find, sparkline
from rules.questions import Question, answer_text
from tests.graph import RULES


@pytest.mark.parametrize("called", ["monthly_recurring_revenue", "MRR", "mrr"])
def test_a_metric_is_found_by_name_label_or_alias(called):
    assert find(RULES.metric_catalog, called) == "monthly_recurring_revenue"


def test_an_unknown_metric_is_not_found():
    assert find(RULES.metric_catalog, "revenue per moon phase") is None


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


def test_an_answer_has_the_numbers_in_it():
    assert answer_text(QUESTION, {"mrr": row(284090.0, change=-5100.0)}, "USD") == "It is $284,090 (-$5,100)."


def test_an_answer_that_lacks_a_metric_says_which_and_why():
    unknown = {"mrr": row(None, not_available_reason="Needs the dataset subscriptions, which is absent.")}
    assert answer_text(QUESTION, unknown, "USD") == (
        "Not available: MRR. Needs the dataset subscriptions, which is absent."
    )


def test_every_question_that_comes_along_can_be_answered():
    for question in RULES.business_questions.questions:
        assert "{" in question.answer, question.question
