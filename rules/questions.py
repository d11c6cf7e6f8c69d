"""Business questions: their answers are sentences with metrics in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, TypedDict

from pydantic import Field

from rules.loading.files import Strict
from rules.loading.problems import Problem, refuse
from rules.metrics.models import MetricCatalog
from rules.models import Name, Text
from rules.text.formats import cell_text, change_text, value_text
from rules.text.templates import TemplateError, placeholders, split_template

CHANGE = ".change"
"""Ends a placeholder that stands for the change of a metric since the month before."""


class SummaryRow(TypedDict):
    """The columns of kpi_summary that an answer reads."""

    label: str
    unit: str
    value: float | None
    change: float | None
    not_available_reason: str | None


class Listing(Strict):
    """The first rows of a table under an answer: one line per row, with {column} placeholders."""

    table: Name
    order_by: Name
    descending: bool = False
    top: int = Field(ge=1, le=20)
    line: Text


class Question(Strict):
    """A question, the team that asks it, where to look further, and the answer with {metric} placeholders."""

    question: Text
    owner: Annotated[str, Field(pattern=r"^team:[a-z-]+$")]
    metrics: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)]
    tables: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)]
    answer: Text
    listing: Listing | None = None


class BusinessQuestions(Strict):
    """business_questions.yaml: the questions, in the order of the report."""

    questions: Annotated[tuple[Question, ...], Field(min_length=1, strict=False)]


def check_metric_names(questions: BusinessQuestions, catalog: MetricCatalog, path: Path) -> None:
    """Raise RulesError for every question that names a metric which the catalog does not have."""
    refuse(path, (problem for place, item in _placed(questions) for problem in _metric_problems(place, item, catalog)))


def _metric_problems(place: str, item: Question, catalog: MetricCatalog) -> Iterator[Problem]:
    for name in item.metrics:
        if name not in catalog.metrics:
            known = ", ".join(catalog.metrics)
            yield Problem("rules.unknown_metric", f"{place} > metrics", f"there is no metric '{name}'", known)
    try:
        placeholders(item.answer, [f"{name}{ending}" for name in catalog.metrics for ending in ("", CHANGE)])
    except TemplateError as error:
        yield Problem(error.code, f"{place} > answer", str(error))


def check_listings(questions: BusinessQuestions, tables: Mapping[str, Iterable[str]], path: Path) -> None:
    """Raise RulesError for every listing of a table or column that `tables` (columns by name) does not have."""
    listings = [(f"{place} > listing", item.listing) for place, item in _placed(questions) if item.listing]
    refuse(path, (problem for place, listing in listings for problem in _listing_problems(place, listing, tables)))


def _listing_problems(place: str, listing: Listing, tables: Mapping[str, Iterable[str]]) -> Iterator[Problem]:
    if listing.table not in tables:
        yield Problem("rules.unknown_table", f"{place} > table", f"is '{listing.table}'", ", ".join(tables))
        return
    columns = list(tables[listing.table])
    if listing.order_by not in columns:
        message = f"{listing.table} has no column '{listing.order_by}'"
        yield Problem("rules.unknown_column", f"{place} > order_by", message, ", ".join(columns))
    try:
        placeholders(listing.line, columns)
    except TemplateError as error:
        yield Problem(error.code, f"{place} > line", str(error))


def _placed(questions: BusinessQuestions) -> Iterator[tuple[str, Question]]:
    """Each question with its place in the file."""
    for number, item in enumerate(questions.questions, start=1):
        yield f"questions > {number}", item


def listing_line(listing: Listing, row: Mapping[str, object], currency: str) -> str:
    """The line of one row."""
    return listing.line.format_map({name: cell_text(value, name, currency) for name, value in row.items()})


def answer_text(item: Question, summary: Mapping[str, SummaryRow], currency: str) -> str:
    """The answer with the numbers of kpi_summary (rows by metric name), or why there is none."""
    parts = split_template(item.answer)
    for name in (name.removesuffix(CHANGE) for _words, name in parts if name is not None):
        if summary[name]["value"] is None:
            return f"Not available: {summary[name]['label']}. {summary[name]['not_available_reason']}"
    return "".join(words + (_number(name, summary, currency) if name is not None else "") for words, name in parts)


def _number(placeholder: str, summary: Mapping[str, SummaryRow], currency: str) -> str:
    row = summary[placeholder.removesuffix(CHANGE)]
    if placeholder.endswith(CHANGE):
        return change_text(row["change"], row["unit"], currency)
    return value_text(row["value"], row["unit"], currency)
