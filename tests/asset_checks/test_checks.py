"""A check reads its inputs by name and yields the results that were asked for."""

import dagster as dg

from asset_checks.checks import Check
from tests.builders import dataset


def counts(customers, targets):
    """A result for each of the two tables: whether it has rows."""
    for name, table in (("customers", customers), ("targets", targets)):
        yield dg.AssetCheckResult(asset_key=name, check_name="has_rows", passed=table.count().execute() > 0)


HAVE_ROWS = Check(
    specs=tuple(dg.AssetCheckSpec("has_rows", asset=name) for name in ("customers", "targets")),
    inputs=("customers", "targets"),
    evaluate=counts,
)
TABLES = {"customers": dataset("customers", {}), "targets": dataset("targets")}


def results(*assets):
    keys = {dg.AssetCheckKey(dg.AssetKey(name), "has_rows") for name in assets}
    return {result.asset_key.path[-1]: result.passed for result in HAVE_ROWS.results(TABLES.__getitem__, keys)}


def test_the_keys_are_those_of_the_specs():
    assert HAVE_ROWS.keys == {dg.AssetCheckKey(dg.AssetKey(name), "has_rows") for name in ("customers", "targets")}


def test_every_result_that_was_asked_for_and_no_other():
    assert results("customers", "targets") == {"customers": True, "targets": False}
    assert results("targets") == {"targets": False}
