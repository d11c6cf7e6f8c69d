"""Files the program writes: complete or not there, never half."""

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
def replacing(target: Path) -> Iterator[Path]:
    """A temporary path beside `target`; when the block ends well it becomes `target` in one step.

    A block that raises leaves an earlier `target` as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    part = Path(name)
    # Writers such as DuckDB refuse to open an existing empty file as a database.
    part.unlink()
    try:
        yield part
        _flush(part)
        os.replace(part, target)
        _flush(target.parent)
    finally:
        part.unlink(missing_ok=True)


def remove_parts(home: Home) -> None:
    """Remove what a killed run was writing; only for a run that has its turn in the home."""
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

    The UI shows where it is, not what it says: reports name customers, and Dagster keeps what the UI
    shows for good. An asset whose name is taken by a table, or whose text is no Markdown, names its
    file in the metadata `file`: `intervention_plan` or `executive_report.html`.
    """

    def __init__(self, folder: str):
        self.folder = folder

    def path_of(self, name: str) -> Path:
        """The file of a report; one that is named without an ending is Markdown."""
        return Path(self.folder) / (name if Path(name).suffix else f"{name}.md")

    @retried_io()
    def handle_output(self, context: dg.OutputContext, obj: str) -> None:
        """Write a report, in place of the one before."""
        target = self.path_of((context.definition_metadata or {}).get("file", context.asset_key.path[-1]))
        with replacing(target) as part:
            part.write_text(obj, encoding="utf-8")
        context.add_output_metadata({"path": dg.MetadataValue.path(str(target)), "bytes": len(obj.encode())})

    def load_input(self, context: dg.InputContext) -> str:
        """The text of a report."""
        made_by = context.upstream_output.definition_metadata if context.upstream_output else None
        return self.path_of((made_by or {}).get("file", context.asset_key.path[-1])).read_text(encoding="utf-8")
