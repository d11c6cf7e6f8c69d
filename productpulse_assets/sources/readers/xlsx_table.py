"""One sheet of an Excel workbook as a table of text, with the values that a CSV export of it would have.

python-calamine reads the cells. It reads errors (#N/A) and formulas without a stored result as empty cells, which would
be another value than the workbook has, so the sheet's XML is searched for both.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa
import sqlglot.expressions as sge
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.readers.column_names import checked_names
from productpulse_assets.sources.readers.gzip_files import HARMLESS_BYTES, MAX_GROWTH
from productpulse_assets.sources.readers.text_file import DISK_FULL, empty_file
from rules.text.formats import one_line

BATCH_ROWS = 10_000
CHUNK_BYTES = 4 << 20
MAX_CELLS = 100_000_000
"""The reader keeps every cell between the first one and the last one in memory, empty ones too."""

OLE = b"\xd0\xcf\x11\xe0"
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*)(?<!/)>(.*?)</(?:\w+:)?c>", re.DOTALL)
PLACE = re.compile(rb"\br=[\"']([A-Z]{1,3})(\d{1,7})[\"']")
ERROR = re.compile(rb"\bt=[\"']e[\"']")
TEXT = re.compile(rb"\bt=[\"']str[\"']")
FORMULA = re.compile(rb"<(?:\w+:)?f\b")
RESULT = re.compile(rb"<(?:\w+:)?v\b[^>]*>([^<]*)</")
SHEET = re.compile(rb"<(?:\w+:)?sheet\b[^>]*?\br:id=[\"']([^\"']*)[\"']")
TARGET = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")
ATTRIBUTE = re.compile(rb"\b(Id|Target)=[\"']([^\"']*)[\"']")

UNREADABLE = (
    CalamineError, zipfile.BadZipFile, zlib.error, EOFError, IndexError, KeyError, NotImplementedError, RuntimeError,
    ValueError,
)  # fmt: skip
"""What calamine and zipfile raise for damaged workbooks, and for archives of other things."""

Cell = tuple[int, int]
"""Row and column, the first ones are 0."""


class Rows(NamedTuple):
    """A sheet's columns, and the text of each row that is not empty."""

    columns: tuple[str, ...]
    rows: Iterator[list[str | None]]


@dataclass
class Found:
    """What a sheet's XML has. height, width: up to the last cell. errors: the text of each cell with an error."""

    height: int = 0
    width: int = 0
    errors: dict[Cell, str] = field(default_factory=dict)


def load_xlsx(
    con: duckdb.DuckDBPyConnection, table: str, path: Path, sheet: str | None = None, decimal_sign: str = "."
) -> None:
    """Creates the temp table `table` from a sheet, by default the first visible one; every value is text, with
    `decimal_sign` in numbers. Raises SourceProblem."""
    columns, rows = read_sheet(path, sheet, decimal_sign)
    names = [sge.to_identifier(name, quoted=True).sql("duckdb") for name in columns]
    types = ", ".join(["source_file VARCHAR", "row_number BIGINT", *(f"{name} VARCHAR" for name in names)])
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({types})")
    first = 1
    while batch := list(islice(rows, BATCH_ROWS)):
        content = [pa.array(values, pa.string()) for values in zip(*batch, strict=True)]
        numbers = pa.array(range(first, first + len(batch)), pa.int64())
        place = [pa.array([path.name] * len(batch), pa.string()), numbers]
        con.from_arrow(pa.table([*place, *content], ["source_file", "row_number", *columns])).insert_into(table)
        first += len(batch)


def xlsx_columns(path: Path, sheet: str | None = None) -> tuple[str, ...]:
    """The columns of a sheet: its first row that is not empty. Raises SourceProblem."""
    return read_sheet(path, sheet).columns


def read_sheet(path: Path, sheet: str | None, decimal_sign: str = ".") -> Rows:
    """The columns and rows of a sheet; columns with neither a name nor a value are left out. Raises SourceProblem."""
    with _readable(path):
        _refuse_bombs(path)
        workbook = CalamineWorkbook.from_path(str(path))
        position = _position(path, workbook, sheet)
        found = _search(path, position)
        cells = workbook.get_sheet_by_index(position)
    rows = _lines(cells, found, decimal_sign)
    header = next(rows, None)
    if header is None:
        raise empty_file(path)
    used = [n for n, name in enumerate(header) if name]
    if len(used) < len(header):
        others = {n for row in _lines(cells, found, decimal_sign) for n, text in enumerate(row) if text}
        used = sorted({*used, *others})
    columns = checked_names(path, [header[n] or "" for n in used])
    return Rows(columns, ([row[n] for n in used] for row in rows))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Errors of a workbook that is not one, or is damaged or protected, as SourceProblem."""
    try:
        with path.open("rb") as stream:
            content = stream.read(len(OLE))
            content += stream.read() if content == OLE else b""
        if content.startswith(OLE):
            raise _ole_problem(path, is_encrypted=ENCRYPTED in content)
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            raise
        raise SourceProblem(
            "source.cannot_open",
            f"{path.name} cannot be opened: {error.strerror or error}. Check the path in sources.yaml and the file's "
            "permissions.",
            file=path.name,
        ) from error
    except UNREADABLE as error:
        raise SourceProblem(
            "xlsx.unreadable",
            f"{path.name} cannot be read as an Excel workbook: it is damaged or another format. Save it again as .xlsx "
            "from Excel, or correct its ending.",
            file=path.name,
        ) from error


def _ole_problem(path: Path, *, is_encrypted: bool) -> SourceProblem:
    if is_encrypted:
        return SourceProblem(
            "xlsx.encrypted",
            f"{path.name} is protected with a password. Save it without one: in Excel, File > Info > Protect Workbook.",
            file=path.name,
        )
    return SourceProblem(
        "xlsx.old_format",
        f"{path.name} is an old Excel workbook (.xls). Save it as an Excel workbook (.xlsx), or as 'CSV UTF-8'.",
        file=path.name,
    )


def _refuse_bombs(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        size = sum(part.file_size for part in archive.infolist())
    if size > max(HARMLESS_BYTES, MAX_GROWTH * path.stat().st_size):
        raise SourceProblem(
            "xlsx.too_large",
            f"{path.name} unpacks to more than {MAX_GROWTH} times its size, which no export does. If you know what it "
            "is, save its rows as CSV.",
            file=path.name,
        )


def _position(path: Path, workbook: CalamineWorkbook, sheet: str | None) -> int:
    """The place of the sheet in the workbook; without a name, the first visible one with cells."""
    about = list(enumerate(workbook.sheets_metadata))
    with_cells = [(n, each) for n, each in about if each.typ == SheetTypeEnum.WorkSheet]
    if sheet is None:
        visible = [n for n, each in with_cells if each.visible == SheetVisibleEnum.Visible]
        if not visible:
            raise empty_file(path)
        return visible[0]
    for n, each in with_cells:
        if each.name.strip().casefold() == sheet.strip().casefold():
            return n
    names = ", ".join(one_line(each.name, 60) for _n, each in with_cells)
    raise SourceProblem(
        "xlsx.unknown_sheet",
        f"{path.name} has no sheet '{one_line(sheet, 60)}'; it has {names}. "
        "Correct sheet: of the dataset in sources.yaml.",
        file=path.name,
        sheet=sheet,
    )


def _search(path: Path, position: int) -> Found:
    """The extent and the errors of a sheet. Raises SourceProblem for a formula without a result, and a huge extent."""
    found = Found()
    with zipfile.ZipFile(path) as archive, archive.open(_part(archive, position)) as stream:
        rest = b""
        while chunk := stream.read(CHUNK_BYTES):
            whole, mark, rest = (rest + chunk).rpartition(b"row>")
            _search_cells(path, whole + mark, found)
        _search_cells(path, rest, found)
    if found.height * found.width > MAX_CELLS:
        raise SourceProblem(
            "xlsx.too_many_cells",
            f"{path.name} has cells as far as row {found.height:,} and column {found.width:,}: more than "
            f"{MAX_CELLS:,} cells. Delete what is far from the table, or save its rows as CSV.",
            file=path.name,
        )
    return found


def _part(archive: zipfile.ZipFile, position: int) -> str:
    """The file of a sheet in the archive."""
    ids = SHEET.findall(archive.read("xl/workbook.xml"))
    relations = [dict(ATTRIBUTE.findall(each)) for each in TARGET.findall(archive.read("xl/_rels/workbook.xml.rels"))]
    targets = {about[b"Id"]: about[b"Target"] for about in relations}
    target = targets[ids[position]].decode()
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _search_cells(path: Path, xml: bytes, found: Found) -> None:
    for column, row in PLACE.findall(xml):
        found.height, found.width = max(found.height, int(row)), max(found.width, _number(column))
    if not (FORMULA.search(xml) or ERROR.search(xml)):
        return
    for about, content in CELL.findall(xml):
        place, result = PLACE.search(about), RESULT.search(content)
        if ERROR.search(about) and place:
            found.errors[int(place[2]) - 1, _number(place[1]) - 1] = result[1].decode() if result else "#N/A"
        elif FORMULA.search(content) and not (result and result[1].strip()) and not TEXT.search(about):
            where = f" in {place[1].decode()}{place[2].decode()}" if place else ""
            raise SourceProblem(
                "xlsx.formula_without_result",
                f"{path.name} has a formula without a result{where}: the program that wrote it has not computed it. "
                "Open the workbook in Excel and save it.",
                file=path.name,
            )


def _number(letters: bytes) -> int:
    """The number of a column: 1 for A, 27 for AA."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _lines(sheet: CalamineSheet, found: Found, decimal_sign: str) -> Iterator[list[str | None]]:
    """The text of each row that is not empty."""
    rows_with_errors = {row for row, _column in found.errors}
    for number, values in enumerate(sheet.iter_rows()):
        texts = [_text(value, decimal_sign) for value in values]
        if number in rows_with_errors:
            texts = [found.errors.get((number, column), text) for column, text in enumerate(texts)]
        if any(texts):
            yield texts


def _text(value: object, decimal_sign: str) -> str | None:
    """A cell's value as a CSV has it: dates in ISO, whole numbers without a fraction; None for an empty cell."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return _number_text(float(value)).replace(".", decimal_sign)
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(int(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value) or None


def _number_text(number: float) -> str:
    """A number with the 15 digits that Excel has, without an exponent."""
    text = format(Decimal(format(number, ".15g")), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
