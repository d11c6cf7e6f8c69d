"""The shapes that an export of subscriptions may have instead of one row per period: `shape` in sources.yaml."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from rules.loading.files import Strict

Header = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Words = Annotated[tuple[Header, ...], Field(strict=False)]


class MonthlySnapshots(Strict):
    """One row per customer (and subscription) and month, with the price of that month."""

    kind: Literal["monthly_snapshots"]
    month: Header

    @property
    def headers(self) -> dict[str, str]:
        """The columns that the shape needs besides ours: the key in the file and the column's name."""
        return {"month": self.month}


class WideMonths(Strict):
    """One row per customer (and subscription), and one column per month with its price."""

    kind: Literal["wide_months"]

    @property
    def headers(self) -> dict[str, str]:
        """None: the months are found by the form of their names."""
        return {}


class EventWords(Strict):
    """The words of an export for what happened to a subscription; case does not count."""

    new: Words = ("new", "created", "started", "activated", "subscribed", "signup")
    change: Words = ("change", "changed", "updated", "upgrade", "upgraded", "downgrade", "downgraded", "renewed")
    end: Words = ("end", "ended", "cancelled", "canceled", "churn", "churned", "expired", "deleted", "terminated")
    reactivate: Words = ("reactivate", "reactivated", "resumed", "restarted")

    def kinds(self) -> dict[str, str]:
        """Each word in lower case, and what it means; the words of the file count before the usual ones."""
        usual = {word: kind for kind, field in type(self).model_fields.items() for word in field.default}
        return usual | {word.lower(): kind for kind in self._given() for word in getattr(self, kind)}

    def _given(self) -> list[str]:
        return [kind for kind in type(self).model_fields if kind in self.model_fields_set]

    @model_validator(mode="after")
    def _one_meaning(self) -> EventWords:
        every = [word.lower() for kind in self._given() for word in getattr(self, kind)]
        if doubled := sorted(word for word, times in Counter(every).items() if times > 1):
            raise ValueError(f"{', '.join(doubled)} is listed twice; give each word once")
        return self


class Events(Strict):
    """One row per change of a subscription, with the price after it."""

    kind: Literal["events"]
    event: Header
    date: Header
    words: EventWords = EventWords()
    inclusive_ends: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """The columns that the shape needs besides ours: the key in the file and the column's name."""
        return {"event": self.event, "date": self.date}


class InvoiceLines(Strict):
    """One row per invoice line, with the days that it covers and its amount."""

    kind: Literal["invoice_lines"]
    first_day: Header = Field(alias="from")
    last_day: Header = Field(alias="to")
    inclusive_ends: bool | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The columns that the shape needs besides ours: the key in the file and the column's name."""
        return {"from": self.first_day, "to": self.last_day}

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """The keys that the shape has in the file."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())


Shape = Annotated[MonthlySnapshots | WideMonths | Events | InvoiceLines, Field(discriminator="kind")]

COMPUTED = ("start_date", "end_date")
"""Columns of subscriptions that a shape gives; a column of the file cannot be set for them."""
