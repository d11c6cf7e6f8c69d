"""Where a column comes from, read off small expressions."""

import ibis
import pytest
from ibis import _

from resources.lineage import carrying_columns, column_sources, origins, reached_columns, text

ORDERS = ibis.table({"order_id": "string", "customer_id": "string", "amount": "int64", "day": "date"}, name="orders")
CUSTOMERS = ibis.table({"customer_id": "string", "segment": "string", "parent_id": "string"}, name="customers")
REFUNDS = ibis.table({"order_id": "string", "amount": "int64"}, name="refunds")


def of(table, column):
    """The sources of a column as `table.column` texts."""
    return sorted(f"{source}.{name}" for source, name in column_sources(table)[column])


def test_a_column_is_its_own_source():
    assert column_sources(REFUNDS) == {"order_id": {("refunds", "order_id")}, "amount": {("refunds", "amount")}}


def test_names_do_not_matter_values_do():
    table = ORDERS.rename(total="amount").mutate(
        total=_.total * 2, label=_.order_id + _.customer_id, one=ibis.literal(1)
    )
    assert of(table, "total") == ["orders.amount"]
    assert of(table, "label") == ["orders.customer_id", "orders.order_id"]
    assert of(table, "one") == []


def test_filters_sorting_and_distinct_choose_rows_and_are_no_source():
    table = ORDERS.filter(_.customer_id == "C1").order_by("day").distinct().limit(5).select("amount")
    assert of(table, "amount") == ["orders.amount"]


def test_the_keys_of_a_join_are_no_source_of_other_columns():
    table = ORDERS.left_join(CUSTOMERS, "customer_id").select("segment", "amount", "customer_id_right")
    assert of(table, "segment") == ["customers.segment"]
    assert of(table, "amount") == ["orders.amount"]
    assert of(table, "customer_id_right") == ["customers.customer_id"]


def test_a_value_from_both_sides_of_a_join():
    table = ORDERS.join(REFUNDS, "order_id", rname="{name}_refunded").mutate(net=_.amount - _.amount_refunded)
    assert of(table, "net") == ["orders.amount", "refunds.amount"]


@pytest.mark.parametrize("combine", [ibis.union, ibis.intersect, ibis.difference])
def test_sets_have_the_sources_of_both(combine):
    both = combine(ORDERS.select("order_id", "amount"), REFUNDS)
    assert of(both, "amount") == ["orders.amount", "refunds.amount"]
    assert of(both, "order_id") == ["orders.order_id", "refunds.order_id"]


def test_an_aggregate_has_what_it_adds_up_and_what_decides_what_is_added():
    table = ORDERS.group_by("customer_id").aggregate(
        total=_.amount.sum(), big=_.amount.sum(where=_.day > ibis.date(2026, 1, 1)), kinds=_.order_id.nunique(), rows=_.count()
    )  # fmt: skip
    assert of(table, "customer_id") == ["orders.customer_id"]
    assert of(table, "total") == ["orders.amount"]
    assert of(table, "big") == ["orders.amount", "orders.day"]
    assert of(table, "kinds") == ["orders.order_id"]
    assert of(table, "rows") == []


def test_a_window_is_its_function_not_its_partition_or_order():
    window = ibis.window(group_by="customer_id", order_by="day")
    table = ORDERS.mutate(before=_.amount.lag(1).over(window), place=ibis.row_number().over(window))
    assert of(table, "before") == ["orders.amount"]
    assert of(table, "place") == []


def test_a_table_joined_to_itself():
    parent = CUSTOMERS.view()
    table = CUSTOMERS.join(parent, CUSTOMERS.parent_id == parent.customer_id).select(
        CUSTOMERS.customer_id, parent_segment=parent.segment
    )
    assert of(table, "parent_segment") == ["customers.segment"]
    assert of(table, "customer_id") == ["customers.customer_id"]


def test_conditions_that_decide_a_value_are_sources_of_it():
    table = ORDERS.mutate(kind=ibis.cases((_.amount > 100, "large"), (_.day.isnull(), "undated"), else_="small"))
    assert of(table, "kind") == ["orders.amount", "orders.day"]


def test_a_scalar_of_another_table():
    table = ORDERS.mutate(share=_.amount / REFUNDS.amount.sum().as_scalar())
    assert of(table, "share") == ["orders.amount", "refunds.amount"]


def test_a_small_table_made_in_python_is_no_source():
    names = ibis.memtable({"order_id": ["O1"], "label": ["first"]})
    table = ORDERS.join(names, "order_id").select("amount", "label")
    assert (of(table, "label"), of(table, "amount")) == ([], ["orders.amount"])


def test_a_long_way_from_the_source():
    table = (
        ORDERS.mutate(twice=_.amount * 2)
        .group_by("customer_id")
        .aggregate(total=_.twice.sum())
        .join(CUSTOMERS, "customer_id")
        .group_by("segment")
        .aggregate(most=_.total.max())
        .mutate(known=_.most.fill_null(0) + 1)
    )
    assert of(table, "known") == ["orders.amount"]
    assert of(table, "segment") == ["customers.segment"]


def test_origins_are_followed_through_the_tables_that_are_made_of_others():
    totals = ORDERS.group_by("customer_id").aggregate(total=_.amount.sum(), first=_.day.min())
    made = {"totals": totals, "shares": ibis.table(totals.schema(), name="totals").mutate(share=_.total / 2)}
    columns = {("shares", "share"), ("refunds", "amount")}
    assert origins(columns, made) == {("orders", "amount"), ("refunds", "amount")}
    assert origins({("shares", "first")}, made) == {("orders", "day")}


PEOPLE = ibis.table({"customer_id": "string", "name": "string", "day": "date"}, name="people")
MARKED = {"people": {"name"}}


def test_words_reach_texts_lists_and_json_but_no_count_and_no_question_about_them():
    table = PEOPLE.group_by("customer_id").aggregate(
        title=("Call " + _.name).max(),
        names=_.name.collect(),
        named=_.name.count(),
        length=_.name.length().sum(),
        state=ibis.cases((_.name.count() > 2, "many"), else_="few"),
        day=_.day.max().cast("string"),
    )
    assert carrying_columns(table, MARKED) == {"title", "names"}
    assert column_sources(table)["state"] == {("people", "name")}
    assert column_sources(table, text)["named"] == set()


def test_a_name_that_is_a_member_of_a_dimension_is_still_a_name():
    sliced = [
        PEOPLE.group_by(member=PEOPLE[column]).aggregate(customers=_.count()).mutate(dimension=ibis.literal(column))
        for column in ("customer_id", "name")
    ]
    assert carrying_columns(ibis.union(*sliced), MARKED) == {"member"}


def test_marks_travel_from_table_to_table():
    plan = PEOPLE.select("customer_id", title="Call " + _.name)
    changes = ibis.table(plan.schema(), name="plan").mutate(change=ibis.ifelse(_.title.isnull(), "New", "Gone"))
    assert reached_columns(MARKED, {"plan": plan, "changes": changes}) == {
        "people": {"name"},
        "plan": {"title"},
        "changes": {"title"},
    }
