"""Business questions: their answers are sentences with metrics in them."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import Field

from rules.loading.files import RulesError, Strict
from rules.metrics.models import MetricCatalog
from rules.models import Name, Text
from rules.text.formats import cell_text, change_text, value_text

CHANGE = ".change"


class Listing(Strict):
    """The first rows of a table, each said in a line with {column} placeholders."""

    table: Name
    order_by: Name
    descending: bool = False
    top: int = Field(ge=1, le=20)
    line: Text


class Question(Strict):
    """A question, who asks it, what answers it, and the answer with {metric} placeholders."""

    question: Text
    owner: Annotated[str, Field(pattern=r"^team:[a-z-]+$")]
    metrics: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)]
    tables: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)]
    answer: Text
    listing: Listing | None = None


class BusinessQuestions(Strict):
    """business_questions.yaml."""

    questions: Annotated[tuple[Question, ...], Field(min_length=1, strict=False)]


def check_metric_names(questions: BusinessQuestions, catalog: MetricCatalog) -> None:
    """Raise RulesError for a question that names a metric which the catalog does not have."""
    for number, item in enumerate(questions.questions, start=1):
        for name in (*item.metrics, *(each.removesuffix(CHANGE) for each in placeholders(item.answer))):
            if name not in catalog.metrics:
                raise RulesError(
                    f"business_questions.yaml: questions > {number} ('{item.question}'): there is no metric "
                    f"'{name}'; accepted: {', '.join(catalog.metrics)}."
                )


def check_listings(questions: BusinessQuestions, tables: Mapping[str, Iterable[str]]) -> None:
    """Raise RulesError for a listing of a table or column that `tables` (columns by name) does not have."""
    for number, item in enumerate(questions.questions, start=1):
        if not (wanted := item.listing):
            continue
        place = f"business_questions.yaml: questions > {number} ('{item.question}') > listing"
        if wanted.table not in tables:
            raise RulesError(f"{place} > table: is '{wanted.table}'; accepted: {', '.join(tables)}.")
        columns = list(tables[wanted.table])
        for name in (wanted.order_by, *placeholders(wanted.line)):
            if name not in columns:
                raise RulesError(f"{place}: {wanted.table} has no column '{name}'; accepted: {', '.join(columns)}.")


def listed(wanted: Listing, row: Mapping[str, object], currency: str) -> str:
    """The line of one row."""
    return wanted.line.format_map({name: cell_text(value, name, currency) for name, value in row.items()})


def placeholders(answer: str) -> list[str]:
    """What stands in braces."""
    try:
        return [name for _text, name, _format, _conversion in string.Formatter().parse(answer) if name is not None]
    except ValueError as error:
        raise RulesError(f"business_questions.yaml: '{answer}': {error}.") from error


def answered(item: Question, present: Mapping[str, Mapping[str, object]], currency: str) -> str:
    """The answer with the numbers of kpi_summary, or why there is none."""
    for name in dict.fromkeys(each.removesuffix(CHANGE) for each in placeholders(item.answer)):
        if present[name]["value"] is None:
            return f"Not available: {present[name]['label']}. {present[name]['not_available_reason']}"
    answer = item.answer
    for placeholder in placeholders(item.answer):
        row = present[placeholder.removesuffix(CHANGE)]
        if placeholder.endswith(CHANGE):
            said = change_text(row["change"], row["unit"], currency)
        else:
            said = value_text(row["value"], row["unit"], currency)
        answer = answer.replace(f"{{{placeholder}}}", said)
    return answer
