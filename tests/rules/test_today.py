"""Today is a day in the company's time zone, not in the machine's."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

from rules.today import company_today

RULES = Path(__file__).parents[2] / "rules"
NOON = dt.datetime(2026, 11, 26, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("time_zone", "day"), [("UTC", 26), ("Pacific/Kiritimati", 27), ("Asia/Tokyo", 26), ("Pacific/Pago_Pago", 26)]
)
def test_today_is_a_day_in_the_time_zone_of_sources_yaml(tmp_path, monkeypatch, time_zone, day):
    text = (RULES / "sources.yaml").read_text(encoding="utf-8")
    shutil.copy(RULES / "sources.yaml", tmp_path)
    (tmp_path / "sources.yaml").write_text(text.replace("\ntime_zone: UTC", f"\ntime_zone: {time_zone}"), "utf-8")
    monkeypatch.setenv("PRODUCTPULSE_RULES_DIR", str(tmp_path))
    assert company_today(NOON) == dt.date(2026, 11, day)


def test_without_a_moment_it_is_now():
    before = dt.datetime.now(dt.UTC).date()
    assert before <= company_today() <= before + dt.timedelta(days=1)
