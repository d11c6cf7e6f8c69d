"""Subscriptions that are not one row per period: a table with a column per month, or a row per month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from productpulse_assets.sources.proposal.column_matching import PRICE, ColumnMatch, Reference, match_columns
from productpulse_assets.sources.proposal.dataset_settings import Matched, note_of
from productpulse_assets.sources.proposal.decisions import Change, Choice, Decision, Draft
from productpulse_assets.sources.proposal.exports import Export
from productpulse_assets.sources.proposal.price_units import CENTS, price_columns
from productpulse_assets.sources.proposal.value_formats import UNIT, parse_number, read_numbers
from productpulse_assets.sources.proposal.vocabulary import plain, plain_names
from productpulse_assets.sources.shapes.months import month_columns

MONTH_COLUMNS = ("month", "monat", "snapshot_month", "mrr_month", "snapshot_date", "reporting_month")
FEWEST_MONTHS = 3
WITHOUT_GAPS = 0.8
"""The share of rows without an empty month between two filled ones that shows MRR; what is billed per year has gaps."""

KEPT = ("subscription_id", "customer_id", "plan", "billing_cycle", "auto_renew", "currency")
Place = tuple[str, ...]
BASE: Place = ("datasets", "subscriptions")


def find_shaped(exports: Sequence[Export]) -> Iterator[tuple[Export, dict[str, object]]]:
    """The exports that may be subscriptions in another shape, with that shape."""
    for export in exports:
        if not match_columns(export, "subscriptions")["customer_id"].candidates:
            continue
        if len(months_of(export)) >= FEWEST_MONTHS:
            yield export, {"kind": "wide_months"}
        elif (
            (month := _month_column(export)) and len(prices := price_columns(export)) == 1 and prices[0].unit == "month"
        ):
            yield export, {"kind": "monthly_snapshots", "month": month}


def months_of(export: Export) -> list[str]:
    """The columns that are named after a month and have numbers."""
    found = month_columns(export.names, ())
    return [name for name in found if not export.columns[name].values or read_numbers(export.columns[name].values)]


def _month_column(export: Export) -> str | None:
    names = [name for name in export.names if plain(name) in plain_names(MONTH_COLUMNS)]
    return names[0] if len(names) == 1 else None


def propose_shape(draft: Draft, exports: Sequence[Export], references: Mapping[str, Reference]) -> Matched | None:
    """The subscriptions in another shape, if exactly one export may be them."""
    found = list(find_shaped(exports))
    if len(found) != 1:
        for export, shape in found:
            draft.left_out[export.pattern] = f"{export.pattern} may be subscriptions of the shape {shape['kind']}."
        return None
    (export, shape) = found[0]
    matches = match_columns(export, "subscriptions", references)
    columns = {column: match for column, match in matches.items() if column in KEPT}
    draft.set((*BASE, "file"), export.pattern, f"likely: its columns are of the shape {shape['kind']}")
    for column, match in columns.items():
        if match.is_mapped:
            draft.set((*BASE, "columns", column), match.header, note_of(match))
    if shape["kind"] == "wide_months":
        _propose_wide(draft, export, shape)
    else:
        price = price_columns(export)[0]
        draft.set((*BASE, "shape"), shape, "likely: a row per month, with a price per month")
        if CENTS.search(price.header):
            question = f"'{price.header}' is in cents, and a shape reads prices in whole units. Export them so."
            draft.ask(Decision((*BASE, "columns", PRICE), question))
        else:
            draft.set((*BASE, "columns", PRICE), price.header, "likely: its name says that it is per month")
    none = {column: ColumnMatch(column, match.confidence) for column, match in matches.items()}
    return Matched("subscriptions", export, none | columns, dict(references))


def _propose_wide(draft: Draft, export: Export, shape: Mapping[str, object]) -> None:
    """The shape, if its numbers go on from month to month as MRR does; otherwise a question."""
    rate = _rate_without_gaps(export)
    if rate >= WITHOUT_GAPS:
        draft.set((*BASE, "shape"), shape, f"likely: a column per month, without gaps in {rate:.0%} of the rows")
        return
    question = (
        f"Are the columns of months in {export.pattern} the MRR? {1 - rate:.0%} of the rows have empty months between "
        "others, as amounts that are billed per quarter or year would."
    )
    draft.ask(Decision((*BASE, "shape"), question, (Choice("wide_months", (Change((*BASE, "shape"), dict(shape)),)),)))


def _rate_without_gaps(export: Export) -> float:
    """The share of rows whose months with a number follow each other; the months are in the order of the file."""
    months = months_of(export)
    form = read_numbers(value for name in months for value in export.columns[name].values)
    columns = {f"month_{number}": export.text(name) for number, name in enumerate(months)}
    rows = export.rows.select(**columns).limit(2_000).to_pyarrow().to_pylist()
    number_format = form.format if form else UNIT
    runs = [[bool(value and parse_number(value, number_format)) for value in row.values()] for row in rows]
    filled = [run for run in runs if any(run)]
    return sum(_has_no_gap(run) for run in filled) / len(filled) if filled else 0.0


def _has_no_gap(run: Sequence[bool]) -> bool:
    first, last = run.index(True), len(run) - 1 - run[::-1].index(True)
    return all(run[first : last + 1])
