"""What a new user begins with: the rules that come along and a sources.yaml to fill in."""

from __future__ import annotations

from pathlib import Path

import rules

CAME_ALONG = Path(rules.__file__).resolve().parent
PRESETS = tuple(sorted(path.stem for path in (CAME_ALONG / "presets").glob("*.yaml")))
"""Systems whose exports a sources.yaml that comes along understands."""


class FilesInTheWay(Exception):
    """The folder has such files already; the message says which and what to do."""


def starter_files(preset: str | None) -> dict[str, Path]:
    """The files of a rules folder, by name: where each is copied from."""
    files = {path.name: path for path in sorted(CAME_ALONG.glob("*.yaml"))}
    return files | ({"sources.yaml": CAME_ALONG / "presets" / f"{preset}.yaml"} if preset else {})


def write_starter(folder: Path, preset: str | None) -> list[str]:
    """Copy the rules into `folder`, and return the files' names.

    Raises FilesInTheWay, and writes nothing, if one of them is there already: nothing is written over.
    """
    files = starter_files(preset)
    if there := [name for name in files if (folder / name).exists()]:
        listed = ", ".join(there)
        raise FilesInTheWay(
            f"{folder} has {listed} already; nothing was written. Use them as they are with --rules {folder}, "
            "move them away, or give another folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in files.items():
        with (folder / name).open("xb") as target:
            target.write(source.read_bytes())
    return list(files)
