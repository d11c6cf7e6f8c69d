"""`productpulse explain`: the tree of a customer's decisions as text."""

import re

import duckdb
import pytest

from resources.duckdb_connection import open_read_only
from resources.home import Home
from resources.tables import rows_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def snapshot(good_run, good_home):
    return open_read_only(Home(good_home).published)


def first(snapshot, table, **wanted):
    found = snapshot.table(table)
    for name, value in wanted.items():
        found = found.filter(found[name] == value)
    return rows_of(found.limit(1))[0]


def one_line(result):
    """The output on one line, because `explain` wraps long lines."""
    return re.sub(r"\s+", " ", result.stdout)


def test_an_action_is_explained_by_its_rules_signals_and_rows(productpulse, snapshot, good_home):
    advice = first(snapshot, "recommendations", trigger="churn_risk")
    result = productpulse("explain", advice["customer_id"], "--home", good_home)
    assert result.exit_code == 0
    text = one_line(result)
    assert advice["recommendation_title"] in text
    assert f"because of the recommendation {advice['rule_id']} " in text
    evidence = rows_of(snapshot.table("churn_evidence").filter(lambda t: t.customer_id == advice["customer_id"]))
    assert evidence
    for hit in evidence:
        assert f"because of the rule {hit['rule_id']}: {hit['explanation']}, weight {float(hit['weight']):g}" in text
    assert re.search(r"from \d+ rows? of \w+, ", text)


def test_leakage_is_explained_by_its_transactions(productpulse, snapshot, good_home):
    case = first(snapshot, "revenue_leakage", leakage_type="Failed Payment")
    text = one_line(productpulse("explain", case["customer_id"], "--home", good_home))
    assert f"because of Failed Payment: {case['explanation']}" in text
    for transaction in case["transaction_ids"].split(",")[:3]:
        assert f"transaction_id {transaction}" in text


def test_a_customer_without_an_action_shows_what_is_known(productpulse, snapshot, good_home):
    profiles, plan = snapshot.table("churn_risk_profiles"), snapshot.table("intervention_plan")
    quiet = rows_of(profiles.filter(profiles.rules_fired == 0).anti_join(plan, "customer_id").limit(1))[0]
    text = one_line(productpulse("explain", quiet["customer_id"], "--home", good_home))
    assert "No rule asks for an intervention." in text
    assert f"{quiet['signals_known']} of {quiet['signals_total']} signals are known." in text


def test_a_customer_is_found_by_name_whatever_its_case(productpulse, snapshot, good_home):
    customers = snapshot.table("customers")
    unique = customers.group_by("company_name").aggregate(n=customers.count()).filter(lambda t: t.n == 1)
    customer = rows_of(customers.semi_join(unique, "company_name").order_by("customer_id").limit(1))[0]
    text = one_line(productpulse("explain", customer["company_name"].upper(), "--home", good_home))
    assert text.startswith(" ".join(f"{customer['company_name']} ({customer['customer_id']}), as of".split()))


def test_an_unknown_customer_gives_similar_names(productpulse, snapshot, good_home):
    name = first(snapshot, "customers")["company_name"].split()[0]
    result = productpulse("explain", name, "--home", good_home)
    assert result.exit_code == 2
    assert f"There is no customer '{name}'. Did you mean:" in result.stderr
    assert f"{name} " in result.stderr.split("Did you mean:")[1]


def test_without_a_snapshot_the_error_says_what_to_run(productpulse, tmp_path):
    result = productpulse("explain", "C-1", "--home", tmp_path)
    assert result.exit_code == 1
    assert "productpulse run" in result.stderr


def change_snapshot(home, *statements):
    """Run SQL statements in the home's snapshot; returns the home."""
    with duckdb.connect(str(Home(home).published)) as database:
        for statement, *values in statements:
            database.execute(statement, values)
    return home


def test_a_snapshot_without_a_table_is_an_error(productpulse, snapshot, home):
    customer = first(snapshot, "intervention_plan")["customer_id"]
    result = productpulse("explain", customer, "--home", change_snapshot(home, ("DROP TABLE subscriptions",)))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "has no table subscriptions" in result.stderr and "productpulse run" in result.stderr


def test_a_file_that_is_not_a_snapshot_is_an_error(productpulse, tmp_path):
    file = Home(tmp_path).published
    file.parent.mkdir(parents=True)
    file.write_text("not a database")
    result = productpulse("explain", "C-1", "--home", tmp_path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{file} cannot be read" in result.stderr and "productpulse run" in result.stderr


BLOCKS_FROM, BLOCK = 12_288, 262_144
"""Where a DuckDB file's blocks begin, and how long each is, in bytes."""


def test_a_snapshot_with_a_damaged_block_is_an_error(productpulse, home):
    file = Home(home).published
    with duckdb.connect(str(file), read_only=True) as database:
        stored = "SELECT block_id FROM pragma_storage_info('customers') WHERE persistent"
        ((block,), *_rest) = database.execute(stored).fetchall()
    with file.open("r+b") as content:
        content.seek(BLOCKS_FROM + block * BLOCK + 1000)
        content.write(b"damaged")
    result = productpulse("explain", "C-1", "--home", home)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{file} cannot be read" in result.stderr and "productpulse run" in result.stderr


HOSTILE = "Evil\x1b[2J\x1b]0;title\x07\nInc\r\u202e" + "x" * 10_000
"""Clears the screen, renames the window, breaks the line, reverses the text direction, and is very long."""


def test_text_from_data_cannot_control_the_terminal(productpulse, snapshot, home):
    customer = first(snapshot, "intervention_plan")["customer_id"]
    renamed = [
        (f"UPDATE {table} SET {column} = ? WHERE customer_id = ?", HOSTILE, customer)
        for table, column in (
            ("customers", "company_name"),
            ("customer_360", "company_name"),
            ("customer_360", "segment"),
            ("intervention_plan", "recommendation_title"),
            ("intervention_plan", "suggested_owner"),
            ("intervention_plan", "expected_action"),
            ("subscriptions", "plan"),
            ("product_usage", "usage_id"),
        )
    ]
    changed = change_snapshot(home, *renamed)
    explained = productpulse("explain", customer, "--home", changed)
    similar = productpulse("explain", "evil", "--home", changed)
    unknown = productpulse("explain", HOSTILE + "y", "--home", changed)
    assert (
        explained.stdout.startswith("Evil[2J]0;title Inc xxx")
        and f"({customer}), as of" in explained.stdout.split("\n")[0]
    )
    assert "Did you mean: Evil[2J]0;title Inc xxx" in similar.stderr
    assert "There is no customer 'Evil\\x1b[2J\\x1b]0;title\\x07\\nInc\\r\\u202exxx" in unknown.stderr
    for line in (explained.stdout + similar.stderr + unknown.stderr).split("\n"):
        assert re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", line) is None
        assert len(line) < 2000


def test_a_run_ends_with_the_three_most_urgent_actions(good_run, snapshot):
    plan = rows_of(snapshot.table("intervention_plan").order_by("priority_rank").limit(4))
    for row in plan[:3]:
        assert f"  {row['priority_rank']}. {row['recommendation_title']} (" in good_run.stdout
    assert plan[3]["recommendation_title"] not in good_run.stdout
    assert f"productpulse explain {plan[0]['customer_id']}" in good_run.stdout
