"""The questions of `productpulse init --data`, and what it prints at the end."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from productpulse_assets.sources.proposal.decisions import Decision
from productpulse_assets.sources.proposal.proposal import Proposal, propose
from rules.text.formats import count_text, escape_invisible

LEAVE_OUT = 0


def ask_about(proposal: Proposal, folder: Path) -> Proposal:
    """The proposal with the answers of the user. A file that is chosen among several is examined first."""
    chosen = {}
    for decision in [each for each in proposal.draft.decisions if each.place[-1] == "file"]:
        if (number := _answer(decision)) != LEAVE_OUT:
            chosen[decision.place[1]] = decision.choices[number - 1].label
    if chosen:
        proposal = propose(folder, chosen)
    for decision in [each for each in proposal.draft.decisions if each.choices and each.place[-1] != "file"]:
        if (number := _answer(decision)) != LEAVE_OUT:
            proposal.draft.answer(decision, decision.choices[number - 1])
    return proposal


def _answer(decision: Decision) -> int:
    """The number of the chosen answer, from 1; LEAVE_OUT for none. Enter takes the proposal."""
    _echo(f"\n{decision.place_text}: {decision.question}")
    for number, choice in enumerate(decision.choices, start=1):
        _echo(f"  {number}. {choice.label}{f' ({choice.evidence})' if choice.evidence else ''}")
    _echo(f"  {LEAVE_OUT}. leave it open; it is marked in sources.yaml")
    default = LEAVE_OUT if decision.proposed is None else decision.proposed + 1
    numbers = click.IntRange(LEAVE_OUT, len(decision.choices))
    return int(click.prompt("Your choice", type=numbers, default=default))


def _echo(text: str) -> None:
    click.echo(escape_invisible(text, keep="\n"))


def summary_lines(proposal: Proposal, rules: Path, data: Path, *, is_valid: bool) -> Iterator[str]:
    """What is open, the number of mapped columns and of open questions, and the next command."""
    decisions = proposal.draft.decisions
    for decision in decisions:
        yield escape_invisible(f"To decide: {decision.place_text}: {decision.question}")
    for reason in proposal.draft.left_out.values():
        yield escape_invisible(f"Not used: {reason}")
    for dataset, columns in proposal.incomplete.items():
        yield f"Not used: {dataset}, because {' and '.join(columns)} would be missing."
    mapped = sum(1 for _column in proposal.mapped)
    yield f"{count_text(mapped, 'column')} mapped, {len(decisions):,} to decide."
    options = f"--data {shlex.quote(str(data))} --rules {shlex.quote(str(rules))}"
    if is_valid:
        yield f"Next: productpulse run {options}"
    else:
        yield f"Next: decide in {rules / 'sources.yaml'}, then: productpulse validate {options}"
