"""A CSV file, opened once: its encoding, its delimiter, its columns and where its rows are."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, replace
from pathlib import Path

from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.readers.blanks import trimmed
from productpulse_assets.sources.readers.column_names import checked_names
from productpulse_assets.sources.readers.text_file import BOM, TextFile, empty_file, ending_of

FOR_EXCEL = re.compile(rb'"?sep=([,;\t|])"?', re.IGNORECASE)
"""A line above the header that tells Excel the delimiter."""

UNCLOSED_QUOTE = "unexpected end of data"
"""Python's message for it, in strict mode."""


@dataclass(frozen=True)
class CsvFile:
    """A CSV or TSV file and what its first megabyte says about it.

    text: the file with its compression and encoding. columns: the names of the header, trimmed, in
    file order. delimiter: one character. utf8: where the text is as UTF-8: the file itself, until
    `as_utf8` or `repaired` name a copy. data_offset: where the first data row starts in it, in
    bytes. is_header_first: no blank line and no line for Excel is above the header. is_crlf: the
    header ends in CR LF. is_repaired: the text has no header, and each row begins with its number.
    """

    text: TextFile
    columns: tuple[str, ...]
    delimiter: str
    utf8: Path
    data_offset: int
    is_header_first: bool
    is_crlf: bool
    is_repaired: bool = False

    @classmethod
    def open(cls, path: Path, encoding: str) -> CsvFile:
        """Read the header from the first megabyte.

        A first line such as sep=; names the delimiter, as in files for Excel. Raises SourceProblem
        when there is no header, when it is not valid CSV or not text in this encoding, when a name is
        empty, used twice or one of ours, and for what TextFile.open refuses.
        """
        text = TextFile.open(path, encoding)
        head = io.BytesIO(text.head.removeprefix(BOM))
        bom_length = len(text.head) - len(head.getvalue())
        line = _next_line(head)
        named = FOR_EXCEL.fullmatch(line.rstrip(b"\r\n"))
        line = _next_line(head) if named else line
        if not line:
            raise empty_file(path)
        start = head.tell() - len(line)
        delimiter = named[1].decode() if named else _find_delimiter(line, ending_of(path) == ".tsv")
        head.seek(start)
        columns = checked_names(path, map(trimmed, _split_header(text, head, delimiter)))
        return cls(
            text=text,
            columns=columns,
            delimiter=delimiter,
            utf8=path,
            data_offset=bom_length + head.tell(),
            is_header_first=start == 0,
            is_crlf=head.getvalue()[: head.tell()].endswith(b"\r\n"),
        )

    @property
    def name(self) -> str:
        """The file's name, which rows and rejects have as source_file."""
        return self.text.path.name

    def as_utf8(self, scratch: Path) -> CsvFile:
        """This file with its text as plain UTF-8, copied to `scratch` where the file is not."""
        return replace(self, utf8=self.text.utf8_path(scratch))

    def repaired(self, clean: Path) -> CsvFile:
        """This file with the text that `csv_lines.separate` writes to `clean`."""
        return replace(self, utf8=clean, data_offset=0, is_crlf=False, is_repaired=True)


def _next_line(head: io.BytesIO) -> bytes:
    """The next line that is not blank; nothing at the end."""
    while (line := head.readline()) and not line.strip(b"\r\n"):
        pass
    return line


def _find_delimiter(line: bytes, is_tab_separated: bool) -> str:
    if is_tab_separated:
        return "\t"
    outside_quotes = b"".join(line.split(b'"')[::2])
    present = (d for d in (",", ";", "\t") if d.encode() in outside_quotes)
    return next(present, ",")


def _split_header(text: TextFile, head: io.BytesIO, delimiter: str) -> list[str]:
    """The fields of the header; `head` is at its start, and afterwards behind it."""
    try:
        lines = (line.decode("utf-8") for line in iter(head.readline, b""))
        return next(csv.reader(lines, delimiter=delimiter, strict=True))
    except UnicodeDecodeError as error:
        raise SourceProblem(
            "csv.header_encoding",
            f"{text.path.name}: the header is not text in the encoding {text.encoding} (byte "
            f"0x{error.object[error.start]:02x}). Set encoding: for the dataset in "
            f"sources.yaml, for example cp1252, or save the file as UTF-8.",
            file=text.path.name,
            encoding=text.encoding,
        ) from error
    except csv.Error as error:
        if str(error) == UNCLOSED_QUOTE:
            raise SourceProblem(
                "csv.unclosed_quote",
                f"{text.path.name}: a quote in the header is not closed. Close it, or export the file again.",
                file=text.path.name,
            ) from error
        raise SourceProblem(
            "csv.invalid_header",
            f"{text.path.name}: the header line cannot be split into column names "
            f"({str(error).replace(chr(9), 'tab')}). Fix the quotes in the first line, or export the file again.",
            file=text.path.name,
        ) from error
