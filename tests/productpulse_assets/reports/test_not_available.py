"""What is not known is said to be so in every report, with its reason, and is never 0."""

import ibis
import pytest
from ibis import _

from productpulse_assets.reports.business_questions import answer_before, first_lines, left_out
from resources.duckdb_connection import open_read_only
from resources.home import Home
from rules.questions import Listing, Question
from tests.productpulse_assets.reports.papers import having, with_changes, written
from tests.productpulse_assets.reports.rendered import page

REASON = "Needs the dataset transactions, which is absent."
UNKNOWN_RISK = having(is_at_risk=None, revenue_at_risk=None, risk_band="Low", risk_score=0.0)
UNKNOWN_LEAKAGE = having(
    cases=None, customers=None, estimated_revenue_loss=None, share_of_loss=None, not_available_reason=REASON
)


def nothing(table):
    return table.limit(0)


@pytest.fixture(scope="module")
def snapshot(good_run, good_home):
    return open_read_only(Home(good_home).published)


@pytest.fixture(scope="module")
def without_signs(snapshot):
    """A report of a company of which neither risk nor leakage is known."""
    changes = with_changes(
        churn_risk_profiles=UNKNOWN_RISK, leakage_summary=UNKNOWN_LEAKAGE, revenue_leakage=nothing,
        churn_evidence=nothing, intervention_plan=nothing,
    )  # fmt: skip
    return lambda name: page(written(name, snapshot, changes)).text


@pytest.mark.parametrize("name", ["executive_summary", "intervention_plan"])
def test_a_plan_with_nothing_in_it_says_what_was_not_looked_at(without_signs, snapshot, name):
    text = without_signs(name)
    customers = int(snapshot.table("churn_risk_profiles").count().execute())
    assert "Nothing in the data asks for an intervention." in text
    assert f"The churn risk of {customers:,} paying customers: too few of the signals are known." in text
    assert f"Unpaid Active Subscription: {REASON}" in text


def test_a_low_band_from_too_little_is_no_sign_of_health(without_signs):
    text = without_signs("risk_register")
    assert "A low band from so little is no sign of health." in text
    assert "of whom too little is known to say whether they are at risk" in text
    assert "not at risk by the rules" not in text and "No customer is at risk" not in text
    assert text.count(f"Not available. {REASON}") == 6


def test_a_plan_with_something_in_it_names_what_was_not_looked_at_too(snapshot):
    text = page(written("intervention_plan", snapshot, with_changes(leakage_summary=UNKNOWN_LEAKAGE))).text
    assert "interventions about $" in text and f"Unpaid Active Subscription: {REASON}" in text


def test_absent_datasets_and_columns_are_named(snapshot):
    changes = with_changes(
        data_quality_scores=lambda table: table.mutate(
            is_available=table.dataset != "targets",
            rows_kept=ibis.ifelse(table.dataset == "nps_scores", 0, _.rows_kept),
        ),
        source_inventory=lambda table: table.mutate(
            columns_absent=ibis.cases((table.dataset == "customers", "country, is_active"), else_="")
        ),
    )
    text = page(written("data_quality_report", snapshot, changes)).text
    assert "targets: the dataset is absent." in text
    assert "nps_scores: the dataset has no rows." in text
    assert "customers: the optional columns country, is_active are absent." in text
    assert "Every dataset and column is there." not in text


def test_where_all_customers_are_alike_nothing_is_explained(snapshot):
    one = with_changes(revenue_drivers=lambda table: table.filter(_.dimension != "country").union(
        table.filter(_.dimension == "country").limit(1)
    ))  # fmt: skip
    text = page(written("executive_summary", snapshot, one)).text
    assert "By country all customers are the same or not known, so that it explains nothing." in text


LISTING = Listing(table="leakage_summary", order_by="loss", descending=True, top=3, line="{kind}: {loss}")


def kinds(*rows):
    names = ("kind", "loss", "not_available_reason")
    return {"leakage_summary": ibis.memtable([dict(zip(names, row, strict=True)) for row in rows], schema={
        "kind": "string", "loss": "int64", "not_available_reason": "string",
    })}  # fmt: skip


def test_lists_leave_out_what_is_nothing_and_say_what_is_not_known():
    tables = kinds(("A", 5, None), ("B", 0, None), ("C", None, REASON), ("D", None, REASON))
    assert first_lines(LISTING, tables, "USD") == ["A: 5"]
    assert left_out(LISTING, tables) == [f"Not available: 2 of 4. {REASON}"]
    assert left_out(None, tables) == []


@pytest.mark.parametrize(
    ("answer", "lines", "said"),
    [
        ("$5 leaks. By kind:", ["A: 5"], "$5 leaks. By kind:"),
        ("$0 leaks. By kind:", [], "$0 leaks. By kind: none."),
        ("Not available: MRR. Why.", ["A: 5"], "Not available: MRR. Why. What is known all the same:"),
        ("Not available: MRR. Why.", [], "Not available: MRR. Why."),
    ],
)
def test_an_answer_fits_the_list_below_it(answer, lines, said):
    item = Question(question="?", owner="team:data", metrics=["m"], tables=["t"], answer="a", listing=LISTING)
    assert answer_before(item, answer, lines) == said
    assert answer_before(item.model_copy(update={"listing": None}), answer, lines) == answer
