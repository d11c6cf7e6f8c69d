"""Files that the program writes: each one complete, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from resources.home import Home
from resources.retries import retried_io


@contextmanager
def atomic_file(target: Path) -> Iterator[Path]:
    """A temporary path beside `target`, which replaces `target` in one step when the block ends without an error.

    If the block raises, an earlier `target` stays unchanged.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    part = Path(name)
    # DuckDB refuses to open an existing empty file as a database.
    part.unlink()
    try:
        yield part
        _flush(part)
        os.replace(part, target)
        _flush(target.parent)
    finally:
        part.unlink(missing_ok=True)


def remove_parts(home: Home) -> None:
    """Remove the incomplete files of a killed run; only for a run that holds the lock of the home."""
    for folder in (home.published.parent, home.reports, home.exports, home.synthetic, home.compiled):
        for part in folder.rglob(".*.part"):
            part.unlink(missing_ok=True)
    shutil.rmtree(home.scratch, ignore_errors=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class ReportFiles(dg.IOManager):
    """Stores an asset's text as `<folder>/<asset>.md`.

    The UI shows its path and not its text: reports name customers, and Dagster never deletes what the UI shows. If a
    table has the asset's name, or the text is not Markdown, the metadata `file` names the file: `intervention_plan` or
    `executive_report.html`.
    """

    def __init__(self, folder: str):
        self.folder = folder

    def path_of(self, name: str) -> Path:
        """The file of a report; a name without an ending is that of a Markdown file."""
        return Path(self.folder) / (name if Path(name).suffix else f"{name}.md")

    @retried_io()
    def handle_output(self, context: dg.OutputContext, obj: str) -> None:
        """Write a report; it replaces the earlier one."""
        target = self.path_of((context.definition_metadata or {}).get("file", context.asset_key.path[-1]))
        with atomic_file(target) as part:
            part.write_text(obj, encoding="utf-8")
        context.add_output_metadata({"path": dg.MetadataValue.path(str(target)), "bytes": len(obj.encode())})

    def load_input(self, context: dg.InputContext) -> str:
        """The text of a report."""
        made_by = context.upstream_output.definition_metadata if context.upstream_output else None
        return self.path_of((made_by or {}).get("file", context.asset_key.path[-1])).read_text(encoding="utf-8")
