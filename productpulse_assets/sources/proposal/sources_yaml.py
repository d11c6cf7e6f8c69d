"""A proposal as the text of sources.yaml: every setting with its reason, every question as a comment at its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import yaml

from productpulse_assets.sources.proposal.decisions import Decision, Draft, Place, get
from productpulse_assets.sources.proposal.proposal import Proposal
from rules.text.formats import escape_invisible, path_text

WIDTH = 118
HEAD = """\
# How your exports become ProductPulse's datasets, as `productpulse init` proposes it.
#
# certain: the header is a name for this column and nothing else, and the values fit.
# likely: the header is often a name for it and the values fit, or the values show it. Read these lines.
# to decide: not set, because the exports do not show it. Replace the line by one of the settings below it.
#
# All settings: the table in docs/data.md; `productpulse init FOLDER` without --data writes a file with examples.
"""
ORDER = ("reporting_currency", "exchange_rates", "time_zone", "date_formats", "null_values", "aliases", "datasets")
BLANK_LINES = re.compile(r"\n{3,}")
SCALAR_END = "\n...\n"


def sources_yaml(proposal: Proposal) -> str:
    """The text of the file. Every value of the data is quoted or escaped, so that none becomes a setting."""
    draft = proposal.draft
    lines = [HEAD, *(_comment(f"# not used: {reason}") for reason in draft.left_out.values())]
    shared = {name: draft.settings.get(name) for name in ORDER if name not in ("datasets", "aliases")}
    shared["time_zone"] = shared["time_zone"] or "UTC"
    for name, value in shared.items():
        if value:
            lines += ["", _setting(draft, (name,), f"{name}: {_flow(value)}")]
        elif name in ("exchange_rates", "date_formats"):
            lines.append("")
        lines += _questions(draft, (name,), 0)
    lines += ["", "aliases:", *_aliases(draft), "", "datasets:"]
    for dataset in proposal.names:
        lines += _dataset(proposal, dataset)
    if all(dataset in proposal.incomplete for dataset in proposal.names):
        lines[lines.index("datasets:")] = "datasets: {}"
    return BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in lines) + "\n")


def _flow(value: object) -> str:
    """A value on one line of YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False)
    return text.removesuffix(SCALAR_END).rstrip("\n").removesuffix("\n...")


def _comment(text: str) -> str:
    """A comment on one line, whatever characters the data has."""
    return escape_invisible(text)


def _setting(draft: Draft, place: Place, text: str) -> str:
    note = draft.notes.get(place)
    return f"{text}  {_comment(f'# {note}')}" if note else text


def _questions(draft: Draft, place: Place, indent: int) -> Iterator[str]:
    for decision in draft.decisions:
        if decision.place == place:
            yield from _question(decision, indent)


def _question(decision: Decision, indent: int) -> Iterator[str]:
    """The question and, for each choice, the settings that it makes."""
    blank = " " * indent
    yield _comment(f"{blank}# to decide: {decision.question}")
    for choice in decision.choices:
        evidence = f" ({choice.evidence})" if choice.evidence else ""
        settings = "; ".join(
            f"{' > '.join(_within(decision.place, each.place))}: {_flow(each.value)}" for each in choice.changes
        )
        label = "" if settings.endswith(f": {_flow(choice.label)}") else f"{choice.label}: "
        yield _comment(f"{blank}#   - {label}{settings}{evidence}")


def _within(question: Place, place: Place) -> Place:
    """The place of a setting, without the dataset that the question is about."""
    return place[2:] if len(question) > 2 and place[:2] == question[:2] else place


def _aliases(draft: Draft) -> Iterator[str]:
    aliases: Mapping[str, Mapping[str, object]] = draft.settings.get("aliases", {})
    targets = [*aliases, *(each.place[1] for each in draft.decisions if each.place[0] == "aliases")]
    for target in dict.fromkeys(targets):
        yield f"  {target}:"
        words = aliases.get(target, {})
        yield from (f"    {_flow({word: ours})[1:-1]}" for word, ours in words.items())
        for decision in draft.decisions:
            if decision.place[:2] == ("aliases", target):
                yield from _question(decision, 4)
        if not words:
            yield "    {}"


def _dataset(proposal: Proposal, dataset: str) -> Iterator[str]:
    """The settings of a dataset; as comments, where it lacks a required column."""
    draft, missing = proposal.draft, proposal.incomplete.get(dataset)
    yield ""
    lines = list(_dataset_lines(draft, dataset))
    if missing:
        name = path_text(get(draft.settings, ("datasets", dataset, "file")))
        columns = " and ".join(missing)
        yield _comment(
            f"  # not used: {name} seems to be {dataset}, but {columns} would be missing. With it, remove the #:"
        )
        lines = [line if line.lstrip().startswith("#") else f"  #: {line.removeprefix('  ')}" for line in lines]
    yield from lines


def _dataset_lines(draft: Draft, dataset: str) -> Iterator[str]:
    settings: Mapping[str, object] = get(draft.settings, ("datasets", dataset)) or {}
    base = ("datasets", dataset)
    yield f"  {dataset}:"
    for name in _names(draft, settings, base):
        value = settings.get(name)
        if name == "columns":
            yield "    columns:"
            yield from _columns(draft, base, value if isinstance(value, Mapping) else {})
        else:
            if value is not None:
                yield f"    {_setting(draft, (*base, name), f'{name}: {_flow(value)}')}"
            yield from _questions(draft, (*base, name), 4)


def _names(draft: Draft, settings: Mapping[str, object], base: Place) -> Sequence[str]:
    """The settings of a dataset that have a value or a question, the columns last."""
    asked = [each.place[2] for each in draft.decisions if each.place[:2] == base]
    names = dict.fromkeys((*settings, *asked))
    return [*(name for name in names if name != "columns"), "columns"]


def _columns(draft: Draft, base: Place, columns: Mapping[str, object]) -> Iterator[str]:
    for column, source in columns.items():
        yield f"      {_setting(draft, (*base, 'columns', column), f'{column}: {_flow(source)}')}"
    if not columns:
        yield "      {}  # none yet"
    for decision in draft.decisions:
        if decision.place[:3] == (*base, "columns"):
            yield from _question(decision, 6)
