"""The type of money and the number of months between two days, for rules, checks and tables."""

from __future__ import annotations

import ibis.expr.types as ir

MONEY = "decimal(18, 2)"
"""An amount in the reporting currency, as every table stores it."""


def months_between(first: ir.DateValue, last: ir.DateValue) -> ir.IntegerValue:
    """Calendar months from the month of `first` to that of `last`; negative when `last` is earlier."""
    return ((last.year() - first.year()) * 12 + last.month() - first.month()).cast("int64")
