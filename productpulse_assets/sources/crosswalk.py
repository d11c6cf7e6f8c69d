"""Ids of another system as the ids of the customers, through a file that has both."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir
from ibis import _
from ibis.backends.duckdb import Backend

from productpulse_assets.sources.casting import trimmed_text
from productpulse_assets.sources.errors import SourceProblem, unknown_header
from productpulse_assets.sources.ids import detect_id_forms, match_parent_form
from productpulse_assets.sources.location import Location
from productpulse_assets.sources.readers.blanks import plain_name
from productpulse_assets.sources.readers.raw_rows import read_files
from productpulse_assets.sources.staging import Parent
from resources.settings import Settings
from resources.tables import rows_of
from rules.text.formats import printable_line

UNKNOWN = "known_customer"
ABOUT_CUSTOMERS = ("rejects_within_tolerance", "left_out_without_a_fault")
"""The rule about unknown customers, and the checks that report how many rows break it."""


def read_crosswalk(backend: Backend, location: Location, settings: Settings) -> ir.Table | None:
    """One row per id of the other system (id, customer_id), as the dataset's settings name them; None without any.

    Raises SourceProblem for a column that the file does not have, for a line that cannot be split into fields, and for
    an id that stands for two customers.
    """
    ids = location.source.ids
    if ids is None:
        return None
    label = file_names(location)
    raw = read_files(backend, crosswalk_name(location.dataset), location.crosswalk, scratch=settings.home.scratch)
    if raw.malformed.count().execute():
        line = rows_of(raw.malformed.order_by("row_number").limit(1))[0]["row_number"]
        raise SourceProblem(
            "source.crosswalk_line",
            f"{location.dataset}: line {line} of {label} cannot be split into fields, so an id may be absent. Fix it.",
            dataset=location.dataset,
            file=label,
        )
    source, target = crosswalk_columns(location, raw.columns)
    pairs = raw.rows.select(id=trimmed_text(raw.rows[source]), customer_id=trimmed_text(raw.rows[target])).distinct()
    pairs = pairs.filter(_.id.notnull(), _.customer_id.notnull())
    several = pairs.group_by("id").aggregate(first=_.customer_id.min(), last=_.customer_id.max())
    for row in rows_of(several.filter(_["first"] != _["last"]).order_by("id").limit(1)):
        one, first, last = (printable_line(row[name], 60) for name in ("id", "first", "last"))
        raise SourceProblem(
            "source.two_targets",
            f"{location.dataset}: {label}, the file of datasets > {location.dataset} > ids in sources.yaml, gives the "
            f"id '{one}' two customers, '{first}' and '{last}'. Remove one of the rows.",
            dataset=location.dataset,
            file=label,
        )
    return pairs


def crosswalk_advice(location: Location, rejects: ir.Table, check_name: str | None) -> str:
    """What the description of a check about unknown customers says about the crosswalk; empty for other datasets."""
    is_concerned = location.crosswalk and check_name in ABOUT_CUSTOMERS
    if not is_concerned or not rejects.filter(_.check_name == UNKNOWN).count().execute():
        return ""
    return (
        f" The ids of {location.dataset} are looked up in {file_names(location)}; those that it does not have stay as "
        "they are."
    )


def crosswalk_name(dataset: str) -> str:
    """The name under which a dataset's crosswalk is read."""
    return f"{dataset}_ids"


def file_names(location: Location) -> str:
    """The crosswalk's file, for people."""
    return ", ".join(file.name for file in location.crosswalk)


def crosswalk_columns(location: Location, found: Sequence[str]) -> tuple[str, str]:
    """The columns of the crosswalk as its file has them. Raises SourceProblem for one that it does not have."""
    ids = location.source.ids
    assert ids
    present = {plain_name(name): name for name in found}
    for setting, header in (("from", ids.source), ("to", ids.target)):
        if plain_name(header) not in present:
            raise unknown_header(location.dataset, f"ids > {setting}", header, file_names(location), found)
    return present[plain_name(ids.source)], present[plain_name(ids.target)]


def translate_ids(table: ir.Table, crosswalk: ir.Table | None) -> ir.Table:
    """customer_id through the crosswalk; an id that it does not have stays as it is."""
    if crosswalk is None:
        return table
    of_crosswalk = Parent("customer_id", "customers", crosswalk.id, crosswalk.limit(0).id)
    forms = rows_of(detect_id_forms(table, [of_crosswalk]))[0]
    matched = match_parent_form(table.mutate(given_id=table.customer_id), [of_crosswalk], forms)
    targets = crosswalk.select("id", target="customer_id")
    joined = matched.left_join(targets, matched.customer_id == targets.id).drop("id")
    return joined.mutate(customer_id=joined.target.coalesce(joined.given_id)).drop("target", "given_id")
