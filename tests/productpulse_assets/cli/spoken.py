"""What a command says and leaves behind, in pieces that a test can look at."""

from __future__ import annotations

from pathlib import Path


def tree(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fields(line: str) -> list[str]:
    """A line's words and numbers, however wide its columns are."""
    return line.split()


def made(result) -> set[str]:
    """The assets that a run told of."""
    return {fields(line)[-3] for line in result.stdout.splitlines() if line.startswith("[")}
