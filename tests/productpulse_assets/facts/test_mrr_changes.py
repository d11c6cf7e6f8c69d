"""The causes of expansion and contraction, worked out by hand."""

from tests.builders import calendar, dataset, rows
from tests.graph import with_mrr

CAUSES = ("quantity", "price", "plan", "addon", "discount")
OLD = {"start_date": "2026-01-01", "end_date": "2026-02-10", "status": "Expired"}
NEW = {"start_date": "2026-02-10"}


def causes(*subscriptions):
    """By cause the change of February, where it is not 0; there is no other change."""
    days = calendar("2026-01-01", "2026-04-30")
    tables = with_mrr(subscriptions=dataset("subscriptions", *subscriptions), calendar=days)
    found = rows(tables["mrr_changes"], "month", *(f"change_{cause}" for cause in CAUSES))
    assert [row[0] for row in found] == ["2026-02-01"] * len(found)
    return {cause: part for row in found for cause, part in zip(CAUSES, row[1:], strict=True) if part}


def test_seats_come_first_at_the_old_price_then_the_price_at_the_new_number_of_seats():
    before, after = OLD | {"quantity": 10, "monthly_price": 500}, NEW | {"quantity": 12, "monthly_price": 660}
    assert causes(before, after) == {"quantity": 100, "price": 60}
    assert causes(before, after | {"plan": "Scale"}) == {"quantity": 100, "plan": 60}
    assert causes(OLD | {"quantity": 12, "monthly_price": 660}, NEW | {"quantity": 10, "monthly_price": 500}) == {
        "quantity": -110,
        "price": -50,
    }


def test_without_seats_at_both_ends_all_is_price_or_plan():
    before, after = OLD | {"quantity": 10, "monthly_price": 500}, NEW | {"monthly_price": 660}
    assert causes(before, after) == {"price": 160}
    assert causes(before, after | {"plan": "Scale"}) == {"plan": 160}
    assert causes(OLD | {"plan": None}, NEW | {"plan": None, "monthly_price": 90}) == {"price": -10}


def test_a_third_of_a_cent_is_in_one_of_the_parts():
    before, after = OLD | {"quantity": 3, "monthly_price": 100}, NEW | {"quantity": 4, "monthly_price": 150}
    assert causes(before, after) == {"quantity": 33.33, "price": 16.67}
    assert causes(OLD | {"quantity": 0, "monthly_price": 100}, after) == {"quantity": 50}  # no price of a seat before


def test_discounts_and_add_ons_are_causes_of_their_own():
    before = OLD | {"monthly_price": 80, "discount_amount": 20}
    assert causes(before, NEW | {"monthly_price": 110}) == {"price": 10, "discount": 20}
    assert causes({"start_date": "2026-01-01"}, NEW | {"is_addon": True, "monthly_price": 30}) == {"addon": 30}
    assert causes({"start_date": "2026-01-01"}, OLD | {"is_addon": True, "monthly_price": 30}) == {"addon": -30}


def test_products_are_compared_with_themselves():
    first, second = {"product": "A", "quantity": 10, "monthly_price": 500}, {"product": "B", "monthly_price": 40}
    grown = first | {"quantity": 12, "monthly_price": 600}
    both = (OLD | first, NEW | grown, {"start_date": "2026-01-01"} | second)
    assert causes(*both) == {"quantity": 100}
    assert causes(OLD | first, NEW | grown, NEW | second) == {"quantity": 100, "plan": 40}


def test_who_comes_or_leaves_has_no_expansion():
    assert causes(NEW) == causes(OLD) == {}
    assert causes(OLD, NEW | {"start_date": "2026-02-20"}) == {}  # back within the month, at the same price
