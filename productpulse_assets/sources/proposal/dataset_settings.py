"""The settings of one dataset: its columns, their words, and what has to be asked about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from asset_checks.contracts import CONTRACTS, CYCLE_MONTHS, SUBSCRIPTION_STATUSES, TRANSACTION_STATUSES
from productpulse_assets.sources.proposal.column_matching import (
    WORDING,
    Candidate,
    ColumnMatch,
    Level,
    Reference,
    candidate_by_type,
    is_number,
    required_of,
)
from productpulse_assets.sources.proposal.decisions import Change, Choice, Decision, Draft, get
from productpulse_assets.sources.proposal.exports import Export
from productpulse_assets.sources.proposal.value_formats import DateReading, WordReading
from productpulse_assets.sources.proposal.vocabulary import plain, plain_names, vocabulary
from productpulse_assets.sources.readers.blanks import plain_name
from rules.loading.files import load
from rules.models import IGNORE, Sources
from rules.rule_set import SHIPPED
from rules.text.formats import printable_line

OUR_WORDS: dict[str, tuple[str, ...]] = {
    "subscriptions.status": SUBSCRIPTION_STATUSES,
    "subscriptions.billing_cycle": tuple(CYCLE_MONTHS),
    "transactions.status": TRANSACTION_STATUSES,
}
"""What the words of a column can mean."""

ENDS = {"subscriptions": "end_date", "support_tickets": "date_closed"}
"""The column that decides a dataset's status where there is no status."""

MOST_CHOICES = 9


@dataclass(frozen=True)
class Matched:
    """A dataset with its export and the match of each column; references: where its ids are looked up."""

    dataset: str
    export: Export
    columns: Mapping[str, ColumnMatch]
    references: Mapping[str, Reference]

    def has(self, draft: Draft, column: str) -> bool:
        """Whether the column is mapped, or read by its own name whatever sources.yaml says."""
        is_mapped = get(draft.settings, ("datasets", self.dataset, "columns", column)) is not None
        is_own = self.export.stem.casefold() == self.dataset and any(plain_name(e) == column for e in self.export.names)
        return is_mapped or is_own

    def missing(self, draft: Draft) -> tuple[str, ...]:
        """The required columns that are not mapped."""
        return tuple(column for column in required_of(self.dataset) if not self.has(draft, column))

    def header(self, draft: Draft, column: str) -> str | None:
        """The header that is mapped to the column at the moment."""
        found = get(draft.settings, ("datasets", self.dataset, "columns", column))
        return found if isinstance(found, str) else None


def shipped_aliases() -> dict[str, dict[str, object]]:
    """The words that the sources.yaml of the program has."""
    return {target: dict(words) for target, words in load(SHIPPED / "sources.yaml", Sources).aliases.items()}


def propose_columns(draft: Draft, matched: Matched) -> None:
    """The columns that are certain or likely as settings, the others as questions."""
    for column, match in matched.columns.items():
        place = ("datasets", matched.dataset, "columns", column)
        if match.is_mapped:
            draft.set(place, match.header, note_of(match))
            _propose_words(draft, matched, column, match.reading)
        elif not _from_dates(draft, matched, column):
            _ask_for_column(draft, matched, match)
    _ask_about_rows(draft, matched)


def note_of(match: ColumnMatch) -> str:
    """The confidence and its reason, as a comment."""
    shared = match.candidates[0].shared
    known = f", {shared:.0%} of its ids are known" if shared is not None else ""
    return f"{match.confidence.name.lower()}: {match.reason}{known}"


def samples(export: Export, header: str, dataset: str, column: str, limit: int = 3) -> str:
    """A few values of dates, numbers and words with a meaning; none of ids, names and texts, which may be personal."""
    kind = CONTRACTS[dataset].columns[column].dtype.type
    is_plain = kind.is_date() or is_number(dataset, column) or kind.is_boolean() or f"{dataset}.{column}" in OUR_WORDS
    values = export.columns[header].values[:limit] if is_plain else ()
    return ", ".join(printable_line(value, 30) for value in values)


def choice_of(matched: Matched, column: str, candidate: Candidate) -> Choice:
    """The answer that a column of the file is this column, with what its values need."""
    place = ("datasets", matched.dataset, "columns", column)
    changes = [Change(place, candidate.header)]
    if isinstance(candidate.reading, DateReading) and not candidate.reading.alternatives:
        changes += [Change(("date_formats",), [each]) for each in candidate.reading.formats]
    if isinstance(candidate.reading, WordReading):
        target = f"{matched.dataset}.{column}"
        changes += [Change(("aliases", target, word), ours) for word, ours in candidate.reading.aliases.items()]
    about = matched.export.columns[candidate.header]
    parts = [WORDING[candidate.level], f"{about.filled_rate:.0%} of rows have a value"]
    if candidate.shared is not None:
        reference = matched.references[column]
        parts.append(f"{candidate.shared:.0%} of its ids are in {reference.export.pattern}")
    if shown := samples(matched.export, candidate.header, matched.dataset, column):
        parts.append(shown)
    return Choice(candidate.header, tuple(changes), "; ".join(parts))


def _ask_for_column(draft: Draft, matched: Matched, match: ColumnMatch) -> None:
    """A question about a column that is unsure, or required and not found."""
    column, dataset = match.column, matched.dataset
    is_required = column in required_of(dataset)
    place = ("datasets", dataset, "columns", column)
    found = list(match.candidates)
    reason = match.reason
    if not found:
        if not is_required:
            return
        reason = "no column has a name for it"
        used = {each.header for each in matched.columns.values() if each.is_mapped}
        found = [
            each
            for header in matched.export.names
            if header not in used
            and (each := candidate_by_type(matched.export, dataset, column, header, matched.references))
        ]
    choices = [choice_of(matched, column, each) for each in found[:MOST_CHOICES]]
    if dataset == "transactions" and column == "status" and not found:
        made = Change(place, {"value": "Success"})
        choices.append(Choice("every row is a payment that succeeded", (made,), "the file has no status"))
    fitting = [number for number, each in enumerate(found) if each.fits]
    is_single = len(fitting) == 1 and found[fitting[0]].level == Level.SIMILAR
    question = f"Which column of {matched.export.pattern} is {column}? {reason[:1].upper()}{reason[1:]}."
    draft.ask(Decision(place, question, tuple(choices), fitting[0] if is_single else None))


def _from_dates(draft: Draft, matched: Matched, column: str) -> bool:
    """Whether the status is decided by the dates, because the file has none and has an end."""
    end = ENDS.get(matched.dataset)
    is_possible = column == "status" and end and not matched.columns["status"].candidates
    if not (is_possible and end and matched.columns[end].is_mapped):
        return False
    place = ("datasets", matched.dataset, "columns", "status")
    draft.set(place, {"from_dates": True}, f"likely: no column has a name for it, and {end} decides it")
    return True


def _propose_words(draft: Draft, matched: Matched, column: str, reading: object) -> None:
    if not isinstance(reading, WordReading):
        return
    target = f"{matched.dataset}.{column}"
    for word, ours in reading.aliases.items():
        draft.set(("aliases", target, word), ours)
    known = {word.casefold() for word in shipped_aliases().get(target, {})}
    for word, rows in reading.unknown.items():
        if word.casefold() not in known:
            ask_about_word(draft, target, word, rows)


def ask_about_word(draft: Draft, target: str, word: str, rows: int) -> None:
    """A question about a word whose meaning is not known."""
    place = ("aliases", target, word)
    choices = [Choice(ours, (Change(place, ours),)) for ours in OUR_WORDS[target]]
    is_status = target.endswith(".status")
    if is_status:
        choices.append(Choice(IGNORE, (Change(place, IGNORE),), "leave these rows out"))
    undecided = target == "transactions.status" and plain(word) in plain_names(vocabulary().undecided)
    proposed = len(choices) - 1 if undecided else None
    question = f"What does '{printable_line(word, 60)}' ({rows:,} rows) mean? Rows with an unknown word are rejected."
    draft.ask(Decision(place, question, tuple(choices), proposed))


def _ask_about_rows(draft: Draft, matched: Matched) -> None:
    """Questions about negative amounts and repeated ids."""
    for decision in (*_negative_amounts(matched), *_repeated_ids(matched)):
        draft.ask(decision)


def _negative_amounts(matched: Matched) -> Iterator[Decision]:
    amount = matched.columns.get("amount") if matched.dataset == "transactions" else None
    if not amount or not amount.header:
        return
    values = matched.export.columns[amount.header].values
    negative = [value for value in values if value.startswith(("-", "−", "("))]
    if negative:
        place = ("datasets", "transactions", "negative_amounts")
        question = (
            f"'{amount.header}' has negative amounts. Are they refunds and credit notes? Otherwise they are rejected."
        )
        choice = Choice("refunds", (Change(place, "refunds"),), f"for example {printable_line(negative[0], 30)}")
        yield Decision(place, question, (choice,), 0)


def _repeated_ids(matched: Matched) -> Iterator[Decision]:
    key = matched.columns.get("subscription_id") if matched.dataset == "subscriptions" else None
    if not key or not key.header or matched.export.columns[key.header].is_unique:
        return
    place = ("datasets", "subscriptions", "repeated_ids")
    about = matched.export.columns[key.header]
    question = (
        f"{about.value_count - about.distinct_count:,} rows repeat an id of '{key.header}'. Is each row a period of "
        "the subscription at one price? Otherwise they are rejected as duplicates."
    )
    yield Decision(place, question, (Choice("true", (Change(place, True),), "one period a row"),), None)
