"""No text in the data changes the layout or the links of a report."""

import re

import ibis
import pytest

from asset_checks.contracts import DATASETS
from resources.duckdb_connection import open_read_only
from resources.home import Home
from rules.text.formats import one_line
from tests.productpulse_assets.reports.build_report import REPORTS, build_report
from tests.productpulse_assets.reports.rendered import page

pytestmark = pytest.mark.slow

OURS = {"metric_name", "unit", "risk_band", "leakage_type", "dataset", "measure"}
"""Columns whose values come from the program and not from exports."""

HOSTILE = [
    "<script>alert(1)</script> | x | [a](b) ![i](http://x) ",
    "- http://evil www.evil.com a@evil.com :tada: @octocat $math$ ",
    "1. [^1] ~~gone~~ ==marked== **b** __b__ `c` &lt; \\ ",
    "> # === ```\n---\n\u202e| a |\n|---|\n",
    "</td></table> \\| [a]: http://x ![",
]
PLAIN = "word "


@pytest.fixture(scope="module")
def snapshot(good_run, good_home):
    return open_read_only(Home(good_home).published)


def with_prefix(text):
    """A change of the tables: every text begins with `text`, and each dataset has one rejected row."""

    def changed(name, table):
        if name.endswith("_rejects"):
            table = with_one_reject(table)
        texts = [column for column, kind in table.schema().items() if kind.is_string() and column not in OURS]
        return table.mutate(**{column: ibis.literal(text) + table[column] for column in texts})

    return changed


def with_one_reject(table):
    """One reject of a dataset, in the columns of its table of rejects."""
    dataset = next(name for name in DATASETS if table.get_name() == f"{name}_rejects")
    texts = {column: "x" for column, kind in table.schema().items() if kind.is_string()} | {"dataset": dataset}
    row = ibis.memtable({"row_number": [1]}).mutate(
        **{
            column: ibis.literal(1 if kind.is_integer() else texts.get(column), kind)
            for column, kind in table.schema().items()
        }
    )
    return row.select(*table.columns)


@pytest.fixture(scope="module")
def plain(snapshot):
    return {name: page(build_report(name, snapshot, with_prefix(PLAIN))) for name in REPORTS}


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_do_not_change_the_layout(name, text, snapshot, plain):
    markdown = build_report(name, snapshot, with_prefix(text))
    seen = page(markdown)
    assert seen.tags == plain[name].tags
    assert seen.links == plain[name].links
    assert seen.anchors == plain[name].anchors
    assert seen.found == []
    assert one_line(text) in seen.text


@pytest.mark.parametrize("name", REPORTS)
def test_every_row_of_a_table_has_as_many_cells_as_its_header(name, snapshot):
    markdown = build_report(name, snapshot, with_prefix("| x | a@b.co |"))
    tables = re.findall(r"(?:^\|.*\n)+", markdown, re.MULTILINE)
    assert tables or name == "business_questions"  # it has sentences only
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table
