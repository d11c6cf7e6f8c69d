"""Dates and amounts of billing cycles: months ahead, whole cycles, prorated cents.

Days of the month are 1 to 28, so that every month has them.
"""

import numpy as np


def _months(days: np.ndarray) -> np.ndarray:
    """The month of each day, in months since 1970-01."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def month_start(days: np.ndarray) -> np.ndarray:
    """The first day of the month of each day."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def add_months(days: np.ndarray, months: np.ndarray) -> np.ndarray:
    """The same day of the month, `months` later (or earlier)."""
    first = (_months(days) + months).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    moved: np.ndarray = first + days - month_start(days)
    return moved


def whole_cycles(anchor: np.ndarray, days: np.ndarray, cycle_months: np.ndarray) -> np.ndarray:
    """How many cycles of `cycle_months` have ended between each anchor and each day; negative before it."""
    is_earlier_in_month = days - month_start(days) < anchor - month_start(anchor)
    cycles: np.ndarray = (_months(days) - _months(anchor) - is_earlier_in_month) // cycle_months
    return cycles


def prorated_cents(cents: np.ndarray, days: np.ndarray, of_days: np.ndarray) -> np.ndarray:
    """The part of `cents` for `days` of `of_days`, rounded half up to a whole cent."""
    part: np.ndarray = (2 * cents * days + of_days) // (2 * of_days)
    return part
