"""metric_catalog.yaml as a model: metrics as data, in a small typed grammar."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, field_validator, model_validator

from rules.loading.files import Strict
from rules.models import AsWritten, Name, Text
from rules.operators import Operator, value_problem

Aggregation = Literal["sum", "mean", "count", "count_distinct", "min", "max"]
AGGREGATIONS: tuple[Aggregation, ...] = get_args(Aggregation)
Combination = Literal["add", "subtract", "multiply", "divide", "complement"]
COMBINATIONS: tuple[Combination, ...] = get_args(Combination)


class Condition(Strict):
    """A filter: the rows whose column satisfies the operator with the value."""

    column: Text
    operator: Operator
    value: Any = None

    @field_validator("value")
    @classmethod
    def _hashable(cls, value: Any) -> Any:
        """A list as a tuple: equal measures are found by their hash and computed once."""
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _value_fits(self) -> Condition:
        if problem := value_problem(self.operator, self.value):
            raise ValueError(problem)
        return self


class Measure(Strict):
    """An aggregation of one column of a model table, over the rows that meet every condition."""

    aggregation: Aggregation
    column: Text
    where: tuple[Condition, ...] = ()
    label: Text | None = None
    unit: Literal["money", "count"] = "count"

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """The keys that a measure has in the file."""
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
    """Choose the type by the value's shape, so that an error is about that type only."""
    if isinstance(data, dict):
        return Derived.model_validate(data)
    is_number = isinstance(data, int | float) and not isinstance(data, bool) and isfinite(data)
    if isinstance(data, str | Derived) or is_number:
        return data
    raise ValueError("an operand is a metric's name, a number or further arithmetic such as {add: [...]}")


class Derived(Strict):
    """Arithmetic on other metrics, numbers and further arithmetic: a tree, never a string."""

    combination: Combination
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
    """A number of months that end with the last complete month."""

    trailing_complete_months: int = Field(ge=1, le=120)


PeriodName = Literal["as_of", "last_complete_month", "current"]
PERIODS: tuple[PeriodName, ...] = get_args(PeriodName)


def _period_kind(data: Any) -> Any:
    """Choose the type by the value's shape, so that an error is about that type only."""
    if isinstance(data, dict):
        return Trailing.model_validate(data)
    if data is None or isinstance(data, Trailing) or data in PERIODS:
        return data
    raise ValueError(f"accepted: {', '.join(PERIODS)} or {{trailing_complete_months: n}}")


Period = Annotated[PeriodName | Trailing | None, BeforeValidator(_period_kind)]


class Benchmark(Strict):
    """A published figure to compare the value with, and who published it."""

    text: Text
    source: Text


class Basis(Strict):
    """A dataset that a metric can be computed from, and what it then means, in a sentence."""

    dataset: Name
    text: Text


class Metric(Strict):
    """One governed metric: its meaning, its owner and its formula.

    `counted_by` names the metric that counts the customers of an amount. `basis` has the datasets of which one is
    enough: the first one that is there is used.
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
    basis: tuple[Basis, ...] = Field(default=(), strict=False)
    model: Text | None = None
    period: Period = None
    formula: Formula

    def names_in_targets(self, name: str) -> frozenset[str]:
        """What targets may call the metric of this name, in lower case: its name, its label and its aliases."""
        return frozenset(text.casefold() for text in (name, self.label, *self.aliases))

    def is_target_in_percent(self, target: float) -> bool:
        """Whether a target of this metric seems to mean percent: 5 for 5 %, which is written 0.05.

        A share of something bad cannot be 1 or more on purpose; other shares, such as a retention of 110 %, can.
        """
        return self.unit == "rate" and (target >= 1 if self.good_direction == "down" else target >= 2)

    @field_validator("formula", mode="before")
    @classmethod
    def _formula_kind(cls, data: Any) -> Any:
        """Choose the type by the value's key, so that an error is about that type only."""
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
    def _has_period_or_operands(self) -> Metric:
        is_derived = isinstance(self.formula, Derived)
        if is_derived and (self.model or self.period):
            raise ValueError("a derived formula takes model and period from its operands; leave them out")
        if not is_derived and not (self.model and self.period):
            raise ValueError("a measure or a ratio needs model and period")
        return self


Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Margin = Annotated[Decimal, Field(gt=0, le=1, decimal_places=4, strict=False), AsWritten]


class MetricCatalog(Strict):
    """metric_catalog.yaml: every metric, by its name.

    gross_margin: by the month from which it holds, the share of revenue left after the cost of delivering the product.
    """

    activation_threshold: int = Field(ge=0)
    gross_margin: dict[Month, Margin] = Field(default_factory=dict)
    metrics: dict[Name, Metric] = Field(min_length=1)
