"""`productpulse explain`: the tree of a customer's decisions, on a terminal."""

import re

import pytest

from productpulse_assets.telling import read_only
from resources.settings import Home
from resources.tables import rows_of


@pytest.fixture(scope="module")
def snapshot(good_run, good_home):
    return read_only(Home(good_home).published)


def first(snapshot, table, **wanted):
    found = snapshot.table(table)
    for name, value in wanted.items():
        found = found.filter(found[name] == value)
    return rows_of(found.limit(1))[0]


def said(result):
    """The output on one line, so that wrapping does not matter."""
    return re.sub(r"\s+", " ", result.stdout)


def test_an_action_is_followed_to_the_rule_the_signal_and_the_rows(productpulse, snapshot, good_home):
    advice = first(snapshot, "recommendations", trigger="churn_risk")
    result = productpulse("explain", advice["customer_id"], "--home", good_home)
    assert result.exit_code == 0
    text = said(result)
    assert advice["recommendation_title"] in text
    assert f"because of the recommendation {advice['rule_id']} " in text
    evidence = rows_of(snapshot.table("churn_evidence").filter(lambda t: t.customer_id == advice["customer_id"]))
    assert evidence
    for hit in evidence:
        assert f"because of the rule {hit['rule_id']}: {hit['explanation']}, weight {float(hit['weight']):g}" in text
    assert re.search(r"from \d+ rows? of \w+, ", text)


def test_leakage_is_followed_to_its_transactions(productpulse, snapshot, good_home):
    case = first(snapshot, "revenue_leakage", leakage_type="Failed Payment")
    text = said(productpulse("explain", case["customer_id"], "--home", good_home))
    assert f"because of Failed Payment: {case['explanation']}" in text
    for transaction in case["transaction_ids"].split(",")[:3]:
        assert f"transaction_id {transaction}" in text


def test_a_customer_without_an_action_says_what_is_known(productpulse, snapshot, good_home):
    profiles, plan = snapshot.table("churn_risk_profiles"), snapshot.table("intervention_plan")
    quiet = rows_of(profiles.filter(profiles.rules_fired == 0).anti_join(plan, "customer_id").limit(1))[0]
    text = said(productpulse("explain", quiet["customer_id"], "--home", good_home))
    assert "No rule asks for an intervention." in text
    assert f"{quiet['signals_known']} of {quiet['signals_total']} signals are known." in text


def test_a_customer_is_found_by_name_whatever_its_case(productpulse, snapshot, good_home):
    customers = snapshot.table("customers")
    unique = customers.group_by("company_name").aggregate(n=customers.count()).filter(lambda t: t.n == 1)
    customer = rows_of(customers.semi_join(unique, "company_name").order_by("customer_id").limit(1))[0]
    text = said(productpulse("explain", customer["company_name"].upper(), "--home", good_home))
    assert text.startswith(" ".join(f"{customer['company_name']} ({customer['customer_id']}), as of".split()))


def test_an_unknown_customer_is_answered_with_names_that_come_near(productpulse, snapshot, good_home):
    name = first(snapshot, "customers")["company_name"].split()[0]
    result = productpulse("explain", name, "--home", good_home)
    assert result.exit_code == 2
    assert f"There is no customer '{name}'. Did you mean:" in result.stderr
    assert f"{name} " in result.stderr.split("Did you mean:")[1]


def test_without_a_snapshot_it_says_what_to_run(productpulse, tmp_path):
    result = productpulse("explain", "C-1", "--home", tmp_path)
    assert result.exit_code == 1
    assert "productpulse run" in result.stderr


def test_a_run_ends_with_the_three_most_urgent_actions(good_run, snapshot):
    plan = rows_of(snapshot.table("intervention_plan").order_by("priority_rank").limit(4))
    for row in plan[:3]:
        assert f"  {row['priority_rank']}. {row['recommendation_title']} (" in good_run.stdout
    assert plan[3]["recommendation_title"] not in good_run.stdout
    assert f"productpulse explain {plan[0]['customer_id']}" in good_run.stdout
