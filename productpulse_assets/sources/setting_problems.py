"""Mistakes in the settings of a dataset in sources.yaml that can be found without its files."""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import pandera.ibis as pa

from asset_checks.row_rules import passes
from productpulse_assets.sources.staging import constant_value
from productpulse_assets.sources.status import STATUS_OF_DATE
from resources.duckdb_connection import in_memory
from resources.tables import table_of
from rules.loading.problems import Problem
from rules.models import DatasetSource, Sources

DATASETS_OF = {
    "rows_from": ("customers",),
    "inclusive_ends": ("subscriptions",),
    "ends_of_active_rows": ("subscriptions",),
    "price": ("subscriptions",),
    "repeated_ids": ("subscriptions",),
    "negative_amounts": ("transactions",),
    "minor_units": ("subscriptions", "transactions"),
    "shape": ("subscriptions",),
    "ids": ("subscriptions", "transactions", "product_usage", "support_tickets", "nps_scores"),
}
"""The settings that not every dataset has."""

PLACES = ("file", "query", "encoding")
"""The settings that tell where the rows are."""

NOT_OF_SHAPES = ("price", "minor_units", "repeated_ids")

WORDS = {"boolean": "yes, no", "date": "a date such as 2026-06-30", "string": "text"}


def setting_problems(name: str, schema: pa.DataFrameSchema, sources: Sources) -> Iterator[Problem]:
    """Every mistake in the settings of one dataset."""
    source, place = sources.of(name), f"datasets > {name}"
    for setting, datasets in DATASETS_OF.items():
        if setting in source.model_fields_set and name not in datasets:
            message, accepted = "is a setting of other datasets", ", ".join(datasets)
            yield Problem("rules.setting_of_another_dataset", f"{place} > {setting}", message, accepted)
    for column, entry in source.columns.items():
        if column not in schema.columns:
            accepted = ", ".join(schema.columns)
            yield Problem("rules.unknown_column", f"{place} > columns > {column}", "is not a column", accepted)
        elif not isinstance(entry, str):
            yield from _made_column_problems(f"{place} > columns > {column}", column, schema, sources)
    yield from _contradictions(name, source)
    if name == "customers" and source.rows_from:
        yield from _problems_of_derived_customers(source, sources.of(source.rows_from))


def _made_column_problems(place: str, column: str, schema: pa.DataFrameSchema, sources: Sources) -> Iterator[Problem]:
    """Problems of a column that the file does not have: a key, dates that do not exist, a value that does not fit."""
    source = sources.of(schema.name)
    if column in source.from_dates:
        if column != "status" or schema.name not in STATUS_OF_DATE:
            accepted = " and ".join(f"{dataset}.status" for dataset in STATUS_OF_DATE)
            yield Problem("rules.not_from_dates", place, "does not follow from dates", accepted)
        return
    if column in (*schema.metadata["key"], *schema.metadata["parents"]):
        message = "is an id: with the same value in every row, all rows would be one"
        yield Problem("rules.constant_value", place, message, "the name of a column of the file")
        return
    kind, text = schema.columns[column].dtype.type, source.constants[column]
    if kind.is_string() and text in ("true", "false"):
        yield Problem("rules.constant_value", place, "is yes or no", "text. In quotes it is text")
    elif not _fits(text, column, schema, sources):
        allowed = [value for check in schema.columns[column].checks for value in check.statistics.get("allowed", ())]
        accepted = ", ".join(allowed) or WORDS.get(str(kind), "a number that the contract accepts")
        yield Problem("rules.constant_value", place, f"'{text}' is not a value of {column}", accepted)


def _fits(text: str, column: str, schema: pa.DataFrameSchema, sources: Sources) -> bool:
    """Whether the contract accepts the value."""
    value = constant_value(text, schema.columns[column].dtype.type, schema, column, sources)
    row = table_of([{"row": 1}], ibis.schema({"row": "int64"})).select(**{column: value})
    is_kept = ibis.and_(row[column].notnull(), *(passes(check, row, column) for check in schema.columns[column].checks))
    return bool(in_memory().to_pyarrow(row.select(is_kept=is_kept))["is_kept"][0].as_py())


def _contradictions(name: str, source: DatasetSource) -> Iterator[Problem]:
    """Settings of one dataset that cannot both hold."""
    place, given = f"datasets > {name}", source.model_fields_set
    if source.rows_from:
        for setting in (each for each in PLACES if each in given):
            yield _contradiction(f"{place} > {setting}", "rows_from", "the rows are those of the other dataset")
        for column in (each for each in ("customer_id", "signup_date") if each in source.columns):
            yield _contradiction(
                f"{place} > columns > {column}", "rows_from", "it is the id, or the first day, in the other dataset"
            )
    if source.shape:
        made = [f"columns > {column}" for column, entry in source.columns.items() if not isinstance(entry, str)]
        for setting in [*(each for each in NOT_OF_SHAPES if each in given), *made]:
            yield _contradiction(f"{place} > {setting}", "shape", "a shape computes periods from the file as it is")
    if "status" in source.from_dates and source.ends_of_active_rows == "planned":
        yield _contradiction(f"{place} > ends_of_active_rows", "columns > status", "no row with an end_date is Active")


def _problems_of_derived_customers(source: DatasetSource, other: DatasetSource) -> Iterator[Problem]:
    """The customers of `other` have the ids of its file, which a crosswalk would change."""
    if other.shape:
        yield _contradiction(
            "datasets > customers > rows_from",
            f"datasets > {source.rows_from} > shape",
            "the rows of the file are not periods with a first day. Take the customers from another dataset",
        )
    if other.ids:
        yield _contradiction(
            f"datasets > {source.rows_from} > ids",
            "datasets > customers > rows_from",
            "the customers are those of this file, so its ids are right. Give the crosswalk to the other datasets",
        )


def _contradiction(place: str, other: str, reason: str) -> Problem:
    return Problem("rules.contradicting_settings", place, f"contradicts {other}: {reason}")
