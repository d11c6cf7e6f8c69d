"""The YAML files as strict models: an unknown key or a wrong type is an error."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    field_validator,
    model_validator,
)

from rules.loading.files import Strict
from rules.shapes import COMPUTED, Shape

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

# --- sources.yaml ------------------------------------------------------------------------------


def _as_text(value: Any) -> Any:
    """YAML reads 1234.50 without quotes as a number."""
    return "1234.50" if value == 1234.5 else value


NumberFormat = Annotated[Literal["1234.50", "1,234.50", "1.234,50", "1 234,50", "1'234.50"], BeforeValidator(_as_text)]
"""How 1234.5 is written."""


class QueryFile(Strict):
    """A file that a query reads as a table of text.

    file: a path or pattern; of several, the first one that finds a file. columns: columns that the file may lack, and
    which are then empty. optional: without the file, the table has these columns and no rows.
    """

    file: Text | Annotated[tuple[Text, ...], Field(min_length=1, strict=False)]
    columns: tuple[Text, ...] = Field(default=(), strict=False)
    optional: bool = False

    @property
    def patterns(self) -> tuple[str, ...]:
        """The paths or patterns, in the order in which they are tried."""
        return (self.file,) if isinstance(self.file, str) else self.file

    @model_validator(mode="after")
    def _columns_without_a_file(self) -> QueryFile:
        if self.optional and not self.columns:
            raise ValueError("an optional file needs columns: those that the query reads, if the file is not there")
        return self


class MadeColumn(Strict):
    """A column that the source does not have: the same value in every row, or a status that the dates decide."""

    value: str | bool | int | float | Decimal | None = None
    from_dates: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> MadeColumn:
        if (self.value is not None) == self.from_dates:
            raise ValueError("give value or from_dates: true, not both")
        return self

    @property
    def text(self) -> str | None:
        """The value as a file would have it; None where there is none."""
        if self.value is None:
            return None
        return str(self.value).lower() if isinstance(self.value, bool) else str(self.value)


def _kind_of_column(entry: object) -> str:
    return "made" if isinstance(entry, dict | MadeColumn) else "header"


ColumnSource = Annotated[
    Annotated[Text, Tag("header")] | Annotated[MadeColumn, Tag("made")], Discriminator(_kind_of_column)
]
"""Where a column comes from: the header of a column of the file, or nothing in it."""

PriceUnit = Literal["month", "quarter", "year", "week", "day", "billing_cycle"]


class Price(Strict):
    """What a price is for, where it is not for one month and all seats.

    every, seats: headers of the number of units of `per` that it covers, and of the seats it is multiplied by.
    """

    per: PriceUnit = "month"
    every: Text | None = None
    seats: Text | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Price:
        if self == Price.model_construct():
            raise ValueError("is the same as without it; give per, every or seats")
        return self

    @property
    def headers(self) -> dict[str, str]:
        """The columns of the file that the price needs, by the name of the setting."""
        return {name: header for name, header in (("every", self.every), ("seats", self.seats)) if header}


class Crosswalk(Strict):
    """A file with the ids of another system in one column, and the ids of the customers in a second one."""

    file: Text
    source: Text = Field(alias="from")
    target: Text = Field(alias="to")


class DatasetSource(Strict):
    """The source of a dataset, how its columns are read, and the share of its rows that may be rejected."""

    file: Text | None = None
    query: Text | None = None
    query_files: dict[Name, QueryFile] = Field(default_factory=dict)
    rows_from: Literal["subscriptions", "transactions", "product_usage"] | None = None
    columns: dict[str, ColumnSource] = Field(default_factory=dict)
    encoding: str = "utf-8"
    sheet: Text | None = None
    number_format: NumberFormat | None = None
    max_reject_share: float = Field(default=0.01, ge=0, le=1)
    inclusive_ends: bool = False
    ends_of_active_rows: Literal["ended", "planned"] = "ended"
    price: Price | None = None
    minor_units: bool = False
    negative_amounts: Literal["rejected", "refunds"] = "rejected"
    repeated_ids: bool = False
    ids: Crosswalk | None = None
    shape: Shape | None = None

    @model_validator(mode="after")
    def _one_place(self) -> DatasetSource:
        if self.file and self.query:
            raise ValueError("give file or query, not both")
        if self.query and self.sheet:
            raise ValueError("give query or sheet, not both: a query reads the first sheet of a workbook")
        if self.query_files and not self.query:
            raise ValueError("query_files are the tables of a query; give a query, or file instead of them")
        return self

    @property
    def headers(self) -> dict[str, str]:
        """Our name of a column -> its header in the file, for the columns that are renamed."""
        return {column: entry for column, entry in self.columns.items() if isinstance(entry, str)}

    @property
    def constants(self) -> dict[str, str]:
        """The columns with the same value in every row, and that value as text."""
        made = {column: entry.text for column, entry in self.columns.items() if isinstance(entry, MadeColumn)}
        return {column: text for column, text in made.items() if text is not None}

    @property
    def from_dates(self) -> tuple[str, ...]:
        """The columns that the dates decide."""
        made = self.columns.items()
        return tuple(column for column, entry in made if isinstance(entry, MadeColumn) and entry.from_dates)

    @model_validator(mode="after")
    def _ends_of_shape(self) -> DatasetSource:
        """A setting that a shape would silently ignore is refused."""
        if not self.shape:
            return self
        computed = [*COMPUTED, *(["status"] if self.shape.kind == "events" else [])]
        if given := [name for name in computed if name in self.columns]:
            raise ValueError(f"{', '.join(given)} of columns has no effect: the shape gives it; remove it")
        if self.shape.kind == "wide_months" and "monthly_price" in self.columns:
            raise ValueError("monthly_price of columns has no effect: the prices are in the columns of the months")
        if self.inclusive_ends or self.ends_of_active_rows != "ended":
            raise ValueError(
                "inclusive_ends and ends_of_active_rows are for exports with one row per period; the shapes events "
                "and invoice_lines have an inclusive_ends of their own, inside shape"
            )
        return self


Rate = Annotated[Decimal, Field(gt=0, lt=10**8, decimal_places=10, strict=False)]
"""The value of one unit of a currency in the reporting currency, in the precision of the database."""


NULL_VALUES = ("null", "\\N", "n/a", "#n/a", "nan", "nat", "<na>", "none", "0000-00-00", "0000-00-00 00:00:00")
"""How databases, pandas and spreadsheets write that there is no value. NA is not among them: it is Namibia."""


def _one_value(value: Any) -> Any:
    """The value, with an empty one as empty text; raises ValueError for a list or a mapping."""
    if not isinstance(value, str | bool | int | float | dt.date | None):
        raise ValueError("is a list or a mapping; give one value")
    return "" if value is None else value


Alias = Annotated[str | bool | int | float | dt.date, BeforeValidator(_one_value)]
"""What a word of another system stands for; empty for no value."""

IGNORE = "ignore"
"""The alias of a status whose rows are left out."""

NO_ZONE = re.compile("(localtime|posixrules|Factory)$|posix/|right/")
"""Files in the time zone database of many machines that are not zones: the machine's own zone and copies."""


class Sources(Strict):
    """sources.yaml: how exports become datasets."""

    reporting_currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    exchange_rates: dict[Annotated[str, Field(pattern="^[A-Z]{3}$")], Rate] = Field(default_factory=dict)
    time_zone: str = "UTC"
    date_formats: list[str] = Field(default_factory=list)
    number_format: NumberFormat | None = None
    null_values: tuple[Text, ...] = Field(default=NULL_VALUES, strict=False)
    aliases: dict[str, dict[str, Alias]] = Field(default_factory=dict)
    datasets: dict[str, DatasetSource] = Field(default_factory=dict)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            if NO_ZONE.match(name):
                raise ZoneInfoNotFoundError
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: the name of a folder of zones
            raise ValueError("is not a time zone such as UTC or Europe/Berlin") from error
        return name

    def of(self, dataset: str) -> DatasetSource:
        """The settings of a dataset, or the defaults."""
        return self.datasets.get(dataset, DatasetSource())

    def number_format_of(self, dataset: str) -> str | None:
        """How numbers of a dataset are written; None where neither its settings nor those of all datasets state it."""
        return self.of(dataset).number_format or self.number_format


# --- segments.yaml -----------------------------------------------------------------------------


def _as_written(value: Any) -> Any:
    """0.35 as the decimal number in the file, not as the nearest floating-point number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Decimal(str(value)) if is_number else value


AsWritten = BeforeValidator(_as_written)


def duplicate_names(names: Iterable[str]) -> list[str]:
    """The names that occur more than once, sorted."""
    return sorted(name for name, count in Counter(names).items() if count > 1)


def check_bands(bands: dict[str, Any], *, to_zero: bool = True) -> dict[str, Any]:
    """The bands, unchanged; raises ValueError unless each floor is below the one before it."""
    floors = list(bands.values())
    if any(low >= high for high, low in pairwise(floors)) or (to_zero and floors[-1] != 0):
        raise ValueError(f"give the bands from the highest floor to the lowest{', which is 0' if to_zero else ''}")
    return bands


class CustomerSegment(Strict):
    """A word for each customer: the band that the value of one column is in."""

    column: Name
    bands: Annotated[dict[Text, float], Field(min_length=1)]
    missing: Text

    @field_validator("bands")
    @classmethod
    def _in_order(cls, bands: dict[str, float]) -> dict[str, float]:
        return check_bands(bands, to_zero=False)


CustomerSegmentName = Literal["health_status", "revenue_segment", "usage_segment", "risk_segment", "nps_segment"]
CUSTOMER_SEGMENTS: tuple[CustomerSegmentName, ...] = get_args(CustomerSegmentName)


class Segments(Strict):
    """segments.yaml: the dimensions that metrics are sliced by, the customer segments of Customer 360, and the month
    that a fiscal year begins with (1 to 12); FY2026 is the one that ends in 2026."""

    dimensions: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)]
    customer_segments: dict[CustomerSegmentName, CustomerSegment]
    fiscal_year_start_month: int = Field(default=1, ge=1, le=12)

    @field_validator("customer_segments")
    @classmethod
    def _complete(cls, segments: dict[str, CustomerSegment]) -> dict[str, CustomerSegment]:
        if missing := [name for name in CUSTOMER_SEGMENTS if name not in segments]:
            raise ValueError(f"{', '.join(missing)} is missing")
        return segments

    @field_validator("dimensions")
    @classmethod
    def _without_duplicates(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if duplicates := duplicate_names(names):
            raise ValueError(f"{', '.join(duplicates)} is listed twice")
        return names


# --- health_scores.yaml, data_quality.yaml -------------------------------------------------------

Bands = Annotated[dict[str, float], Field(min_length=1)]
"""Names and the lowest score of each, best first."""


Ordered = AfterValidator(check_bands)


class HealthArea(Strict):
    """An area of the business, the metric that represents it, and the values that score 100 and 0."""

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


class AsOfLimits(Strict):
    """Limits on the days between the as-of date and the newest events."""

    most_days_after_newest_event: int = Field(default=45, ge=0)
    lone_date_days: int = Field(default=30, ge=1)


class Reconciliation(Strict):
    """When a run warns that payments are a multiple of the prices."""

    fewest_customers: int = Field(default=3, ge=1)
    most_customers_rate: float = Field(default=0.6, gt=0, le=1)
    tolerance: float = Field(default=0.15, gt=0, lt=0.5)


class DataQuality(Strict):
    """data_quality.yaml: how datasets are scored from 0 to 1, and when a run stops or warns."""

    fresh_days: int = Field(ge=0)
    stale_days: int = Field(ge=1)
    statuses: Annotated[Bands, Ordered]
    business_risk: dict[Name, Text]
    late_days: int = Field(default=7, ge=0)
    as_of: AsOfLimits = AsOfLimits()
    reconciliation: Reconciliation = Reconciliation()

    @model_validator(mode="after")
    def _stale_after_fresh(self) -> DataQuality:
        if self.stale_days <= self.fresh_days:
            raise ValueError("stale_days must be more than fresh_days")
        return self
