"""Metric tiles: the shown sign, the arrow and the colour agree with the sign of the number."""

import ast
from pathlib import Path

import pytest
from streamlit.proto.Metric_pb2 import Metric
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard.links import VIEWS

pytestmark = pytest.mark.slow

UP, DOWN, NO_ARROW = Metric.UP, Metric.DOWN, Metric.NONE
GREEN, RED, GRAY = Metric.GREEN, Metric.RED, Metric.GRAY
ARROWS = {1: UP, -1: DOWN, 0: NO_ARROW}
COLOURS = {
    "up": {1: GREEN, -1: RED, 0: GRAY},
    "down": {1: RED, -1: GREEN, 0: GRAY},
    "neutral": dict.fromkeys(ARROWS, GRAY),
}
SMALLEST_SHOWN = {"rate": 0.0005, "money": 0.005, "count": 0.5, "ratio": 0.005, "number": 0.005}
"""Half of the last shown digit of a change, by unit; 0.05 for other units."""


def as_shown(text: str) -> str:
    return text.replace("\\", "")


def sign_of(size: float, unit: str) -> int:
    """The sign of a number; 0 if it rounds to zero."""
    return 0 if abs(size) <= SMALLEST_SHOWN.get(unit, 0.05) else 1 if size > 0 else -1


def shown_sign(text: str) -> int:
    return {"+": 1, "-": -1}.get(as_shown(text)[:1], 0)


def look_of(tile) -> tuple[int, int, int]:
    """The shown sign, the arrow and the colour of a tile."""
    return shown_sign(tile.delta), tile.proto.direction, tile.proto.color


def expected_look(size: float, unit: str, good_direction: str) -> tuple[int, int, int]:
    sign = sign_of(size, unit)
    return sign, ARROWS[sign], COLOURS[good_direction][sign]


def metrics(database) -> dict[str, dict]:
    """kpi_summary with each metric's good direction, by label."""
    found = database.execute(
        "SELECT kpi_summary.label, metric_name, kpi_summary.unit, change, target_gap, good_direction "
        "FROM kpi_summary JOIN metric_lineage USING (metric_name)"
    )
    names = [name for name, *_about in found.description]
    return {row[0]: dict(zip(names, row, strict=True)) for row in found.fetchall()}


def one_tile(size, unit, good_direction):
    from dashboard.widgets import Change, show_tile

    show_tile("Label", "Value", Change(size, unit, "USD", good_direction, "from before"))


@pytest.mark.parametrize("good_direction", COLOURS)
@pytest.mark.parametrize(
    ("size", "unit", "text"),
    [
        (1500.0, "money", "+$1,500"),
        (-1500.0, "money", "-$1,500"),
        (-0.018, "rate", "-1.8 pp"),
        (0.018, "rate", "+1.8 pp"),
        (-0.5, "days", "-0.5 days"),
        (0.0, "rate", "0.0 pp"),
        (0.0, "money", "$0"),
        (0, "count", "0"),
        (-0.00001, "rate", "0.0 pp"),
        (0.001, "ratio", "0.00"),
    ],
)
def test_a_change_has_the_arrow_and_the_colour_of_its_number(size, unit, text, good_direction):
    (tile,) = AppTest.from_function(one_tile, args=(size, unit, good_direction)).run().metric
    assert as_shown(tile.delta) == text
    assert look_of(tile) == expected_look(size, unit, good_direction)


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("kind", ["demo", "hostile"])
def test_the_arrow_agrees_with_the_sign_on_every_page(homes, opened, kind, name):
    for tile in opened(homes[kind], name).metric:
        assert tile.proto.direction == ARROWS[shown_sign(tile.delta)], tile.label
        assert (tile.proto.color == GRAY) or shown_sign(tile.delta), tile.label


def test_the_cockpit_shows_each_change_and_each_gap_with_its_sign(homes, opened, demo_sql):
    known, tiles = metrics(demo_sql), opened(homes["demo"], "executive_cockpit").metric
    changes = [tile for tile in tiles if tile.delta and tile.proto.delta_description == "vs May 2026"]
    gaps = [tile for tile in tiles if tile.proto.delta_description == "vs. target"]
    assert len(changes) >= 6 and len(gaps) >= 3
    for column, shown in (("change", changes), ("target_gap", gaps)):
        for tile in shown:
            row = known[as_shown(tile.label)]
            assert look_of(tile) == expected_look(row[column], row["unit"], row["good_direction"]), tile.label


def test_the_kpi_review_shows_rises_falls_and_no_change_with_their_sign(homes, opened, demo_sql):
    rows = [row for row in metrics(demo_sql).values() if row["change"] is not None]
    kinds = {(sign_of(row["change"], row["unit"]), row["good_direction"]): row for row in rows}
    assert {(1, "up"), (-1, "up"), (1, "down"), (0, "up")} <= kinds.keys()
    for row in kinds.values():
        (tile,) = opened(homes["demo"], "kpi_review", metric=row["metric_name"]).metric
        assert as_shown(tile.label) == row["label"]
        assert look_of(tile) == expected_look(row["change"], row["unit"], row["good_direction"]), tile.label


@pytest.mark.parametrize(("chosen", "sign"), [("2", -1), ("35", 1)])
def test_an_assumption_below_the_default_is_a_fall(homes, opened, demo_sql, chosen, sign):
    (usual,) = demo_sql.execute(
        "SELECT change FROM scenario_analysis WHERE scenario_name = 'churn_reduction'"
    ).fetchone()
    assert sign_of(float(chosen) / 100 - float(usual), "ratio") == sign
    tiles = opened(homes["demo"], "scenario_simulator", churn_reduction=chosen).metric
    (moved,) = [tile for tile in tiles if tile.delta]
    assert moved.proto.delta_description == "vs. default"
    assert look_of(moved) == expected_look(sign, "money", "up")


def test_all_tiles_are_built_by_one_function():
    folder = Path(dashboard.__file__).parent
    calls = [
        (file.name, node.lineno)
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "metric"
    ]
    assert [name for name, _line in calls] == ["widgets.py"]
