"""The repair of a CSV file that DuckDB cannot read without a loss: line by line, to find the bad lines.

After an unclosed quote DuckDB reads on until another quote ends the field, and so loses the
lines between. Here a quoted field covers several lines only if the lines together are a
row; otherwise the line with the opening quote is bad, and the next line starts a new row.

The grammar: fields are bare, or quoted with "" for a quote inside and blanks around; a quote
inside a bare field is a character like any other (5" pipe).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from productpulse_assets.sources.readers.csv_file import CsvFile
from productpulse_assets.sources.readers.text_file import INVALID_BYTES, MAX_ROW_BYTES, decodes


class BadLine(NamedTuple):
    """A line (or the lines of one row) that cannot be split into fields."""

    row_number: int
    reason: str
    line: bytes


@dataclass(frozen=True)
class Grammar:
    """The patterns of lines in a file with `width` columns.

    plain: a row with quotes around whole fields only. row: a row. fields: any number of
    fields. field: one. opens: a line that ends inside a quoted field. stays, reopens: lines
    that begin and end inside one. tail: a line whose first quote can only close a field.
    """

    delimiter: bytes
    width: int
    plain: re.Pattern[bytes]
    row: re.Pattern[bytes]
    fields: re.Pattern[bytes]
    field: re.Pattern[bytes]
    opens: re.Pattern[bytes]
    stays: re.Pattern[bytes]
    reopens: re.Pattern[bytes]
    tail: re.Pattern[bytes]


def _grammar_of(file: CsvFile) -> Grammar:
    delimiter, width = file.delimiter.encode(), len(file.columns)
    d = re.escape(delimiter)
    inside = rb'[^"]*(?:""[^"]*)*'
    field = rb'(?: *"' + inside + rb'" *|(?! *")[^\r\n' + d + rb"]*)"
    plain = rb'(?:"' + inside + rb'"|[^"\r\n' + d + rb"]*)"
    opening = rb"(?:" + field + d + rb')* *"' + inside
    others = rb"{%d}" % (width - 1)
    return Grammar(
        delimiter=delimiter,
        width=width,
        plain=re.compile(plain + rb"(?:" + d + plain + rb")" + others),
        row=re.compile(field + rb"(?:" + d + field + rb")" + others),
        fields=re.compile(field + rb"(?:" + d + field + rb")*"),
        field=re.compile(rb"(" + field + rb")(?:" + d + rb"|\Z)"),
        opens=re.compile(opening),
        stays=re.compile(inside),
        reopens=re.compile(inside + rb'" *' + d + opening),
        tail=re.compile(rb'[^"]*" *(?:' + d + rb"|\Z)"),
    )


def separate(file: CsvFile, clean: Path) -> Iterator[BadLine]:
    """Yields the bad lines of the file, and meanwhile copies its good rows to `clean`, each with its
    row number as the first field.

    Blank lines are not rows. Memory holds one row, at most a few times MAX_ROW_BYTES.
    """
    grammar = _grammar_of(file)
    with file.utf8.open("rb") as stream, clean.open("wb") as target:
        stream.seek(file.data_offset)
        lines = _Lines(stream)
        number, after_open_quote = 0, False
        while line := lines.next():
            body = _without_newline(line)
            if not body:
                continue
            number += 1
            if b'"' in body:
                row, reason = _quoted_row(line, lines, grammar, after_open_quote)
            else:
                row, reason = body, _bare_problem(body, grammar)
            reason = reason or _bytes_problem(row)
            if reason is None:
                target.write(b"%d%b%b\n" % (number, grammar.delimiter, _plain(row, grammar)))
                after_open_quote = False
            else:
                after_open_quote = after_open_quote or row.count(b'"') % 2 == 1
                yield BadLine(number, reason, row)


class _Lines:
    """The physical lines of a stream, of which some can be put back."""

    def __init__(self, stream: BinaryIO):
        self.stream = stream
        self.put_back: deque[bytes] = deque()

    def next(self) -> bytes:
        if self.put_back:
            return self.put_back.popleft()
        line = self.stream.readline(MAX_ROW_BYTES + 1)
        if len(line) > MAX_ROW_BYTES and not line.endswith(b"\n"):
            while (rest := self.stream.readline(MAX_ROW_BYTES)) and not rest.endswith(b"\n"):
                pass
        return line


def _without_newline(line: bytes) -> bytes:
    if line.endswith(b"\r\n"):
        return line[:-2]
    return line[:-1] if line.endswith((b"\n", b"\r")) else line


def _bare_problem(body: bytes, grammar: Grammar) -> str | None:
    found = body.count(grammar.delimiter) + 1
    if found != grammar.width:
        return _wrong_width(found, grammar)
    return "a carriage return in the middle of the line" if b"\r" in body else None


def _bytes_problem(row: bytes) -> str | None:
    if len(row) > MAX_ROW_BYTES:
        return f"longer than {MAX_ROW_BYTES >> 20} MB, perhaps a missing line end or quote"
    if row.isascii():
        return None
    return None if decodes(row) else INVALID_BYTES


def _plain(row: bytes, grammar: Grammar) -> bytes:
    """The row with its values in a form that DuckDB reads in one way only."""
    if b'"' not in row or grammar.plain.fullmatch(row):
        return row
    return grammar.delimiter.join(_plain_field(field) for field in _fields(row, grammar))


def _plain_field(field: bytes) -> bytes:
    stripped = field.strip(b" ")
    if stripped.startswith(b'"') or b'"' not in field:
        return stripped if stripped.startswith(b'"') else field
    return b'"' + field.replace(b'"', b'""') + b'"'


def _fields(row: bytes, grammar: Grammar) -> list[bytes]:
    # A match of nothing at the end is a field only after a delimiter.
    found = grammar.field.findall(row)
    return found if row.endswith(grammar.delimiter) or found[-1:] != [b""] else found[:-1]


def _wrong_width(found: int, grammar: Grammar) -> str:
    few_or_many = "too few" if found < grammar.width else "too many"
    return f"{few_or_many} fields: {found} found, {grammar.width} expected"


def _quoted_row(line: bytes, lines: _Lines, grammar: Grammar, after_open_quote: bool) -> tuple[bytes, str | None]:
    """The row that starts with this line, and its problem, if it has one."""
    body = _without_newline(line)
    if grammar.row.fullmatch(body):
        # Otherwise the rest of a broken value of two lines would be a row of its own.
        is_rest = after_open_quote and body.count(b'"') % 2 == 1 and grammar.tail.match(body)
        return body, "the rest of a row whose quotes are broken" if is_rest else None
    if grammar.fields.fullmatch(body):
        return body, _wrong_width(len(_fields(body, grammar)), grammar)
    if not grammar.opens.fullmatch(line):
        return body, "a quote in the wrong place"
    following = _following(len(line), lines, grammar)
    row = _without_newline(line + b"".join(following))
    if following and grammar.row.fullmatch(row):
        return row, None
    swallowed = any(grammar.plain.fullmatch(_without_newline(each)) for each in following)
    if following and not swallowed and grammar.fields.fullmatch(row):
        return row, _wrong_width(len(_fields(row, grammar)), grammar)
    lines.put_back.extendleft(reversed(following))
    return body, "a quote that is not closed"


def _following(length: int, lines: _Lines, grammar: Grammar) -> list[bytes]:
    """The lines after a line that ends inside a quoted field, as far as they may belong to it:
    up to a line that closes the row or cannot be a part of it, or to MAX_ROW_BYTES."""
    following: list[bytes] = []
    while length <= MAX_ROW_BYTES and (line := lines.next()):
        following.append(line)
        length += len(line)
        is_inside = b'"' not in line or grammar.stays.fullmatch(line)
        if not is_inside and not grammar.reopens.fullmatch(line):
            break
    return following
