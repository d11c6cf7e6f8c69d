"""The first line of a CSV file: its delimiter and the names of its columns."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from productpulse_assets.sources.readers.blanks import plain_name, trimmed
from productpulse_assets.sources.readers.csv_text import (
    BOM,
    UnreadableSource,
    empty_file,
    ending_of,
    has_bare_carriage_returns,
    head_of,
)

OURS = ("source_file", "row_number")
MAX_COLUMNS = 1_000
"""More columns than any spreadsheet is kept with by hand; a query of so many takes a minute to build."""

CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Characters that no name has but by damage; line breaks and tabs are found in spreadsheets' headings."""

VALUE = re.compile(r"(?=.*\d)[-+.,:/ \dTZ]+")
"""A number, a date or a time."""


FOR_EXCEL = re.compile(rb'"?sep=([,;\t|])"?', re.IGNORECASE)
"""A line above the header that tells Excel the delimiter."""


@dataclass(frozen=True)
class Header:
    """columns: the names, trimmed, in file order. data_offset: where the first data row
    starts, in bytes of the UTF-8 text. starts_file: nothing comes before the header, no blank
    line and no line for Excel. is_crlf: the header ends in CR LF."""

    columns: tuple[str, ...]
    delimiter: str
    data_offset: int
    starts_file: bool
    is_crlf: bool


def header_of(path: Path, encoding: str) -> Header:
    """The header of a CSV or TSV file, from its first megabyte.

    A first line such as sep=; names the delimiter, as Excel has it. Raises UnreadableSource when
    there is no header, when it is not valid CSV or not text in this encoding, and when a name is
    empty, used twice, or one of ours.
    """
    head = head_of(path, encoding)
    if has_bare_carriage_returns(head):
        head = head.replace(b"\r", b"\n")
    text = io.BytesIO(head.removeprefix(BOM))
    bom_length = len(head) - len(text.getvalue())
    line = _next_line(text)
    named = FOR_EXCEL.fullmatch(line.rstrip(b"\r\n"))
    line = _next_line(text) if named else line
    if not line:
        raise empty_file(path)
    start = text.tell() - len(line)
    delimiter = named[1].decode() if named else _delimiter(line, ending_of(path) == ".tsv")
    text.seek(start)
    try:
        decoded = (physical.decode("utf-8") for physical in iter(text.readline, b""))
        names = next(csv.reader(decoded, delimiter=delimiter, strict=True))
    except UnicodeDecodeError as error:
        raise UnreadableSource(
            f"{path.name}: the header is not text in the encoding {encoding} (byte "
            f"0x{error.object[error.start]:02x}). Set encoding: for the dataset in "
            f"sources.yaml, for example cp1252, or save the file as UTF-8."
        ) from error
    except csv.Error as error:
        raise UnreadableSource(
            f"{path.name}: the header line cannot be split into column names "
            f"({str(error).replace(chr(9), 'tab')}). Mend the quotes in the first line, or export the file again."
        ) from error
    columns = checked_names(path, map(trimmed, names))
    is_crlf = text.getvalue()[: text.tell()].endswith(b"\r\n")
    return Header(columns, delimiter, bom_length + text.tell(), start == 0, is_crlf)


def _next_line(text: io.BytesIO) -> bytes:
    """The next line that is not blank; nothing at the end."""
    while (line := text.readline()) and not line.strip(b"\r\n"):
        pass
    return line


def _delimiter(line: bytes, is_tab_separated: bool) -> str:
    if is_tab_separated:
        return "\t"
    outside_quotes = b"".join(line.split(b'"')[::2])
    present = (d for d in (",", ";", "\t") if d.encode() in outside_quotes)
    return next(present, ",")


def checked_names(path: Path, names: Iterable[str]) -> tuple[str, ...]:
    """The names as they are. Raises UnreadableSource for too many names, for an empty name, for one
    with a control character, for two names that differ by case (DuckDB takes them for one) or by
    the blanks around them, and for names that we add ourselves."""
    columns = tuple(names)
    if len(columns) > MAX_COLUMNS:
        raise UnreadableSource(
            f"{path.name} has {len(columns):,} columns; up to {MAX_COLUMNS:,} are read. Export only the columns that "
            f"are needed, or check that the lines of the file end where rows do."
        )
    seen: dict[str, str] = {}
    for position, name in enumerate(columns, start=1):
        if not trimmed(name):
            raise UnreadableSource(
                f"{path.name}: column {position} of {len(columns)} has no name. Name it in the "
                f"file's header, or take the column out."
            )
        if CONTROLS.search(name):
            raise UnreadableSource(
                f"{path.name}: the column name {_shown(name)} has a control character in it, so the file is "
                f"damaged or not text. Export it again."
            )
        if (plain := plain_name(name)) in seen:
            if values := values_in(columns):
                raise UnreadableSource(f"{path.name}: {no_header(values)}")
            raise UnreadableSource(
                f"{path.name}: the column names {_shown(seen[plain])} and {_shown(name)} are the "
                f"same (case does not count). Rename or remove one of the two columns."
            )
        if plain in OURS:
            raise UnreadableSource(
                f"{path.name}: a column is named {name!r}, which is the name ProductPulse gives "
                f"to where a row came from. Rename the column in the file."
            )
        seen[plain] = name
    return columns


def values_in(columns: Sequence[str]) -> tuple[str, ...]:
    """The names that can only be values: the first line may be a row, and the others a customer's name."""
    return tuple(name for name in columns if VALUE.fullmatch(name))


def no_header(values: Sequence[str]) -> str:
    """What to do about a file whose first line is a row; the only words of it that are shown are `values`."""
    return (
        f"its first line has {', '.join(values[:3])} where names of columns are expected. Add a line with the names, "
        "or export the file with its header."
    )


def _shown(name: str) -> str:
    return repr(name if len(name) <= 60 else f"{name[:57]}...")
