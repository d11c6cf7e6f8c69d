"""What the YAML files may say, as strict models: an unknown key or a wrong type is an error."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from rules.files import Strict
from rules.operators import OPERATORS, value_problem

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

# --- sources.yaml ------------------------------------------------------------------------------


class DatasetSource(Strict):
    """Where one dataset comes from and how much of it may be rejected."""

    file: Text | None = None
    query: Text | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    encoding: str = "utf-8"
    max_reject_share: float = Field(default=0.01, ge=0, le=1)

    @model_validator(mode="after")
    def _one_place(self) -> DatasetSource:
        if self.file and self.query:
            raise ValueError("give file or query, not both")
        return self


class Sources(Strict):
    """sources.yaml: how exports become datasets."""

    reporting_currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    exchange_rates: dict[Annotated[str, Field(pattern="^[A-Z]{3}$")], Annotated[Decimal, Field(gt=0, strict=False)]] = (
        Field(default_factory=dict)
    )
    time_zone: str = "UTC"
    date_formats: list[str] = Field(default_factory=list)
    aliases: dict[str, dict[str, str]] = Field(default_factory=dict)
    datasets: dict[str, DatasetSource] = Field(default_factory=dict)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("is not a time zone such as UTC or Europe/Berlin") from error
        return name

    def of(self, dataset: str) -> DatasetSource:
        """What is said of a dataset, or the defaults."""
        return self.datasets.get(dataset, DatasetSource())


# --- segments.yaml -----------------------------------------------------------------------------


class Segments(Strict):
    """segments.yaml: what the metrics are sliced by."""

    dimensions: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)]

    @field_validator("dimensions")
    @classmethod
    def _named_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} is named twice")
        return names


# --- health_scores.yaml, data_quality.yaml -------------------------------------------------------

Bands = Annotated[dict[str, float], Field(min_length=1)]
"""Names and the lowest score of each, best first."""


def _in_order(bands: dict[str, float]) -> dict[str, float]:
    floors = list(bands.values())
    if floors != sorted(floors, reverse=True) or floors[-1] != 0:
        raise ValueError("give the bands from the highest floor to the lowest, which is 0")
    return bands


Ordered = AfterValidator(_in_order)


class HealthArea(Strict):
    """An area of the business, the metric that stands for it, and its two ends."""

    metric: Name | None
    healthy: float
    risk: float

    @model_validator(mode="after")
    def _has_two_ends(self) -> HealthArea:
        if self.healthy == self.risk:
            raise ValueError("healthy and risk must differ")
        return self


class HealthScores(Strict):
    """health_scores.yaml: how metrics become scores from 0 to 100."""

    statuses: Annotated[Bands, Ordered]
    areas: dict[Text, HealthArea] = Field(min_length=1)


class DataQuality(Strict):
    """data_quality.yaml: how datasets are scored from 0 to 1."""

    fresh_days: int = Field(ge=0)
    stale_days: int = Field(ge=1)
    statuses: Annotated[Bands, Ordered]
    business_risk: dict[Name, Text]

    @model_validator(mode="after")
    def _grows_stale(self) -> DataQuality:
        if self.stale_days <= self.fresh_days:
            raise ValueError("stale_days must be more than fresh_days")
        return self


# --- metric_catalog.yaml -----------------------------------------------------------------------

AGGREGATIONS = ("sum", "mean", "count", "count_distinct", "min", "max")
COMBINATIONS = ("add", "subtract", "multiply", "divide", "complement")


class Condition(Strict):
    """A row counts when its column stands in this relation to the value."""

    column: Text
    operator: Literal[tuple(OPERATORS)]
    value: Any = None

    @field_validator("value")
    @classmethod
    def _hashable(cls, value: Any) -> Any:
        """A list as a tuple: equal measures are computed once, found by their hash."""
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _value_fits(self) -> Condition:
        if problem := value_problem(self.operator, self.value):
            raise ValueError(problem)
        return self


class Measure(Strict):
    """An aggregation of one column of a model table, over the rows that meet every condition."""

    aggregation: Literal[AGGREGATIONS]
    column: Text
    where: tuple[Condition, ...] = ()
    label: Text | None = None
    unit: Literal["money", "count"] = "count"

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        return (*AGGREGATIONS, "where", "label", "unit")

    @model_validator(mode="before")
    @classmethod
    def _from_yaml(cls, data: Any) -> Any:
        """`{sum: mrr_end, where: [...]}` as aggregation and column."""
        if not isinstance(data, dict) or "aggregation" in data:
            return data
        named = [key for key in data if key in AGGREGATIONS]
        if len(named) != 1:
            raise ValueError(f"needs exactly one of {', '.join(AGGREGATIONS)}")
        rest = {key: value for key, value in data.items() if key != named[0]}
        where = rest.pop("where", [])
        where = tuple(where) if isinstance(where, list) else where
        return {"aggregation": named[0], "column": data[named[0]], "where": where, **rest}


class Ratio(Strict):
    """One measure over another; NULL where the denominator is 0."""

    numerator: Measure
    denominator: Measure


def _operand_kind(data: Any) -> Any:
    """Decide the kind by its shape, so that an error speaks of that kind alone."""
    if isinstance(data, dict):
        return Derived.model_validate(data)
    is_number = isinstance(data, int | float) and not isinstance(data, bool) and isfinite(data)
    if isinstance(data, str | Derived) or is_number:
        return data
    raise ValueError("an operand is a metric's name, a number or further arithmetic such as {add: [...]}")


class Derived(Strict):
    """Arithmetic on other metrics, numbers and further arithmetic: a tree, never a string."""

    combination: Literal[COMBINATIONS]
    operands: tuple[Annotated[str | float | int | Derived, BeforeValidator(_operand_kind)], ...]

    @model_validator(mode="before")
    @classmethod
    def _from_yaml(cls, data: Any) -> Any:
        """`{subtract: [a, b]}` as combination and operands."""
        if not isinstance(data, dict) or "combination" in data:
            return data
        if len(data) != 1 or next(iter(data)) not in COMBINATIONS:
            raise ValueError(f"needs exactly one of {', '.join(COMBINATIONS)}")
        ((combination, operands),) = data.items()
        return {
            "combination": combination,
            "operands": tuple(operands) if isinstance(operands, list) else (operands,),
        }

    @model_validator(mode="after")
    def _enough_operands(self) -> Derived:
        wanted = {"complement": (1, 1), "divide": (2, 2)}.get(self.combination, (2, None))
        count = len(self.operands)
        if count < wanted[0] or (wanted[1] and count > wanted[1]):
            exactly = f"{wanted[0]}" if wanted[1] else f"at least {wanted[0]}"
            operands = "operand" if exactly == "1" else "operands"
            raise ValueError(f"{self.combination} takes {exactly} {operands}, not {count}")
        return self


Formula = Measure | Ratio | Derived


class Trailing(Strict):
    """A period of so many months, the last complete one at its end."""

    trailing_complete_months: int = Field(ge=1, le=120)


PERIODS = ("as_of", "last_complete_month", "current")


def _period_kind(data: Any) -> Any:
    """Decide the kind by its shape, so that an error speaks of that kind alone."""
    if isinstance(data, dict):
        return Trailing.model_validate(data)
    if data is None or isinstance(data, Trailing) or data in PERIODS:
        return data
    raise ValueError(f"accepted: {', '.join(PERIODS)} or {{trailing_complete_months: n}}")


Period = Annotated[Literal[PERIODS] | Trailing | None, BeforeValidator(_period_kind)]


class Benchmark(Strict):
    """A well-known figure to hold the value against, and who published it."""

    text: Text
    source: Text


class Metric(Strict):
    """One governed metric: what it means, who answers for it, and how it is computed.

    `counted_by` names the metric that says how many customers stand behind an amount.
    """

    label: Text
    category: Literal["Revenue", "Product", "Customer", "Unit economics", "Data"]
    unit: Literal["money", "count", "rate", "ratio", "score", "days", "months", "number"]
    owner: Annotated[str, Field(pattern=r"^team:[a-z-]+$")]
    definition: Text
    purpose: Text
    interpretation: Text
    risk_if_misread: Text
    good_direction: Literal["up", "down", "neutral"]
    benchmark: Benchmark | None = None
    aliases: tuple[Text, ...] = Field(default=(), strict=False)
    counted_by: Name | None = None
    model: Text | None = None
    period: Period = None
    formula: Formula

    @field_validator("formula", mode="before")
    @classmethod
    def _formula_kind(cls, data: Any) -> Any:
        """Decide the kind by its key, so that an error speaks of that kind alone."""
        if not isinstance(data, dict):
            raise ValueError(
                f"a formula is a mapping such as {{sum: mrr_end}}; accepted keys: ratio, "
                f"{', '.join(AGGREGATIONS + COMBINATIONS)}"
            )
        if set(data) == {"ratio"}:
            return Ratio.model_validate(data["ratio"])
        kind = Measure if set(data) & set(AGGREGATIONS) else Derived
        if kind is Derived and not set(data) & set(COMBINATIONS):
            raise ValueError(f"accepted keys: ratio, {', '.join(AGGREGATIONS + COMBINATIONS)}")
        return kind.model_validate(data)

    @model_validator(mode="after")
    def _places(self) -> Metric:
        is_derived = isinstance(self.formula, Derived)
        if is_derived and (self.model or self.period):
            raise ValueError("a derived formula takes model and period from its operands; leave them out")
        if not is_derived and not (self.model and self.period):
            raise ValueError("model and period are needed beside a measure or a ratio")
        return self


class MetricCatalog(Strict):
    """metric_catalog.yaml: every metric there is."""

    activation_threshold: int = Field(ge=0)
    metrics: dict[Name, Metric] = Field(min_length=1)
