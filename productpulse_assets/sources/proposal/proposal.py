"""sources.yaml for a folder of exports, as far as the exports themselves say it; the rest are questions."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from asset_checks.contracts import CONTRACTS, REQUIRED_DATASETS
from productpulse_assets.sources.proposal.column_matching import (
    ColumnMatch,
    Confidence,
    Level,
    Reference,
    match_columns,
)
from productpulse_assets.sources.proposal.dataset_settings import Matched, note_of, propose_columns
from productpulse_assets.sources.proposal.decisions import Change, Choice, Decision, Draft, get
from productpulse_assets.sources.proposal.exports import Export, Folder, read_folder, shared_rate
from productpulse_assets.sources.proposal.file_matching import FileMatch, match_files
from productpulse_assets.sources.proposal.price_settings import propose_price
from productpulse_assets.sources.proposal.shape_settings import propose_shape
from productpulse_assets.sources.proposal.shared_settings import propose_shared
from productpulse_assets.sources.proposal.vocabulary import vocabulary
from productpulse_assets.sources.readers.blanks import plain_name
from resources.duckdb_connection import FileAccess, in_memory
from rules.text.errors import ProductPulseError
from rules.text.formats import path_text


class NothingToPropose(ProductPulseError):
    """The folder has no file from which anything can be proposed."""


@dataclass(frozen=True)
class Proposal:
    """The draft of sources.yaml, which column is which, and the preset that reads these exports, if there is one."""

    draft: Draft
    datasets: Mapping[str, Matched]
    preset: str | None = None

    @property
    def incomplete(self) -> dict[str, tuple[str, ...]]:
        """Optional datasets that lack required columns, and these: with such a dataset no run would start."""
        lacking = {
            name: self.datasets[name].missing(self.draft) for name in self.datasets if name not in REQUIRED_DATASETS
        }
        return {name: columns for name, columns in lacking.items() if columns}

    @property
    def names(self) -> list[str]:
        """The datasets that have a setting or a question."""
        asked = {each.place[1] for each in self.draft.decisions if each.place[0] == "datasets"}
        return [name for name in CONTRACTS if name in asked or get(self.draft.settings, ("datasets", name)) is not None]

    @property
    def mapped(self) -> Iterator[tuple[str, str, object]]:
        """(dataset, column, header or made value) of every column that sources.yaml maps."""
        for name in self.names:
            if name not in self.incomplete:
                columns = get(self.draft.settings, ("datasets", name, "columns")) or {}
                yield from ((name, column, source) for column, source in columns.items())


def recognize_preset(exports: Sequence[Export]) -> str | None:
    """The preset whose system wrote one of the exports, by headers that only this system has together."""
    for export in exports:
        names = set(map(plain_name, export.names))
        for preset, signatures in vocabulary().presets.items():
            if any(set(map(plain_name, signature)) <= names for signature in signatures):
                return preset
    return None


def propose(folder: Path, chosen: Mapping[str, str] | None = None) -> Proposal:
    """The proposal for the exports in `folder`; `chosen` has the files of datasets that several files fit.

    Raises NothingToPropose if no file of the folder can be read.
    """
    with tempfile.TemporaryDirectory(prefix="productpulse-") as scratch:
        backend = in_memory(FileAccess(folders=(folder, Path(scratch))))
        try:
            found = read_folder(folder, backend, Path(scratch))
            if not found.exports:
                reasons = " ".join(found.problems) or "It has no file with an ending that is read."
                raise NothingToPropose(
                    "init.no_exports",
                    f"Nothing can be proposed for {path_text(folder)}, and nothing was written. {reasons} Put the "
                    "exports there as .csv, .tsv, .parquet, .json or .jsonl.",
                    folder=folder,
                )
            if preset := recognize_preset(found.exports):
                return Proposal(Draft(), {}, preset)
            return _propose(found, chosen or {})
        finally:
            backend.disconnect()


def _propose(found: Folder, chosen: Mapping[str, str]) -> Proposal:
    draft = Draft()
    files = match_files(found.exports, chosen)
    datasets = _match(files)
    for problem in found.problems:
        draft.left_out[problem.split(":")[0].split(" ")[0]] = problem
    for match in files:
        _propose_file(draft, match)
    for matched in datasets.values():
        propose_columns(draft, matched)
    if "subscriptions" not in {match.dataset for match in files}:
        _propose_shaped(draft, found.exports, files, datasets)
    _propose_customers_of_rows(draft, datasets)
    propose_price(draft, datasets)
    propose_shared(draft, datasets)
    _list_unused(draft, found, files)
    return Proposal(draft, datasets)


def _match(files: Sequence[FileMatch]) -> dict[str, Matched]:
    """The columns of each dataset; references are looked up in the keys of the datasets before it."""
    by_dataset = {each.dataset: each for each in files if not each.rivals}
    keys: dict[str, Reference] = {}
    matched: dict[str, Matched] = {}
    for dataset, schema in CONTRACTS.items():
        if dataset not in by_dataset:
            continue
        export = by_dataset[dataset].export
        parents: dict[str, str] = schema.metadata["parents"]
        references = {column: keys[parent] for column, parent in parents.items() if parent in keys}
        columns = match_columns(export, dataset, references)
        if dataset == "customers":
            columns = {**columns, "customer_id": _customer_key(export, columns["customer_id"], by_dataset)}
        matched[dataset] = Matched(dataset, export, columns, references)
        key = schema.metadata["key"]
        if len(key) == 1 and (header := columns[key[0]].header):
            keys[dataset] = Reference(export, header, dataset)
    return matched


def _propose_shaped(
    draft: Draft, exports: Sequence[Export], files: Sequence[FileMatch], datasets: dict[str, Matched]
) -> None:
    """Subscriptions in another shape, of a file that is no other dataset; their ids are looked up in customers."""
    used = {match.export.pattern for match in files}
    free = [export for export in exports if export.pattern not in used]
    customers = datasets.get("customers")
    header = customers.header(draft, "customer_id") if customers else None
    references = {"customer_id": Reference(customers.export, header, "customers")} if customers and header else {}
    if shaped := propose_shape(draft, free, references):
        datasets["subscriptions"] = shaped


def _customer_key(export: Export, match: ColumnMatch, files: Mapping[str, FileMatch]) -> ColumnMatch:
    """The match of customers' key: of several unique columns, the one whose ids the other datasets have."""
    rivals = [each for each in match.candidates if each.fits and each.level <= Level.USUAL]
    if len(rivals) < 2 or (match.is_mapped and match.candidates[0].level == Level.OWN):
        return match
    scores = {each.header: _times_referred_to(export, each.header, files) for each in rivals}
    best = max(rivals, key=lambda each: scores[each.header])
    is_clear = scores[best.header] > 0 and sum(score == scores[best.header] for score in scores.values()) == 1
    others = tuple(each for each in match.candidates if each.header != best.header)
    if not is_clear:
        return match
    reason = f"the ids of {scores[best.header]} other files are in it"
    return ColumnMatch(match.column, Confidence.CERTAIN, (best, *others), reason)


def _times_referred_to(export: Export, header: str, files: Mapping[str, FileMatch]) -> int:
    """The number of other exports with a column, named like a customer's id, whose values are in this one."""
    count = 0
    for dataset, match in files.items():
        if "customer_id" in CONTRACTS[dataset].columns and dataset != "customers":
            names = [each.header for each in match_columns(match.export, dataset)["customer_id"].candidates]
            count += any(shared_rate(match.export, name, export, header) >= 0.9 for name in names)
    return count


def _propose_file(draft: Draft, match: FileMatch) -> None:
    place = ("datasets", match.dataset, "file")
    if match.rivals:
        both = (match.export, *match.rivals)
        draft.ask(
            Decision(
                place,
                f"Which file is {match.dataset}? {' and '.join(each.pattern for each in both)} fit equally well.",
                tuple(Choice(each.pattern, (Change(place, each.pattern),)) for each in both),
            )
        )
        return
    draft.set(place, match.export.pattern, f"{match.confidence.name.lower()}: {match.reason}")
    if match.export.encoding:
        draft.set(("datasets", match.dataset, "encoding"), match.export.encoding, "likely: it is not UTF-8")


def _propose_customers_of_rows(draft: Draft, datasets: Mapping[str, Matched]) -> None:
    """Without a file of customers, those of the subscriptions, with the columns that are certain to be a customer's."""
    has_shape = get(draft.settings, ("datasets", "subscriptions", "shape")) is not None
    if "customers" in datasets or "subscriptions" not in datasets or has_shape:
        return
    place = ("datasets", "customers")
    if any(each.place[:3] == (*place, "file") for each in draft.decisions):
        return
    draft.set(
        (*place, "rows_from"), "subscriptions", "likely: no file is customers; each one signed up on its first day"
    )
    columns = match_columns(datasets["subscriptions"].export, "customers")
    used = {each.header for each in datasets["subscriptions"].columns.values()}
    for column in ("company_name", "segment", "country", "acquisition_channel"):
        match = columns[column]
        if match.confidence == Confidence.CERTAIN and match.header not in used:
            draft.set((*place, "columns", column), match.header, note_of(match))


def _list_unused(draft: Draft, found: Folder, files: Sequence[FileMatch]) -> None:
    used = {export.pattern for match in files for export in (match.export, *match.rivals)}
    used.add(str(get(draft.settings, ("datasets", "subscriptions", "file"))))
    for export in found.exports:
        if export.pattern not in used and export.pattern not in draft.left_out:
            draft.left_out[export.pattern] = f"{export.pattern} fits no dataset, and is not used."
