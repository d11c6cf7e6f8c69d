"""A command's output and files, in a form that a test can compare."""

from __future__ import annotations

from pathlib import Path


def tree(folder: Path) -> dict[str, bytes]:
    """The content of every file under a folder, by path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fields(line: str) -> list[str]:
    """A line's words and numbers, without the blanks between its columns."""
    return line.split()


def materialized(result) -> set[str]:
    """The assets that a run listed as computed."""
    return {fields(line)[-3] for line in result.stdout.splitlines() if line.startswith("[")}
