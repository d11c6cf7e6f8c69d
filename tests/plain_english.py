"""Counts words of a private dialect in the program and its documents: `python -m tests.plain_english [-v]`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent
PLACES = (
    *("rules", "resources", "asset_checks", "productpulse_assets", "dashboard", "docs", "examples"),
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "Makefile", "dagster.yaml", "pyproject.toml"),
)
ENDINGS = {".py", ".md", ".yaml", ".toml", ".jinja", ".html", ""}
DIALECT = re.compile(r"(?:\b|_)(told|said|anew|nobody|so many|made[ _]of|held[ _]against)(?:\b|_)", re.IGNORECASE)


def dialect() -> Iterator[tuple[str, int, str]]:
    """Each such word: the file, the line's number and the line."""
    for place in PLACES:
        found = CHECKOUT / place
        for path in sorted(found.rglob("*")) if found.is_dir() else [found]:
            if path.is_file() and path.suffix in ENDINGS and "__pycache__" not in path.parts:
                for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                    for _word in DIALECT.finditer(line):
                        yield str(path.relative_to(CHECKOUT)), number, line.strip()


if __name__ == "__main__":
    lines = list(dialect())
    if "-v" in sys.argv[1:]:
        print("\n".join(f"{path}:{number}: {line}" for path, number, line in lines))
    counts: dict[str, int] = {}
    for path, _number, _line in lines:
        counts[path] = counts.get(path, 0) + 1
    print("\n".join(f"{count:4} {path}" for path, count in sorted(counts.items(), key=lambda each: -each[1])))
    print(f"{len(lines):4} in all")
