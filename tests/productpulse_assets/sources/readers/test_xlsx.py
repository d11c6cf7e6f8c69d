"""Excel workbooks: the sheet, its header and its cells, as a CSV export of it has them."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import ibis
import openpyxl
import pytest

from productpulse_assets.sources.readers import xlsx_table
from productpulse_assets.sources.readers.raw_rows import columns_of, read_files
from resources.tables import rows_of
from rules.models import DatasetSource, Sources
from tests.errors import raises
from tests.productpulse_assets.sources.staged import staged

HEADER = ["customer_id", "signup_date", "segment"]


def write(path: Path, *sheets: Sequence[Sequence[object]], hidden: Sequence[int] = ()) -> Path:
    """A workbook with these sheets, which are called Sheet1, Sheet2 and so on."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    for number, rows in enumerate(sheets, 1):
        sheet = workbook.create_sheet(f"Sheet{number}")
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if number in hidden else "visible"
    workbook.save(path)
    return path


def changed(path: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    """The workbook with another content of one of the files in it."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = change(parts[part])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


@pytest.fixture(scope="module")
def backend():
    return ibis.duckdb.connect()


@pytest.fixture
def read(backend, tmp_path) -> Callable[..., list[dict]]:
    def rows(path: Path, **about) -> list[dict]:
        found = read_files(backend, "customers", [path], scratch=tmp_path / "scratch", **about)
        assert columns_of(backend, [path], scratch=tmp_path / "scratch", sheet=about.get("sheet")) == found.columns
        return rows_of(found.rows.drop("source_file"))

    return rows


def test_cells_become_the_text_that_a_csv_has(read, tmp_path):
    values = {
        "whole": (7, "7"),
        "decimal": (1234.5, "1234.5"),
        "sum": (0.1 + 0.2, "0.3"),
        "tiny": (1e-7, "0.0000001"),
        "large": (123456789012345, "123456789012345"),
        "text": (" 007 ", " 007 "),
        "day": (dt.date(2026, 1, 5), "2026-01-05"),
        "moment": (dt.datetime(2026, 1, 5, 14, 30, 15), "2026-01-05 14:30:15"),
        "time": (dt.time(12, 30), "12:30:00"),
        "duration": (dt.timedelta(hours=30), "30:00:00"),
        "yes": (True, "TRUE"),
        "error": ("#N/A", "#N/A"),
        "empty": (None, None),
    }
    path = write(tmp_path / "a.xlsx", [list(values), [value for value, _text in values.values()]])
    assert read(path) == [{"row_number": 1} | {name: text for name, (_value, text) in values.items()}]


def test_the_header_is_the_first_row_with_a_value_and_empty_rows_and_columns_do_not_count(read, tmp_path):
    rows = [[], [None, *HEADER, None], [None, "C1", "2026-01-05", None, None], [], [None, "C2", None, "SMB", None]]
    assert read(write(tmp_path / "a.xlsx", rows)) == [
        {"row_number": 1, "customer_id": "C1", "signup_date": "2026-01-05", "segment": None},
        {"row_number": 2, "customer_id": "C2", "signup_date": None, "segment": "SMB"},
    ]


def test_the_sheet_is_the_first_visible_one_or_the_one_that_is_named(read, tmp_path):
    path = write(tmp_path / "a.xlsx", [["a"], [1]], [["b"], [2]], [["c"], [3]], hidden=[1])
    assert read(path) == [{"row_number": 1, "b": "2"}]
    assert read(path, sheet=" sheet3 ") == [{"row_number": 1, "c": "3"}]
    assert read(path, sheet="Sheet1") == [{"row_number": 1, "a": "1"}]
    with raises("xlsx.unknown_sheet"):
        read(path, sheet="Export")


def test_errors_stay_at_their_cells_and_a_formula_needs_a_result(read, tmp_path):
    path = write(tmp_path / "a.xlsx", [["a", "b"], [1, "#REF!"], ["#DIV/0!", 2]])
    assert [(row["a"], row["b"]) for row in read(path)] == [("1", "#REF!"), ("#DIV/0!", "2")]
    empty_text = changed(
        write(tmp_path / "b.xlsx", [["a", "b"], [1, 2]]),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(
            b'<c r="B2" t="n"><v>2</v></c>', b'<c r="B2" t="str"><f>IF(A2=1,"","x")</f><v></v></c>'
        ),
    )
    assert [(row["a"], row["b"]) for row in read(empty_text)] == [("1", None)]
    with raises("xlsx.formula_without_result"):
        read(write(tmp_path / "c.xlsx", [["a", "b"], [1, "=A2+1"]]))


def test_columns_without_a_name_that_have_values_are_refused(read, tmp_path):
    with raises("source.column_without_name"):
        read(write(tmp_path / "a.xlsx", [["a", None], [1, 2]]))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "xlsx.unreadable"),
        (b"customer_id,signup_date\nC1,2026-01-05\n", "xlsx.unreadable"),
        (b"PK\x03\x04" + bytes(100), "xlsx.unreadable"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "xlsx.old_format"),
        (b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "xlsx.encrypted"),
    ],
)
def test_files_that_are_not_readable_workbooks_are_refused(read, tmp_path, content, code):
    path = tmp_path / "customers.xlsx"
    path.write_bytes(content)
    with raises(code):
        read(path)


def test_archives_of_other_things_and_damaged_workbooks_are_refused(read, tmp_path):
    path = tmp_path / "customers.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("customers.csv", "customer_id\n")
    with raises("xlsx.unreadable"):
        read(path)
    content = write(path, [HEADER, ["C1", "2026-01-05", "SMB"]]).read_bytes()
    for length in range(0, len(content), 500):
        path.write_bytes(content[:length])
        with raises("xlsx.unreadable"):
            read(path)


def test_workbooks_without_cells_are_refused(read, tmp_path):
    with raises("source.empty"):
        read(write(tmp_path / "customers.xlsx", []))


def test_huge_workbooks_are_refused_before_they_fill_the_memory(read, tmp_path, monkeypatch):
    path = write(tmp_path / "customers.xlsx", [HEADER, ["C1", "2026-01-05", "SMB"]])
    far = changed(path, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'r="C2"', b'r="XFD1048576"'))
    with raises("xlsx.too_many_cells"):
        read(far)
    monkeypatch.setattr(xlsx_table, "HARMLESS_BYTES", 0)
    packed = changed(path, "xl/worksheets/sheet1.xml", lambda xml: xml + bytes(4_000_000))
    with raises("xlsx.too_large"):
        read(packed)


def test_a_workbook_that_cannot_be_opened(read, tmp_path):
    (tmp_path / "customers.xlsx").mkdir()
    with raises("source.cannot_open"):
        read(tmp_path / "customers.xlsx")


def test_only_workbooks_have_sheets(read, tmp_path):
    (tmp_path / "customers.csv").write_text("customer_id\nC1\n")
    with raises("source.no_sheets"):
        read(tmp_path / "customers.csv", sheet="Sheet1")


@pytest.mark.slow
@pytest.mark.parametrize("number_format", ["1.234,50", "1,234.50", None])
def test_numbers_of_their_own_type_do_not_depend_on_the_number_format(backend, tmp_path, number_format):
    """1.234 is one and a quarter in a cell and in JSON, also where texts have points for thousands."""
    rows = [["a", 1.234], ["b", 1234.5], ["c", 2], ["d", 0.5]]
    write(tmp_path / "acquisition_channels.xlsx", [["channel_name", "cost_per_acquisition"], *rows])
    expected = {"a": Decimal("1.23"), "b": Decimal("1234.50"), "c": Decimal(2), "d": Decimal("0.50")}
    sources = Sources(number_format=number_format)
    outcome = staged(backend, tmp_path, "acquisition_channels", sources, {})
    assert dict(outcome.kept_values("channel_name", "cost_per_acquisition")) == expected
    (tmp_path / "acquisition_channels.xlsx").unlink()
    lines = [f'{{"channel_name": "{name}", "cost_per_acquisition": {value}, "note": null}}' for name, value in rows]
    text = {"1.234,50": '"1.000,50"', "1,234.50": '"1,000.50"', None: '"1000.50"'}[number_format]
    more = f'{{"channel_name": "e", "cost_per_acquisition": {text}}}'
    (tmp_path / "acquisition_channels.jsonl").write_text("\n".join([*lines, more]))
    outcome = staged(backend, tmp_path, "acquisition_channels", sources, {})
    assert dict(outcome.kept_values("channel_name", "cost_per_acquisition")) == expected | {"e": Decimal("1000.50")}


@pytest.mark.slow
def test_workbooks_and_csv_files_are_read_as_one_dataset(backend, tmp_path):
    write(tmp_path / "crm-1.xlsx", [["note"]], [HEADER, ["C1", dt.date(2026, 1, 5), "SMB"]])
    write(tmp_path / "crm-2.XLSX", [["note"]], [HEADER, ["C2", "never", None]])
    sources = Sources(datasets={"customers": DatasetSource(file="crm-*", sheet="Sheet2")})
    outcome = staged(backend, tmp_path, "customers", sources, {})
    assert outcome.kept_values("customer_id", "signup_date") == [("C1", dt.date(2026, 1, 5))]
    assert outcome.reasons() == [(1, "signup_date", "parses_as_date", "never")]
