"""Builds Arrow columns from numpy arrays and draws random codes, without a loop over rows."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MONEY = pa.decimal128(18, 2)
Columns = TypeVar("Columns", bound="DataclassInstance")


def ids(prefix: str, *parts: tuple[np.ndarray, int]) -> pa.Array:
    """Text ids such as C-000042 or S-000042-01: the prefix, then numbers at fixed widths.

    Each part is (numbers, digits); numbers must fit their digits. The text is written as
    bytes, one column of digits at a time, because formatting row by row takes minutes for a
    large company.
    """
    rows = len(parts[0][0])
    width = len(prefix) + sum(digits + 1 for _, digits in parts)
    text = np.empty((rows, width), dtype=np.uint8)
    text[:, : len(prefix)] = np.frombuffer(prefix.encode("ascii"), dtype=np.uint8)
    end = len(prefix)
    for numbers, digits in parts:
        text[:, end] = ord("-")
        end += digits + 1
        rest = np.asarray(numbers, dtype=np.uint32)
        for place in range(end - 1, end - digits - 1, -1):
            quotient = rest // np.uint32(10)
            text[:, place] = rest - quotient * np.uint32(10) + ord("0")
            rest = quotient
    offsets = np.arange(0, rows * width + 1, width, dtype=np.int32)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(text))


def labels(names: Sequence[str], codes: np.ndarray) -> pa.Array:
    """The name at each code, as text."""
    return pa.array(names, pa.string()).take(pa.array(codes))


def money(cents: np.ndarray) -> pa.Array:
    """Whole non-negative cents as a DECIMAL(18,2) column."""
    words = np.zeros((len(cents), 2), dtype="<i8")
    words[:, 0] = cents
    return pa.Array.from_buffers(MONEY, len(cents), [None, pa.py_buffer(words)])


def dates(days: np.ndarray, known: np.ndarray | None = None) -> pa.Array:
    """Days since 1970-01-01 as dates; NULL where `known` is false."""
    mask = None if known is None else ~known
    return pa.array(np.asarray(days, dtype=np.int32), pa.int32(), mask=mask).cast(pa.date32())


def whole_numbers(values: np.ndarray) -> pa.Array:
    """Counts as an int64 column."""
    return pa.array(np.asarray(values, dtype=np.int64))


def draw(rng: np.random.Generator, shares: Sequence[float] | np.ndarray, rows: int) -> np.ndarray:
    """Draw `rows` positions in `shares`, with the shares as weights."""
    limits = np.cumsum(np.asarray(shares, dtype=float))
    picked = np.searchsorted(limits / limits[-1], rng.random(rows), side="right")
    return np.minimum(picked, len(limits) - 1)


def draw_by(rng: np.random.Generator, shares: Sequence[Sequence[float]], group: np.ndarray) -> np.ndarray:
    """Draw one position for each row of `group`, with the shares of its group as weights."""
    limits = np.cumsum(np.asarray(shares, dtype=float), axis=1)
    limits /= limits[:, -1:]
    chance = rng.random(len(group))
    position: np.ndarray = (chance[:, None] >= limits[group, :-1]).sum(axis=1)
    return position


def is_first_of_run(values: np.ndarray) -> np.ndarray:
    """Whether each value differs from the one before it."""
    is_first = np.ones(len(values), dtype=bool)
    is_first[1:] = values[1:] != values[:-1]
    return is_first


def sequence_within(customer: np.ndarray) -> np.ndarray:
    """1, 2, 3... within each run of equal customers."""
    position = np.arange(len(customer))
    starts = np.where(is_first_of_run(customer), position, 0)
    return position - np.maximum.accumulate(starts) + 1


def take_rows(columns: Columns, rows: np.ndarray) -> Columns:
    """The dataclass of arrays, with each array at the positions `rows`."""
    return replace(columns, **{field.name: getattr(columns, field.name)[rows] for field in fields(columns)})
