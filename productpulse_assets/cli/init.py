"""`productpulse init`: a copy of the rules, for the user to change."""

from __future__ import annotations

from pathlib import Path

import click

import rules
from productpulse_assets.cli.options import folder
from rules.text.errors import ProductPulseError

SHIPPED_RULES = Path(rules.__file__).resolve().parent
PRESETS = tuple(sorted(path.stem for path in (SHIPPED_RULES / "presets").glob("*.yaml")))
"""Systems for whose exports the program has a sources.yaml."""


@click.command(short_help="Copy the rules and a commented sources.yaml.")
@click.argument("target", metavar="[FOLDER]", type=folder, default=Path("my-rules"))
@click.option("--preset", type=click.Choice(PRESETS), help="A sources.yaml for the exports of this system.")
def init(target: Path, preset: str | None) -> None:
    """Copy the rules and a commented sources.yaml into FOLDER (my-rules), for you to change."""
    files = copy_rules(target, preset)
    click.echo(f"Written to {target}: {', '.join(files)}.")
    click.echo("Next:")
    for number, step in enumerate(_next_steps(target, preset), start=1):
        click.echo(f"  {number}. {step}")


def _next_steps(target: Path, preset: str | None) -> tuple[str, ...]:
    sources = target / "sources.yaml"
    exports = (
        f"Put the exports that are listed at the top of {sources} into a folder, for example my-exports."
        if preset
        else "Put your exports into a folder, for example my-exports: customers.csv, subscriptions.csv and any others."
    )
    return (
        exports,
        f"Describe in {sources} the columns and values that have other names; its examples show how.",
        f"productpulse validate --data my-exports --rules {target}",
        f"productpulse run --data my-exports --rules {target}",
    )


class FilesExist(ProductPulseError):
    """The folder already has files of these names."""


def rules_files(preset: str | None) -> dict[str, Path]:
    """The files of a new rules folder: by name, the path that each is copied from."""
    files = {path.name: path for path in sorted(SHIPPED_RULES.glob("*.yaml"))}
    return files | ({"sources.yaml": SHIPPED_RULES / "presets" / f"{preset}.yaml"} if preset else {})


def copy_rules(target: Path, preset: str | None) -> list[str]:
    """Copy the rules into the folder `target`, and return the files' names.

    Raises FilesExist, and writes nothing, if one of them exists: no file is overwritten.
    """
    files = rules_files(preset)
    if existing := [name for name in files if (target / name).exists()]:
        raise FilesExist(
            "init.files_exist",
            f"{target} already has {', '.join(existing)}; nothing was written. Use this folder with --rules {target}, "
            "move these files away, or give another folder.",
            files=existing,
        )
    target.mkdir(parents=True, exist_ok=True)
    for name, source in files.items():
        with (target / name).open("xb") as copy:
            copy.write(source.read_bytes())
    return list(files)
