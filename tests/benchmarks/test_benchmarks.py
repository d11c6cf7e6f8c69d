"""The benchmark's figures are complete and computed correctly; no test asserts a speed."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import main
from tests.benchmarks.measure import Cost, ProcessFailed, measure
from tests.benchmarks.report import BEYOND_STEPS, NotComparable, Run, comparison, figures, ratios

pytestmark = pytest.mark.slow


def test_a_run_of_a_small_company_has_every_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    written = tmp_path / "figures.json"
    options = ["--customers", "30", "--runs", "1", "--cache", str(tmp_path / "cache"), "--json", str(written)]
    assert main(options) == 0
    now = json.loads(written.read_text(encoding="utf-8"))
    assert now["customers"] == 30
    assert now["rows"] > 30
    for part in ("whole", "floor"):
        assert all(figure > 0 for figure in now[part].values()), part
    assert now["rows_per_second"] > 0
    assert now["ratio_to_floor"] > 1
    steps = now["steps"]
    assert {"customers_source", "facts", "metrics", "published_snapshot"} <= set(steps)
    parts = now["parts"]
    assert {"customers", "customer_months", "kpi_summary", "risk_register", "kpi_summary: governance"} <= set(parts)
    assert 0 < parts["customer_months"] + parts["customer_signals"] <= steps["facts"]
    assert all(seconds > 0 for seconds in steps.values())
    assert sum(steps.values()) == pytest.approx(now["whole"]["wall_seconds"])
    printed = capsys.readouterr().out
    assert "rows per second" in printed
    assert "customer_months" in printed


def cost(wall: float) -> Cost:
    return Cost(wall_seconds=wall, cpu_seconds=wall * 2, peak_memory_mb=300.0)


TWO_RUNS = [
    Run(whole=cost(10.0), floor=cost(2.0), steps={"quick": 1.0, "slow": 6.0}, parts={"a": 1.0}),
    Run(whole=cost(14.0), floor=cost(4.0), steps={"quick": 1.0, "slow": 8.0}, parts={"a": 2.0}),
]


def test_figures_are_medians_and_the_slowest_step_is_first():
    now = figures(5, "csv", {"customers": 5, "targets": 19}, TWO_RUNS)
    assert now["whole"] == {"wall_seconds": 12.0, "cpu_seconds": 24.0, "peak_memory_mb": 300.0}
    assert now["rows_per_second"] == 2.0  # 24 rows in 12 s
    assert now["ratio_to_floor"] == 4.0  # 12 s over 3 s
    assert now["parts"] == {"a": 1.5}
    assert list(now["steps"].items()) == [("slow", 7.0), ("quick", 1.0), (BEYOND_STEPS, 4.0)]


def test_a_comparison_gives_ratios_and_names_new_and_missing_steps():
    before = figures(5, "csv", {"customers": 5}, TWO_RUNS)
    now = copy.deepcopy(before)
    now["whole"]["wall_seconds"] = 6.0
    now["steps"] = {"slow": 3.5, "added": 1.0}
    assert ratios(now, before)["whole wall_seconds"] == 0.5
    assert ratios(now, before)["step slow"] == 0.5
    assert list(comparison(now, before))[-2:] == ["new: added", f"gone: quick, {BEYOND_STEPS}"]


def test_benchmarks_of_different_companies_are_not_compared():
    small, large = (figures(size, "csv", {"customers": size}, TWO_RUNS) for size in (5, 6))
    with pytest.raises(NotComparable, match="customers is 6, the other's 5"):
        ratios(large, small)


def test_the_output_of_a_measured_process_that_fails_is_in_the_error(tmp_path: Path):
    with pytest.raises(ProcessFailed, match="failed on purpose"):
        measure((sys.executable, "-c", "import sys; sys.exit('failed on purpose')"), tmp_path / "log")


def test_the_cost_is_that_of_the_process(tmp_path: Path):
    work = "import time; held = bytearray(200_000_000); time.sleep(0.2)"
    used = measure((sys.executable, "-c", work), tmp_path / "log")
    assert used.wall_seconds >= 0.2
    assert used.peak_memory_mb > 200
