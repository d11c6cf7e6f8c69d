"""The three kinds of files that other people write, and the rules for reading any bytes of that kind.

Each function reads bytes as the program does and returns the result: "refused", with a sentence of a
documented error, or "read", with every row counted in a second way. Anything else is an
AssertionError, or the error itself.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections import Counter
from pathlib import Path

import ibis

from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.location import check_sources
from productpulse_assets.sources.readers.raw_rows import RawRows, columns_of, read_files
from rules.loading.problems import RulesError
from rules.rule_set import MODELS, SHIPPED, read_rules

READ, REFUSED = "read", "refused"

CSV = (
    ("t.csv", "utf-8"),
    ("t.tsv", "utf-8"),
    ("t.csv.gz", "utf-8"),
    ("t.csv", "cp1252"),
    ("t.csv", "utf-16"),
)
JSON = (("t.json", "utf-8"), ("t.jsonl", "utf-8"), ("t.jsonl.gz", "utf-8"), ("t.json", "latin-1"))
YAML = tuple(MODELS)
"""The files of a rules folder, by their names without ending."""

NAMED_BY = {"metric_catalog": "business_questions"}
"""Files whose names another file refers to: the sentence may be about that other file."""


def csv_entrance(backend: ibis.BaseBackend, folder: Path, content: bytes, name: str, encoding: str) -> str:
    """A file of rows with a delimiter; for a .gz ending, `content` is compressed first."""
    raw = _read(backend, folder, content, name, encoding)
    if raw is None:
        return REFUSED
    text = content.decode(encoding, "replace").removeprefix("\ufeff")
    numbers, texts = _accounted(raw)
    assert _letters(text) == _letters("".join((*raw.columns, *texts))), "letters of the file are in no row"
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
    """One file of the rules folder; the other files are those of the program."""
    if not folder.exists():
        folder.mkdir(parents=True)
        for path in SHIPPED.glob("*.yaml"):
            shutil.copy(path, folder)
    path = folder / f"{name}.yaml"
    path.write_bytes(content)
    try:
        read_folder(folder)
        return READ
    except RulesError as error:
        _is_sentence(str(error), path.name, f"{NAMED_BY.get(name, name)}.yaml")
        return REFUSED
    finally:
        shutil.copy(SHIPPED / path.name, folder)


def read_folder(folder: Path) -> None:
    """Read a rules folder as the program does before it compiles the graph."""
    check_sources(read_rules(folder))


def _read(backend: ibis.BaseBackend, folder: Path, content: bytes, name: str, encoding: str) -> RawRows | None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(gzip.compress(content, 1) if name.endswith(".gz") else content)
    try:
        raw = read_files(backend, "t", [path], encoding, scratch=folder / "scratch")
    except SourceProblem as error:
        _is_sentence(str(error), name)
        return None
    assert columns_of(backend, [path], encoding, scratch=folder / "scratch") == raw.columns
    return raw


def _is_sentence(message: str, *names: str) -> None:
    assert any(name in message for name in names), message
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
    """The number of items of an array; None where only DuckDB reads it as one: [1]2] has two items to DuckDB."""
    try:
        return len(json.loads(text))
    except (ValueError, RecursionError):
        return None
