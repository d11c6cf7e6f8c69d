"""What the as-of date shows about the data: a date that stands alone, rows ahead of it, is_active."""

import datetime as dt

import ibis
import pytest

from asset_checks.as_of import as_of_results
from asset_checks.events import DATED
from productpulse_assets.sources.inventory import SCHEMA as INVENTORY
from resources.tables import table_of
from tests.builders import calendar, dataset
from tests.graph import RULES

TODAY = dt.date(2026, 11, 26)
MISTYPED = {"ticket_id": "K00121", "date_opened": "2026-06-20", "status": "Closed", "date_closed": "2026-11-20"}


def inventory() -> ibis.Table:
    rows = [dict.fromkeys(INVENTORY) | {"dataset": name, "source": f"exports/{name}.csv"} for name in DATED]
    return table_of(rows, INVENTORY)


def warnings(as_of: str = "2026-06-29", **given) -> dict[str, str]:
    """The sentences of the checks that did not pass, by dataset or `calendar`."""
    tables = {name: dataset(name, *given.get(name, ())) for name in DATED}
    results = as_of_results(RULES, calendar("2026-01-01", as_of), inventory(), TODAY, tables)
    return {result.asset_key.to_user_string(): result.description for result in results if not result.passed}


@pytest.fixture
def usage():
    """Use of every week up to 2026-06-29."""
    return [{"date": dt.date(2026, 1, 5) + dt.timedelta(weeks=week)} for week in range(26)]


def test_a_mistyped_date_is_warned_about_with_its_row_and_file(usage):
    assert warnings(product_usage=usage, support_tickets=[MISTYPED]) == {
        "calendar": "support_tickets: the row with ticket_id 'K00121' in exports/support_tickets.csv has the date_closed "
        "2026-11-20, 144 days after every other event. So it does not set the as-of date. Fix it in the file if it is "
        "mistyped; if it is right, --as-of 2026-11-20 --force looks at that day."
    }


def test_a_lone_date_that_sets_the_as_of_date_is_warned_about_too():
    (sentence,) = warnings("2026-11-20", support_tickets=[MISTYPED]).values()
    assert sentence.endswith(
        "has the date_closed 2026-11-20, 153 days after every other event. It sets the as-of date unless --as-of gives "
        "another one. If it is mistyped, fix it in the file."
    )


def test_dates_in_company_and_a_company_without_dates_are_not_warned_about(usage):
    assert warnings(product_usage=usage) == {}
    assert warnings() == {}


def test_a_dataset_that_ends_long_before_the_as_of_date_is_warned_about(usage):
    assert warnings("2026-07-28", product_usage=usage) == {
        "product_usage": "product_usage: the newest date is 2026-06-29, 29 days before the as-of date, and its events are "
        "usually at most 7 days apart. What happened since is missing: signals and months after that day are not "
        "available. Export it again."
    }
    assert warnings("2026-07-12", product_usage=usage) == {}  # 13 days: less than twice the usual gap


def test_a_dataset_with_few_events_is_not_called_late():
    assert warnings("2026-07-28", nps_scores=[{"date": "2026-01-05"}, {"date": "2026-01-06"}]) == {}


def test_rows_after_the_as_of_date_are_counted(usage):
    assert warnings("2026-06-22", product_usage=usage) == {
        "product_usage": "product_usage: 1 rows have a date after the as-of date; no figure counts them."
    }


def test_an_end_ahead_is_a_plan_and_no_row_after_the_as_of_date(usage):
    planned = [{"start_date": "2026-01-01", "end_date": "2026-10-20"}]
    assert warnings(product_usage=usage, subscriptions=planned) == {}
