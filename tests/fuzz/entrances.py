"""The three entrances for what other people write, and what must hold there whatever the bytes are.

Each function reads bytes as the program would and returns how they fared: "refused" with a
sentence of a documented kind, or "read" with every row accounted for by a count made another
way. Anything else is an AssertionError, or the error itself.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import ibis

from productpulse_assets.sources.location import load_sources
from productpulse_assets.sources.readers.raw_rows import RawRows, UnreadableSource, columns_of, read_files
from rules.churn_rules import load_churn_rules
from rules.leakage_rules import load_leakage_rules
from rules.loading.files import RulesError, load
from rules.metrics.catalog import load_catalog
from rules.models import DataQuality, HealthScores, Segments
from rules.questions import load_questions
from rules.recommendation_rules import load_recommendation_rules
from rules.scenarios import load_scenarios

RULES = Path(__file__).resolve().parents[2] / "rules"
READ, REFUSED = "read", "refused"

CSV = (
    ("t.csv", "utf-8"),
    ("t.tsv", "utf-8"),
    ("t.csv.gz", "utf-8"),
    ("t.csv", "cp1252"),
    ("t.csv", "utf-16"),
)
JSON = (("t.json", "utf-8"), ("t.jsonl", "utf-8"), ("t.jsonl.gz", "utf-8"), ("t.json", "latin-1"))
YAML: dict[str, Callable[[], object]] = {
    "sources": load_sources,
    "segments": lambda: load("segments", Segments),
    "health_scores": lambda: load("health_scores", HealthScores),
    "data_quality": lambda: load("data_quality", DataQuality),
    "churn_rules": load_churn_rules,
    "leakage_rules": load_leakage_rules,
    "recommendation_rules": load_recommendation_rules,
    "scenarios": load_scenarios,
    "business_questions": lambda: load_questions(load_catalog()),
    "metric_catalog": load_catalog,
}
"""By the name of the file: what the program does to read it."""


def csv_entrance(backend: ibis.BaseBackend, folder: Path, content: bytes, name: str, encoding: str) -> str:
    """A file of rows with a delimiter; a .gz ending means that `content` is packed first."""
    raw = _read(backend, folder, content, name, encoding)
    if raw is None:
        return REFUSED
    text = content.decode(encoding, "replace").removeprefix("\ufeff")
    numbers, told = _accounted(raw)
    assert _letters(text) == _letters("".join((*raw.columns, *told))), "letters of the file are in no row"
    if '"' not in text:
        assert len(numbers) == _rows_without_quotes(text), "a line is in no row"
    return READ


def json_entrance(backend: ibis.BaseBackend, folder: Path, content: bytes, name: str, encoding: str) -> str:
    """A JSON array of objects, or an object per line."""
    raw = _read(backend, folder, content, name, encoding)
    if raw is None:
        return REFUSED
    numbers, _ = _accounted(raw)
    text = content.decode(encoding, "replace").removeprefix("\ufeff")
    if ".jsonl" not in name and text.lstrip(" \t\r\n").startswith("["):
        assert len(numbers) == (_items(text) or len(numbers)), "an item of the array is in no row"
    else:
        assert len(numbers) == sum(1 for line in _lines(text) if line.strip(" \t\r\v\f")), "a line is in no row"
    return READ


def yaml_entrance(folder: Path, content: bytes, name: str) -> str:
    """A file of the rules folder, beside the others as they come with the program."""
    if not folder.exists():
        folder.mkdir(parents=True)
        for path in RULES.glob("*.yaml"):
            shutil.copy(path, folder)
    path = folder / f"{name}.yaml"
    path.write_bytes(content)
    try:
        with mock.patch.dict(os.environ, PRODUCTPULSE_RULES_DIR=str(folder)):
            YAML[name]()
        return READ
    except RulesError as error:
        _is_sentence(str(error), path.name)
        return REFUSED
    finally:
        shutil.copy(RULES / path.name, folder)


def _read(backend: ibis.BaseBackend, folder: Path, content: bytes, name: str, encoding: str) -> RawRows | None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(gzip.compress(content, 1) if name.endswith(".gz") else content)
    try:
        raw = read_files(backend, "t", [path], encoding, scratch=folder / "scratch")
    except UnreadableSource as error:
        _is_sentence(str(error), name)
        return None
    assert columns_of(backend, [path], encoding, scratch=folder / "scratch") == raw.columns
    return raw


def _is_sentence(message: str, name: str) -> None:
    assert name in message, message
    assert message.endswith("."), message
    assert not re.search(r"Traceback|<class|object at 0x|InternalException", message), message
    assert all(letter.isprintable() or letter == "\n" for letter in message), message
    assert len(message) < 20_000, message


def _accounted(raw: RawRows) -> tuple[list[int], list[str]]:
    """The row numbers of rows and bad lines, which are 1, 2, 3 …, and all their texts."""
    rows, bad = (table.to_pyarrow().to_pylist() for table in (raw.rows, raw.malformed))
    numbers = sorted(row["row_number"] for row in (*rows, *bad))
    assert numbers == list(range(1, len(numbers) + 1)), numbers
    values = [str(row[column]) for row in rows for column in raw.columns if row[column] is not None]
    return numbers, values + [line["line"] for line in bad]


def _letters(text: str) -> Counter[str]:
    return Counter(re.findall("[A-Za-z0-9]", text))


def _rows_without_quotes(text: str) -> int:
    return sum(1 for line in _lines(text) if line not in ("", "\r")) - 1


def _lines(text: str) -> list[str]:
    return text.split("\n" if "\n" in text else "\r")


def _items(text: str) -> int | None:
    """How many an array has; nothing where it is one to DuckDB alone, to which [1]2] has two."""
    try:
        return len(json.loads(text))
    except (ValueError, RecursionError):
        return None
