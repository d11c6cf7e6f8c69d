"""`productpulse compile`."""

from __future__ import annotations

from productpulse_assets.orchestration.compile_graph import fingerprint
from resources.compiled_plan import load_plan
from resources.home import Home
from tests.graph import RULES, plan


def test_the_sql_of_every_table_is_written_and_nothing_runs(productpulse, tmp_path):
    result = productpulse("compile", "--home", tmp_path)
    home = Home(tmp_path)
    assert (result.exit_code, result.stdout) == (
        0,
        f"Compiled {len(plan().tables)} tables into {home.compiled}.\n",
    )
    assert load_plan(home.compiled, fingerprint(RULES)) == plan()
    assert [path.name for path in tmp_path.iterdir()] == ["compiled"]


def test_a_mistake_in_the_rules_ends_with_2_and_its_sentence(productpulse, rules, tmp_path):
    path = rules / "health_scores.yaml"
    path.write_text(path.read_text().replace("metric: retention_rate", "metric: retention", 1))
    result = productpulse("compile", "--rules", rules, "--out", tmp_path / "out")
    assert (result.exit_code, result.stdout) == (2, "")
    first, second = result.stderr.splitlines()
    assert first == f"health_scores.yaml cannot be used ({path}):"
    assert second.startswith("  areas > Customer Retention > metric: is 'retention'; accepted: ")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_ends_with_2_and_a_sentence(productpulse, tmp_path):
    (tmp_path / "file").write_text("no folder")
    result = productpulse("compile", "--out", tmp_path / "file" / "out")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"Nothing can be written to {tmp_path}/file/out (Not a directory). Give another folder with --out.\n"
    )
