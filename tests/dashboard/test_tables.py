"""Downloads of tables: every row, and no formula that a spreadsheet would run."""

import csv
import io
from decimal import Decimal

import pandas as pd
import pytest
from ibis import _

from dashboard.plan import plan_with_customers
from dashboard.reading import Reading
from dashboard.tables import csv_bytes
from resources.home import Home
from resources.published_snapshot import Snapshot, version_of
from tests.graph import RULES

pytestmark = pytest.mark.slow


def cells(text: bytes) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(text.decode(), newline="")) for cell in row]


def runs(cell: str) -> bool:
    """Whether a spreadsheet reads a cell as a formula; a negative number is not one."""
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
    assert not [cell for cell in cells(hostile.csv(plan_with_customers(hostile))) if runs(cell)]


def test_rows_of_a_data_frame_are_escaped_too(hostile):
    names = hostile.frame(hostile.table("customers").filter(_.company_name.startswith("=")).limit(3))
    assert len(names) == 3
    assert all(name.startswith("'=") for name in pd.read_csv(io.BytesIO(csv_bytes(names)))["company_name"])
    numbers = pd.DataFrame({"change": [-1.5, 2.0]})
    assert csv_bytes(numbers).decode().splitlines() == ['"change"', "-1.5", "2.0"]
    mixed = pd.DataFrame({"name": ["a;=1", None], "mrr": [Decimal("12.50"), None]})
    assert csv_bytes(mixed).decode().splitlines() == ['"name","mrr"', '"a;\'=1",12.50', '"",""']
