"""`productpulse init`: a copy of the rules, for the user to change; with --data, a sources.yaml for these exports."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

import rules
from productpulse_assets.cli.errors import DONE
from productpulse_assets.cli.options import folder, read_settings
from rules.text.errors import ProductPulseError
from rules.text.formats import path_text

if TYPE_CHECKING:
    from productpulse_assets.sources.proposal.proposal import Proposal

SHIPPED_RULES = Path(rules.__file__).resolve().parent
PRESETS = tuple(sorted(path.stem for path in (SHIPPED_RULES / "presets").glob("*.yaml")))
"""Systems for whose exports the program has a sources.yaml."""


@click.command(short_help="Copy the rules; with --data, propose a sources.yaml.")
@click.argument("target", metavar="[FOLDER]", type=folder, default=Path("my-rules"))
@click.option("--preset", type=click.Choice(PRESETS), help="A sources.yaml for the exports of this system.")
@click.option("--data", type=folder, help="Folder with your exports: sources.yaml is proposed from them.")
@click.option("--no-input", is_flag=True, help="Ask nothing: what is uncertain is marked 'to decide' in sources.yaml.")
def init(target: Path, preset: str | None, data: Path | None, no_input: bool) -> None:
    """Copy the rules and a commented sources.yaml into FOLDER (my-rules), for you to change.

    With --data, sources.yaml is proposed from the exports in that folder, and they are checked with it.
    """
    if data:
        _init_from_exports(target, preset, data, no_input=no_input)
    files = copy_rules(target, preset)
    click.echo(f"Written to {target}: {', '.join(files)}.")
    click.echo("Next:")
    for number, step in enumerate(_next_steps(target, preset), start=1):
        click.echo(f"  {number}. {step}")


def _init_from_exports(target: Path, preset: str | None, data: Path, *, no_input: bool) -> NoReturn:
    """Propose sources.yaml, ask about what is uncertain, write the rules and validate the exports with them."""
    from productpulse_assets.cli.proposal_questions import ask_about, summary_lines
    from productpulse_assets.cli.validate import print_validation
    from productpulse_assets.sources.proposal.sources_yaml import sources_yaml

    proposal = propose_rules(target, preset, data)
    if sys.stdin.isatty() and sys.stdout.isatty() and not no_input:
        proposal = ask_about(proposal, data)
    files = copy_rules(target, None, sources=sources_yaml(proposal))
    click.echo(f"Written to {target}: {', '.join(files)}.\n")
    status = print_validation(read_settings(data=data, rules=target))
    click.echo()
    for line in summary_lines(proposal, target, data, is_valid=status == DONE):
        click.echo(line)
    raise SystemExit(status)


def propose_rules(target: Path, preset: str | None, data: Path) -> Proposal:
    """The proposal for the exports in `data`.

    Raises PresetAndData if a preset is given, or if there is one for these exports; FilesExist if `target` has rules;
    NothingToPropose without exports.
    """
    if preset:
        raise PresetAndData(
            "init.preset_and_data",
            f"--preset {preset} already describes the exports, so there is nothing to propose with --data. Give one of "
            "the two; nothing was written.",
        )
    read_settings(data=data)  # raises an error if it is not a folder
    refuse_existing(target, rules_files(None))
    from productpulse_assets.sources.proposal.proposal import propose

    proposal = propose(data)
    if proposal.preset:
        raise PresetAndData(
            "init.use_preset",
            f"{path_text(data)} has exports of {proposal.preset}, for which there is a preset. Nothing was written; "
            f"use it: productpulse init {path_text(target)} --preset {proposal.preset}",
            preset=proposal.preset,
        )
    return proposal


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


class PresetAndData(ProductPulseError):
    """A preset describes these exports, so nothing is proposed from them."""


class FilesExist(ProductPulseError):
    """The folder already has files of these names."""


def rules_files(preset: str | None) -> dict[str, Path]:
    """The files of a new rules folder: by name, the path that each is copied from."""
    files = {path.name: path for path in sorted(SHIPPED_RULES.glob("*.yaml"))}
    return files | ({"sources.yaml": SHIPPED_RULES / "presets" / f"{preset}.yaml"} if preset else {})


def refuse_existing(target: Path, files: Iterable[str]) -> None:
    """Raise FilesExist if the folder has one of the files: no file is overwritten."""
    if existing := [name for name in files if (target / name).exists()]:
        raise FilesExist(
            "init.files_exist",
            f"{target} already has {', '.join(existing)}; nothing was written. Use this folder with --rules {target}, "
            "move these files away, or give another folder.",
            files=existing,
        )


def copy_rules(target: Path, preset: str | None, *, sources: str | None = None) -> list[str]:
    """Copy the rules into the folder `target`, and return the files' names; `sources` is the text of sources.yaml.

    Raises FilesExist, and writes nothing, if one of them exists.
    """
    files = rules_files(preset)
    refuse_existing(target, files)
    target.mkdir(parents=True, exist_ok=True)
    for name, source in files.items():
        is_proposed = sources is not None and name == "sources.yaml"
        with (target / name).open("xb") as copy:
            copy.write(sources.encode() if is_proposed and sources else source.read_bytes())
    return list(files)
