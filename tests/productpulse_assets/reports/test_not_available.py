"""Every report shows what is not available with the reason, and never as 0."""

import ibis
import pytest
from ibis import _

from productpulse_assets.reports.business_questions import complete_answer, listing_lines, not_available_notes
from resources.duckdb_connection import open_read_only
from resources.home import Home
from rules.questions import Listing, Question
from tests.productpulse_assets.reports.build_report import build_report, with_changes, with_values
from tests.productpulse_assets.reports.rendered import page

REASON = "Needs the dataset transactions, which is absent."
UNKNOWN_RISK = with_values(is_at_risk=None, revenue_at_risk=None, risk_band="Low", risk_score=0.0)
UNKNOWN_LEAKAGE = with_values(
    cases=None, customers=None, estimated_revenue_loss=None, share_of_loss=None, not_available_reason=REASON
)


def no_rows(table):
    return table.limit(0)


@pytest.fixture(scope="module")
def snapshot(good_run, good_home):
    return open_read_only(Home(good_home).published)


@pytest.fixture(scope="module")
def without_signals(snapshot):
    """The text of a report if neither churn risk nor leakage is known."""
    changes = with_changes(
        churn_risk_profiles=UNKNOWN_RISK, leakage_summary=UNKNOWN_LEAKAGE, revenue_leakage=no_rows,
        churn_evidence=no_rows, intervention_plan=no_rows,
    )  # fmt: skip
    return lambda name: page(build_report(name, snapshot, changes)).text


@pytest.mark.parametrize("name", ["executive_summary", "intervention_plan"])
def test_an_empty_plan_lists_what_was_not_assessed(without_signals, snapshot, name):
    text = without_signals(name)
    customers = int(snapshot.table("churn_risk_profiles").count().execute())
    assert "No intervention is recommended." in text
    assert f"The churn risk of {customers:,} paying customers: too few signals are known." in text
    assert f"Unpaid Active Subscription: {REASON}" in text


def test_a_low_band_from_few_signals_is_not_shown_as_low_risk(without_signals):
    text = without_signals("risk_register")
    assert "A low band does not mean low risk there." in text
    assert ": too few signals are known to tell whether they are at risk." in text
    assert "not at risk by the rules" not in text and "No customer is at risk" not in text
    assert text.count(f"Not available. {REASON}") == 6


def test_a_plan_with_interventions_lists_what_was_not_assessed_too(snapshot):
    text = page(build_report("intervention_plan", snapshot, with_changes(leakage_summary=UNKNOWN_LEAKAGE))).text
    assert "interventions about $" in text and f"Unpaid Active Subscription: {REASON}" in text


def test_absent_datasets_and_columns_are_listed(snapshot):
    changes = with_changes(
        data_quality_scores=lambda table: table.mutate(
            is_available=table.dataset != "targets",
            rows_kept=ibis.ifelse(table.dataset == "nps_scores", 0, _.rows_kept),
        ),
        source_inventory=lambda table: table.mutate(
            columns_absent=ibis.cases((table.dataset == "customers", "country, is_active"), else_="")
        ),
    )
    text = page(build_report("data_quality_report", snapshot, changes)).text
    assert "targets: the dataset is absent." in text
    assert "nps_scores: the dataset has no rows." in text
    assert "customers: the optional columns country, is_active are absent." in text
    assert "No dataset or column is absent." not in text


def test_a_dimension_with_one_member_is_not_compared(snapshot):
    one = with_changes(revenue_drivers=lambda table: table.filter(_.dimension != "country").union(
        table.filter(_.dimension == "country").limit(1)
    ))  # fmt: skip
    text = page(build_report("executive_summary", snapshot, one)).text
    assert "Not compared, since all customers have the same value or none: country." in text


LISTING = Listing(table="leakage_summary", order_by="loss", descending=True, top=3, line="{kind}: {loss}")


def kinds(*rows):
    names = ("kind", "loss", "not_available_reason")
    return {"leakage_summary": ibis.memtable([dict(zip(names, row, strict=True)) for row in rows], schema={
        "kind": "string", "loss": "int64", "not_available_reason": "string",
    })}  # fmt: skip


def test_lists_leave_out_rows_with_0_and_give_reasons_for_unknown_rows():
    tables = kinds(("A", 5, None), ("B", 0, None), ("C", None, REASON), ("D", None, REASON))
    assert listing_lines(LISTING, tables, "USD") == ["A: 5"]
    assert not_available_notes(LISTING, tables) == [f"Not available: 2 of 4. {REASON}"]
    assert not_available_notes(None, tables) == []


@pytest.mark.parametrize(
    ("answer", "lines", "text"),
    [
        ("$5 leaks. By kind:", ["A: 5"], "$5 leaks. By kind:"),
        ("$0 leaks. By kind:", [], "$0 leaks. By kind: none."),
        ("Not available: MRR. Why.", ["A: 5"], "Not available: MRR. Why. This much is known:"),
        ("Not available: MRR. Why.", [], "Not available: MRR. Why."),
    ],
)
def test_an_answer_introduces_the_list_below_it(answer, lines, text):
    item = Question(question="?", owner="team:data", metrics=["m"], tables=["t"], answer="a", listing=LISTING)
    assert complete_answer(item, answer, lines) == text
    assert complete_answer(item.model_copy(update={"listing": None}), answer, lines) == answer
