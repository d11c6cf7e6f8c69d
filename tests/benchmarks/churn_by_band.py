"""Whether customers in higher risk bands left more often: bands as of some months ago, churn since then.

python -m tests.benchmarks.churn_by_band --customers 20000 --months-back 6
"""

from __future__ import annotations

import argparse
import calendar
import datetime as dt
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import duckdb

from tests.benchmarks.company import DEFAULT_CACHE, PRODUCTPULSE, ensure_company
from tests.benchmarks.measure import ProcessFailed, measure

HORIZON_DAYS = 90
LEAST_LIFT = 3.0
"""The share of customers who left in the highest band, at least this many times the average."""
BANDS = ("Low", "Medium", "High", "Critical")

NEWEST = """
SELECT max(day) FROM (
    SELECT max(start_date) AS day FROM read_csv($subscriptions)
    UNION ALL SELECT max(end_date) FROM read_csv($subscriptions)
    UNION ALL SELECT max(date) FROM read_csv($product_usage)
)
"""
OUTCOMES = """
CREATE TEMP TABLE outcomes AS
SELECT customer_id, risk_band, customer_id NOT IN (
    SELECT customer_id FROM read_csv($subscriptions)
    WHERE status <> 'Trial' AND monthly_price > 0 AND start_date <= $later AND (end_date IS NULL OR end_date > $later)
) AS has_left
FROM churn_risk_profiles
"""
BY_BAND = "SELECT risk_band, count(*), count(*) FILTER (has_left) FROM outcomes GROUP BY ALL"
BY_RULE = """
SELECT rule_id, count(*), count(*) FILTER (has_left) FROM churn_evidence JOIN outcomes USING (customer_id)
GROUP BY ALL ORDER BY count(*) FILTER (has_left) / count(*) DESC
"""


@dataclass(frozen=True)
class Group:
    """The customers of a band or of a rule, and the number of them who had left at the end."""

    name: str
    customers: int
    churned: int

    @property
    def share(self) -> float:
        return self.churned / self.customers if self.customers else 0.0


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.churn_by_band", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--customers", type=int, default=1000, help="size of the demo company (1000)")
    parser.add_argument("--seed", type=int, default=42, help="seed of the demo company (42)")
    parser.add_argument("--months-back", type=int, default=6, help="months from the as-of date to the newest date (6)")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="folder that keeps generated companies")
    return parser.parse_args(given)


def months_before(day: dt.date, months: int) -> dt.date:
    """The same day some months earlier; the last day of a month stays the last."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    last, is_last = calendar.monthrange(year, month + 1)[1], (day + dt.timedelta(days=1)).day == 1
    return dt.date(year, month + 1, last if is_last else min(day.day, last))


def newest_date(data: Path) -> dt.date:
    """The newest date in the company's exports."""
    files = {name: str(data / f"{name}.csv") for name in ("subscriptions", "product_usage")}
    return duckdb.execute(NEWEST, files).fetchone()[0]


def outcomes(data: Path, as_of: dt.date) -> tuple[list[Group], list[Group]]:
    """Bands, lowest first, and rules, from a run with this as-of date."""
    with tempfile.TemporaryDirectory(prefix="productpulse-churn-") as folder:
        home = Path(folder) / "home"
        command = (*PRODUCTPULSE, "run", "--data", str(data), "--home", str(home), "--as-of", as_of.isoformat())
        measure(command, Path(folder) / "output.txt")
        with duckdb.connect(str(home / "published" / "productpulse.duckdb"), read_only=True) as snapshot:
            later = as_of + dt.timedelta(days=HORIZON_DAYS)
            snapshot.execute(OUTCOMES, {"subscriptions": str(data / "subscriptions.csv"), "later": later})
            found = {row[0]: Group(*row) for row in snapshot.execute(BY_BAND).fetchall()}
            rules = [Group(*row) for row in snapshot.execute(BY_RULE).fetchall()]
    return [found.get(band, Group(band, 0, 0)) for band in BANDS], rules


def lines(groups: Sequence[Group], average: float) -> Iterator[str]:
    for group in groups:
        ratio = f"{group.share / average:.1f} x average" if average else "none left"
        yield f"  {group.name:<28}{group.customers:>9,}{group.churned:>9,}{group.share:>9.1%}   {ratio}"


def shortcomings(bands: Sequence[Group], average: float) -> list[str]:
    """What is wrong with the bands as a prediction; empty if nothing is."""
    found = [
        f"{high.name} lost {high.share:.1%}, not more than {low.name} with {low.share:.1%}."
        for low, high in pairwise(bands)
        if high.share <= low.share
    ]
    if bands[-1].share < LEAST_LIFT * average:
        found.append(f"{bands[-1].name} lost {bands[-1].share:.1%}, under {LEAST_LIFT:g} x the average {average:.1%}.")
    return found


def main(given: Sequence[str] | None = None) -> int:
    """Run, compare and print; returns 1 if the bands do not predict who leaves, 2 if that cannot be measured."""
    wanted = arguments(given)
    data, _rows = ensure_company(wanted.customers, "csv", wanted.cache.resolve(), wanted.seed)
    newest = newest_date(data)
    as_of = months_before(newest, wanted.months_back)
    if as_of + dt.timedelta(days=HORIZON_DAYS) > newest:
        print(f"The data ends on {newest}, less than {HORIZON_DAYS} days after {as_of}.", file=sys.stderr)
        return 2
    try:
        bands, rules = outcomes(data, as_of)
    except ProcessFailed as failure:
        print(failure, file=sys.stderr)
        return 2
    everyone = Group("All", sum(band.customers for band in bands), sum(band.churned for band in bands))
    print(f"{wanted.customers:,} customers as of {as_of}, left by {as_of + dt.timedelta(days=HORIZON_DAYS)}")
    print(f"  {'risk band':<28}{'customers':>9}{'churned':>9}{'share':>9}")
    print(*lines([*bands, everyone], everyone.share), sep="\n")
    print("  where the rule fired")
    print(*lines(rules, everyone.share), sep="\n")
    problems = shortcomings(bands, everyone.share)
    print(
        *(problems or ["Each band lost more than the band below it, and the highest lost far more than the average."]),
        sep="\n",
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
