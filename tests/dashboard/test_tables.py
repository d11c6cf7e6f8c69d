"""Tables to take along: every row, and nothing in them for a spreadsheet to run."""

import csv
import io
from decimal import Decimal

import pandas as pd
import pytest
from ibis import _

from dashboard.plan import planned
from dashboard.reading import Reading
from dashboard.tables import csv_of
from resources.home import Home
from resources.published_snapshot import Snapshot, version_of
from tests.graph import RULES

pytestmark = pytest.mark.slow


def cells(text: bytes) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(text.decode(), newline="")) for cell in row]


def runs(cell: str) -> bool:
    """Whether a spreadsheet takes a cell for a formula; a negative number is none."""
    return cell[:1] in ("=", "+", "-", "@", "\t", "\r") and not cell.replace(".", "").lstrip("-").isdigit()


@pytest.fixture(scope="module")
def hostile(hostile_home):
    return Reading(Snapshot(version_of(Home(hostile_home).published)), RULES)


def test_a_table_of_hostile_names_has_all_rows_and_runs_nothing(hostile):
    customers = hostile.table("customer_360")
    written = cells(hostile.csv(customers))
    assert len(written) == (hostile.count(customers) + 1) * len(customers.columns)
    assert not [cell for cell in written if runs(cell)]
    assert any(cell.startswith("'=HYPERLINK") for cell in written)
    assert "x" * 10_000 in written
    assert not [cell for cell in cells(hostile.csv(planned(hostile))) if runs(cell)]


def test_rows_that_are_there_already_are_written_as_harmless(hostile):
    names = hostile.frame(hostile.table("customers").filter(_.company_name.startswith("=")).limit(3))
    assert len(names) == 3
    assert all(name.startswith("'=") for name in pd.read_csv(io.BytesIO(csv_of(names)))["company_name"])
    numbers = pd.DataFrame({"change": [-1.5, 2.0]})
    assert csv_of(numbers).decode().splitlines() == ['"change"', "-1.5", "2.0"]
    mixed = pd.DataFrame({"name": ["a;=1", None], "mrr": [Decimal("12.50"), None]})
    assert csv_of(mixed).decode().splitlines() == ['"name","mrr"', '"a;\'=1",12.50', '"",""']
