"""Every broken input of this folder gives a clear sentence or exact rejects, and rows in = kept + rejected."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from rules.loading.problems import RulesError
from tests.broken_inputs import csv_texts, csv_values, documents, rules_files
from tests.broken_inputs.judging import CHECKOUT, VALID, Input, judge, lay_out
from tests.errors import assert_known
from tests.fuzz.entrances import read_folder
from tests.graph import RULES

pytestmark = pytest.mark.slow

INPUTS = (
    *csv_texts.ENCODINGS, *csv_texts.OTHER_FORMATS, *csv_texts.LINES, *csv_texts.HEADERS,
    *csv_values.DATES, *csv_values.NUMBERS, *csv_values.ROWS,
    *documents.JSON, *documents.PARQUETS, *documents.SETTINGS,
)  # fmt: skip


ignored = shutil.ignore_patterns("*.py", "__pycache__")


@pytest.fixture(scope="module")
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


NOTHING_LEFT = "{}: no rows are left, and the dataset is required. Check the export."


def matches(message: str, sentence: str) -> bool:
    """Whether the message is the sentence; … in it stands for words that are not ours."""
    return re.fullmatch(re.escape(sentence).replace("…", ".*"), message, re.DOTALL) is not None


@pytest.mark.parametrize("given", [pytest.param(each, id=each.how) for each in INPUTS])
def test_a_sentence_or_exact_rejects(tmp_path, instance, given: Input):
    lay_out(tmp_path, given)
    found = judge(tmp_path, instance, given.dataset)
    if given.code or given.sentence:
        (sentence,) = found.problems
        assert found.codes == ([given.code] if given.code else [])
        if given.sentence:
            # A dataset's step names sources.yaml without its folder; a command adds it.
            assert matches(RULES.with_folder(sentence), RULES.with_folder(given.sentence)), sentence
        else:
            assert_known(given.code, sentence)
        assert found.counted is None  # nothing was read, so nothing is kept
        return
    assert found.problems == ([] if given.kept or given.dataset not in VALID else [NOTHING_LEFT.format(given.dataset)])
    assert found.kept == given.kept
    assert sorted(found.rejects, key=str) == sorted(given.rejects, key=str)
    rejected = {row_number for row_number, *_ in found.rejects}
    assert given.rows == len(found.kept) + len(rejected)
    assert found.counted == (given.rows, len(found.kept), len(rejected))


@pytest.mark.parametrize("given", [pytest.param(each, id=each.how) for each in rules_files.YAML])
def test_a_sentence_about_rules(tmp_path, given: rules_files.RulesText):
    path = Path(shutil.copytree(RULES.folder, tmp_path / "rules", ignore=ignored)) / f"{given.file}.yaml"
    path.write_bytes(given.bytes)
    with pytest.raises(RulesError) as caught:
        read_folder(path.parent)
    assert matches(str(caught.value), path.name + given.sentence.replace("{path}", str(path))), caught.value


# --- paths that are not files ------------------------------------------------------------------------


def nothing(place: Path) -> None:
    assert not place.exists()


def a_folder(place: Path) -> None:
    place.mkdir()


def a_link_to_nothing(place: Path) -> None:
    place.symlink_to("gone.csv")


def a_pipe(place: Path) -> None:
    os.mkfifo(place)


def a_file_without_permission(place: Path) -> None:
    place.write_text("customer_id,signup_date\n")
    place.chmod(0)


PLACES = {
    nothing: "source.missing_dataset",
    a_folder: "source.not_a_file",
    a_link_to_nothing: "source.not_a_file",
    a_pipe: "source.not_a_file",
    a_file_without_permission: "source.cannot_open",
}


@pytest.mark.parametrize(("make", "code"), PLACES.items(), ids=lambda case: getattr(case, "__name__", ""))
def test_a_path_that_is_not_a_readable_file(tmp_path, instance, make, code):
    place = lay_out(tmp_path, Input("", "customers.csv", "")) / "customers.csv"
    place.unlink()
    make(place)
    if make is a_file_without_permission and os.access(place, os.R_OK):
        pytest.skip("This user may read every file.")
    found = judge(tmp_path, instance, "customers")
    assert found.codes == [code]
    (sentence,) = found.problems
    assert_known(code, sentence)


# --- as a command ----------------------------------------------------------------------------------


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    """`productpulse <arguments>` in a process of its own, which ends without a traceback."""
    words = [sys.executable, "-m", "productpulse_assets.cli", *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=CHECKOUT)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def test_a_run_over_a_broken_file_ends_with_1_and_one_sentence(tmp_path):
    data = lay_out(tmp_path, Input("", "customers.csv.gz", csv_texts.PACKED[:-9]))
    done = command("run", "--data", data, "--home", tmp_path / "home")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "customers.csv.gz is not a complete gzip file (Compressed file ended before the end-of-stream marker was "
        "reached). Copy or export it again.",
        "Nothing was published.",
    ]


def test_a_run_with_broken_rules_ends_with_2_and_one_sentence(tmp_path):
    rules = Path(shutil.copytree(RULES.folder, tmp_path / "rules", ignore=ignored))
    (rules / "sources.yaml").write_text(rules_files.BOMB)
    done = command("run", "--rules", rules, "--home", tmp_path / "home")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"sources.yaml is not valid YAML ({rules}/sources.yaml): {rules_files.TOO_MANY}\n"
    assert not (tmp_path / "home").exists()


TAKEN = {
    "customer_id": "customer_id",
    "month": "month",
    "industry, month": "one of industry, month",
    "industry, days": "days",
    "score": "score",
}
"""Additional dimensions, and the one that is refused; also where only an intermediate table has the name."""


@pytest.mark.parametrize(("named", "which"), TAKEN.items(), ids=TAKEN)
def test_a_dimension_whose_name_is_taken_ends_with_2_and_one_sentence(tmp_path, named, which):
    rules = Path(shutil.copytree(RULES.folder, tmp_path / "rules", ignore=ignored))
    segments = (rules / "segments.yaml").read_text().replace("[segment, plan,", f"[segment, plan, {named},")
    (rules / "segments.yaml").write_text(segments)
    done = command("run", "--rules", rules, "--home", tmp_path / "home")
    name = named.split()[-1]
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"segments.yaml cannot be used ({rules / 'segments.yaml'}):\n"
        f"  dimensions: {which} cannot be a dimension: the tables that carry it have a column of that "
        f"name already. Give it another name there, such as customer_{name}, and under datasets > customers > columns "
        f"in sources.yaml its name in your export: customer_{name}: {name}.\n"
    )


def test_validate_names_the_setting_for_an_encoding_and_accepts_a_header_without_rows(productpulse, exports):
    customers, scores = exports / "customers.csv", exports / "nps_scores.csv"
    lines = customers.read_text().splitlines()
    foreign = [number for number, line in enumerate(lines) if not line.isascii()]
    customers.write_bytes("\n".join(lines).encode("latin-1"))
    scores.write_text(scores.read_text().splitlines()[0] + "\n")
    result = productpulse("validate", "--data", exports)
    assert result.exit_code == 1
    assert f"customers: 200 rows in customers.csv, {200 - len(foreign)} kept, {len(foreign)} rejected." in result.stdout
    assert "nps_scores: 0 rows in nps_scores.csv, 0 kept, 0 rejected." in result.stdout
    assert result.stderr.startswith(
        f"customers: {len(foreign)} of 200 rows ({len(foreign) / 200:.2%}) rejected; 1.00% is tolerated. Line malformed_line: "
        f"{len(foreign)} (first in row {foreign[0]}: 'bytes not in its encoding (set encoding: in rules/sources.yaml)"
    )
    assert "nps_scores" not in result.stderr


def test_validate_stops_at_a_required_dataset_without_rows(productpulse, exports):
    (exports / "customers.csv").unlink()
    (exports / "customers.json").write_text("[]")
    result = productpulse("validate", "--data", exports)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == (
        "customers: no rows are left, and the dataset is required. Check the export."
    )
