"""Tests of errors compare codes; the sentences stand in one file, error_sentences.txt.

A test that raises a new sentence adds it with:  UPDATE_ERROR_SENTENCES=1 pytest <the test>
To leave out sentences that no test raises any more, empty the file and run all tests so.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from rules.loading.problems import RulesError
from rules.text.errors import ProductPulseError

SENTENCES = Path(__file__).parent / "error_sentences.txt"
"""One line per sentence: its code, a tab, and the sentence with \\n for the end of a line and … for a folder that
differs from run to run."""

PASSING_FOLDER = re.compile(r"(?<![\w.])/[^\s'\",:;()]*(?:pytest-|/tmp)[^\s'\",:;()]*/(?=[^/\s'\",:;()]*)")


@contextmanager
def raises(code: str, kind: type[ProductPulseError] = ProductPulseError) -> Iterator[pytest.ExceptionInfo]:
    """Expect an error of this code, with a sentence that error_sentences.txt has for it."""
    with pytest.raises(kind) as caught:
        yield caught
    assert caught.value.code == code, caught.value
    assert_known(code, str(caught.value))


@contextmanager
def raises_problems(*problems: str) -> Iterator[None]:
    """Expect a rules file to be refused for exactly these problems: `rules > quiet > weight: rules.wrong_value`."""
    with raises("rules.invalid", RulesError) as caught:
        yield
    assert problem_codes(caught.value) == list(problems), caught.value


def problem_codes(error: ProductPulseError) -> list[str]:
    """The place and the code of each problem of a rules file."""
    assert isinstance(error, RulesError)
    return [f"{problem.place or 'the file'}: {problem.code}" for problem in error.problems]


def assert_known(code: str, message: str) -> None:
    """Assert that error_sentences.txt has this sentence for this code."""
    line = f"{code}\t{lasting(message)}"
    known = known_lines()
    if line not in known and os.environ.get("UPDATE_ERROR_SENTENCES"):
        with FileLock(f"{SENTENCES}.lock"):
            known = sorted({*known_lines(), line})
            SENTENCES.write_text("".join(f"{each}\n" for each in known), encoding="utf-8")
    assert line in known, f"A new sentence for {code}. Read it; if it is right, add it (see tests/errors.py):\n{line}"


def known_lines() -> list[str]:
    """The lines of error_sentences.txt."""
    return SENTENCES.read_text(encoding="utf-8").splitlines() if SENTENCES.exists() else []


def lasting(message: str) -> str:
    """The sentence on one line, without the part of a path that differs from run to run."""
    return PASSING_FOLDER.sub("…/", message).replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
