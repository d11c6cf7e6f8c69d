"""The error for everything that is wrong with a source: its place, its format, its columns, its query."""

from __future__ import annotations

from rules.text.errors import ProductPulseError


class SourceProblem(ProductPulseError):
    """A dataset's source cannot be used. Codes begin with source, csv, json, parquet or query."""
