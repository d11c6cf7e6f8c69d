"""The gate: blocking checks on the sources; nothing downstream of a dataset runs unless they pass."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import ibis.expr.types as ir
import pandera.ibis as pa
from ibis import _

from asset_checks.contracts import PERSONAL, STATUS, table_schema
from asset_checks.row_rules import HINTS, alias_advice, follows, key_value, passes
from resources.tables import count_of, rows_of
from rules.rejects import ALIASED, IGNORED_STATUS, LEFT_OUT, left_out_reasons, reject_counts, source_row, unknown_words
from rules.text.formats import one_line, printable_line

DUPLICATE, STRANGER = "duplicate_row", "known_customer"
MOST_STRANGERS = 0.9
"""If a larger share of the events has an unknown customer, the ids are those of another system."""

MALFORMED = "malformed_line"
"""The rule that is broken by a line which cannot be split into fields."""


@dataclass(frozen=True)
class Tally:
    """The counts of a stored dataset and of its rejects.

    broken: the number of kept rows that break a rule of the contract, by rule; empty if the gate passes.
    rejected: source rows that are rejected for their own values; orphaned: because their parent is rejected.
    excused: rejected without being wrong: exact duplicates, as in overlapping exports, events of people who are not
    customers, rows whose status is ignored, and rows that a query leaves out.
    """

    kept: int
    broken: dict[str, int]
    rejected: int
    orphaned: int
    excused: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """The number of rows in the source."""
        return self.kept + self.rejected + self.orphaned + sum(self.excused.values())


EXCUSED = (
    "No exact duplicates, no events of people who are not among the customers, no ignored statuses, and no rows that a "
    "query leaves out: such rows are not counted."
)
UNKNOWN = "Every value can be used of the optional columns that decide no figure alone; others are left empty."
WORDS_LISTED = 5
"""Ignored words that are listed at most, the most frequent first."""


def gate_specs(schema: pa.DataFrameSchema) -> list[dg.AssetCheckSpec]:
    """The blocking checks of one dataset; the step that computes the dataset evaluates them."""
    descriptions = {
        "rows_accounted_for": "Rows in the source = rows kept + rows rejected.",
        "contract": "Every kept row satisfies the contract.",
        "rejects_within_tolerance": "No more rows are rejected than max_reject_share in sources.yaml allows.",
    }
    if schema.metadata["is_required"]:
        descriptions["not_empty"] = "A required dataset has rows."
    specs = [
        dg.AssetCheckSpec(name, asset=schema.name, blocking=True, description=description)
        for name, description in descriptions.items()
    ]
    warnings = {"left_out_without_a_fault": EXCUSED, "optional_values_known": UNKNOWN}
    return [
        *specs,
        *(
            dg.AssetCheckSpec(name, asset=schema.name, description=description)
            for name, description in warnings.items()
        ),
    ]


def gate_results(
    schema: pa.DataFrameSchema, table: ir.Table, rejects: ir.Table, rows_in: int, tolerance: float
) -> Iterator[dg.AssetCheckResult]:
    """The results of the blocking checks of one dataset, whose source had `rows_in` rows."""
    counted = tally(schema, table, rejects)
    yield accounts_result(schema, counted, rows_in)
    yield contract_result(schema, counted)
    yield tolerance_result(schema, counted, rejects, tolerance)
    yield excused_result(schema, counted, rejects)
    if schema.metadata["is_required"]:
        yield not_empty_result(schema, counted)


def tally(schema: pa.DataFrameSchema, table: ir.Table, rejects: ir.Table) -> Tally:
    """The counts of the stored rows; nothing is taken from the step that stored them."""
    kept, broken = broken_rows(schema, table)
    excuses = [DUPLICATE, LEFT_OUT, *([STRANGER] if schema.metadata["has_strangers"] else [])]
    excuses += [IGNORED_STATUS] if STATUS in schema.columns else []
    places = (
        rejects.mutate(source_row=source_row(rejects))
        .group_by("source_row")
        .aggregate(
            own=_.check_name.notin(["parent_rejected", *excuses]).any(),
            **{name: (_.check_name == name).any() for name in excuses},
        )
    )
    lost = _only_row(
        places.aggregate(
            rows=_.count(),
            rejected=_.own.sum().fill_null(0),
            **{name: (~_.own & _[name]).sum().fill_null(0) for name in excuses},
        )
    )
    excused = {name: lost[name] for name in excuses if lost[name]}
    return Tally(kept, broken, lost["rejected"], lost["rows"] - lost["rejected"] - sum(excused.values()), excused)


def broken_rows(schema: pa.DataFrameSchema, table: ir.Table) -> tuple[int, dict[str, int]]:
    """The number of rows of a dataset, and the number that break each rule of its contract, in one scan."""
    expected = table_schema(schema)
    if table.schema() != expected:
        return count_of(table), {f"columns are not {', '.join(expected)}": 1}
    key = schema.metadata["key"]
    dated = table.mutate(is_next=follows(table, key))
    fails = {f"{name} not_null": dated[name].isnull() for name, column in schema.columns.items() if not column.nullable}
    for name, column in schema.columns.items():
        fails |= {f"{name} {check.name}": ~passes(check, dated, name) for check in column.checks}
    fails |= {check.name: ~passes(check, dated, None) for check in schema.metadata["row_rules"]}
    counts = dated.aggregate(
        rows=_.count(),
        in_key_order=_.is_next.all().fill_null(True),
        **{f"rule_{number}": failing.sum().fill_null(0) for number, failing in enumerate(fails.values())},
    )
    found = _only_row(counts)
    broken = {name: found[f"rule_{number}"] for number, name in enumerate(fails)}
    if not found["in_key_order"]:
        broken["unique_key"] = found["rows"] - int(key_value(table, key).nunique().execute())
    return found["rows"], {name: rows for name, rows in broken.items() if rows}


def _only_row(counts: ir.Table) -> dict[str, int]:
    return rows_of(counts)[0]


def accounts_result(schema: pa.DataFrameSchema, counted: Tally, rows_in: int) -> dg.AssetCheckResult:
    """Whether every row of the source was kept or rejected."""
    rejected = counted.rows - counted.kept
    return dg.AssetCheckResult(
        asset_key=schema.name,
        check_name="rows_accounted_for",
        passed=rows_in == counted.kept + rejected,
        description=f"{rows_in:,} rows in, {counted.kept:,} kept, {rejected:,} rejected.",
        metadata={"rows_in": rows_in, "rows_kept": counted.kept, "rows_rejected": rejected},
    )


def contract_result(schema: pa.DataFrameSchema, counted: Tally) -> dg.AssetCheckResult:
    """Whether every kept row satisfies the contract."""
    broken = "; ".join(f"{rule} ({rows:,} rows)" for rule, rows in sorted(counted.broken.items()))
    return dg.AssetCheckResult(
        asset_key=schema.name,
        check_name="contract",
        passed=not broken,
        description=f"{schema.name}: kept rows break the contract: {broken}."
        if broken
        else "Every kept row satisfies the contract.",
    )


def tolerance_result(
    schema: pa.DataFrameSchema, counted: Tally, rejects: ir.Table, tolerance: float
) -> dg.AssetCheckResult:
    """Whether the share of rejected rows is at most `tolerance`.

    Rows that were rejected only because of their parent do not count: they count in the parent's dataset. Neither do
    exact duplicates nor, unless nearly all events have one, unknown customers: these give a warning.
    """
    rows, orphaned, total = counted.rejected, counted.orphaned, counted.rows
    strangers = counted.excused.get(STRANGER, 0)
    rows += strangers if strangers > MOST_STRANGERS * total else 0
    share = rows / total if total else 0.0
    reasons = reject_reasons(rejects) if rows or orphaned else ""
    passed = share <= tolerance
    description = f"{rows:,} of {total:,} rows ({share:.2%}) rejected; {tolerance:.2%} is tolerated."
    if not passed:
        description = (
            f"{schema.name}: {description} {reasons} Fix the export, {_remedies(schema.name, rejects)}; "
            f"`productpulse validate` lists them all.{hints(rejects)}"
        )
    return dg.AssetCheckResult(
        asset_key=schema.name,
        check_name="rejects_within_tolerance",
        passed=passed,
        description=description,
        metadata={"rejected": rows, "parent_rejected": orphaned, "share": share, "reasons": reasons},
    )


def excused_result(schema: pa.DataFrameSchema, counted: Tally, rejects: ir.Table) -> dg.AssetCheckResult:
    """A warning about rows that are left out without being wrong."""
    descriptions = {
        DUPLICATE: "rows are exact duplicates of an earlier row, as when exports overlap; each counts once",
        STRANGER: "rows are of customers who are not in customers, such as prospects or staff; they are left out",
        IGNORED_STATUS: "rows have a status that sources.yaml ignores; they are left out",
    }
    names = list(counted.excused)
    excused = reject_counts(rejects.filter(rejects.check_name.isin(names)), "row_key", "row_json")
    first = {row["check_name"]: row for row in (rows_of(excused) if names else ())}
    sentences = [
        f"{rows:,} {descriptions[name]} (first in row {first[name]['first_row']}: {_example(first[name])}"
        f"{_ignored_words(rejects) if name == IGNORED_STATUS else ''})."
        for name, rows in counted.excused.items()
        if name != LEFT_OUT
    ]
    if LEFT_OUT in counted.excused:
        reasons = "; ".join(f"{one_line(reason, 120)} ({rows:,})" for reason, rows in left_out_reasons(rejects).items())
        sentences.append(f"The query in sources.yaml leaves rows out: {reasons}.")
    return dg.AssetCheckResult(
        asset_key=schema.name,
        check_name="left_out_without_a_fault",
        passed=not sentences,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{schema.name}: {' '.join(sentences)}" if sentences else "There are no such rows.",
        metadata={"rows": sum(counted.excused.values())},
    )


def unknown_result(schema: pa.DataFrameSchema, unknown: ir.Table) -> dg.AssetCheckResult:
    """A warning about values that were left empty in rows that are kept; `unknown` has one row per value."""
    found = rows_of(reject_counts(unknown))
    words = unknown_words(unknown) if found else {}
    sentences = []
    for row in found:
        column, check = row["column_name"], row["check_name"]
        is_word = check in ALIASED and column in words
        advice = alias_advice(schema.name, column, list(words[column])) if is_word else HINTS.get(check, "")
        remedy = f" Fix the export, or {advice}." if is_word else f" {advice}" if advice else ""
        sentences.append(
            f"{row['rows']:,} values of {column} cannot be used ({check}; first in row {row['first_row']}: "
            f"{_value_text(row['value'])}); they are left empty, and their rows are kept.{remedy}"
        )
    return dg.AssetCheckResult(
        asset_key=schema.name,
        check_name="optional_values_known",
        passed=not sentences,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{schema.name}: {' '.join(sentences)}" if sentences else "There are no such values.",
        metadata={"values": sum(row["rows"] for row in found)},
    )


def _ignored_words(rejects: ir.Table) -> str:
    """Each ignored word with its number of rows, if there are several."""
    ignored = rejects.filter(rejects.check_name == IGNORED_STATUS)
    counts = ignored.group_by(word=_.value.lower().strip()).aggregate(rows=_.count())
    words = rows_of(counts.order_by(_.rows.desc(), "word"))
    listed = ", ".join(f"{_value_text(row['word'])} {row['rows']:,}" for row in words[:WORDS_LISTED])
    more = f" and {len(words) - WORDS_LISTED} more words" if len(words) > WORDS_LISTED else ""
    return f"; {listed}{more}" if len(words) > 1 else ""


def _remedies(dataset: str, rejects: ir.Table) -> str:
    """What can be changed instead of the export: for words without a meaning, aliases rather than the tolerance."""
    setting = f"max_reject_share for {dataset} in sources.yaml"
    advice = [alias_advice(dataset, column, list(values)) for column, values in unknown_words(rejects).items()]
    if advice:
        return f"or {' and '.join(advice)}; raising {setting} would leave these rows out of every figure"
    return f"or raise {setting}"


def not_empty_result(schema: pa.DataFrameSchema, counted: Tally) -> dg.AssetCheckResult:
    """Whether a required dataset has rows."""
    return dg.AssetCheckResult(
        asset_key=schema.name,
        check_name="not_empty",
        passed=counted.kept > 0,
        description=f"{counted.kept:,} rows."
        if counted.kept
        else f"{schema.name}: no rows are left, and the dataset is required. Check the export.",
    )


def reject_reasons(rejects: ir.Table, limit: int = 3) -> str:
    """The rules of a dataset that are broken most often, each with its number of rows and an example.

    A personal value is replaced by the row's key, because Dagster and the logs keep these words for good.
    """
    faults = rejects.filter(rejects.check_name != LEFT_OUT)
    grouped = reject_counts(faults, "row_key", "row_json").limit(limit)
    return " ".join(
        f"{row['column_name'] or 'Line'} {row['check_name']}: {row['rows']:,} "
        f"(first in row {row['first_row']}: {_example(row)})."
        for row in rows_of(grouped)
    )


def _example(row: Mapping[str, Any]) -> str:
    """The value of the first row that broke a rule, or what replaces it."""
    if row["check_name"] == MALFORMED:
        return _value_text(line_problem(row["value"], row["row_json"]))
    if row["column_name"] in PERSONAL.get(row["dataset"], ()):
        return (
            f"{printable_line(row['row_key'], 60)}; the value is personal"
            if row["row_key"]
            else "the value is personal"
        )
    return _value_text(row["value"])


def line_problem(value: str, row_json: str) -> str:
    """Why a line could not be split: `value` without the start of the line, which is at its end."""
    line = json.loads(row_json)["line"]
    ends = (found.start() for found in re.finditer(": ", value) if line.startswith(value[found.end() :]))
    return value[: next(ends, 0)]


def hints(rejects: ir.Table) -> str:
    """The expected form of values, for the rules that were broken."""
    broken = set(rejects.select("check_name").distinct().execute().check_name)
    return "".join(f" {hint}" for hint in dict.fromkeys(hint for check, hint in HINTS.items() if check in broken))


def _value_text(value: object) -> str:
    return f"'{printable_line(value, 60)}'" if isinstance(value, str) else "empty"
