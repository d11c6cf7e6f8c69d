"""A text file as plain UTF-8: unpacked, transcoded, and refused if it is another format."""

from __future__ import annotations

import codecs
import errno
import gzip
import io
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from productpulse_assets.sources.errors import SourceProblem
from productpulse_assets.sources.readers.gzip_files import (
    MAX_GROWTH,
    SIGNATURE,
    NotGzip,
    UnpackedFile,
    UnpacksWithoutEnd,
)

BOM = codecs.BOM_UTF8
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
HEAD_BYTES = 1 << 20
START_BYTES = 4096
MAX_ROW_BYTES = 16 << 20
INVALID_BYTES = "bytes not in its encoding (set encoding: in sources.yaml)"
"""Short, so that the advice is in the sentence that stops a run, which shows the start of a value."""

MARK_UNDECODABLE = "productpulse.mark_undecodable"

WEB_PAGE = (
    "a web page, perhaps an error or a login page in place of the export; look at it in a browser, and export again"
)
SIGNATURES = {
    b"pk\x03\x04": "an Excel workbook (or another zip archive); a workbook needs a name that ends in .xlsx",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls); save it as .xlsx or as 'CSV UTF-8' from Excel",
    SIGNATURE: "gzip-compressed; add .gz to its name",
    b"%pdf-": "a PDF document; export the rows as CSV",
    b"<!doctype html": WEB_PAGE,
    b"<html": WEB_PAGE,
    b"<?xml": "XML, perhaps an Excel 2003 workbook or an error message; export the rows as CSV",
}
"""How files that are not text with rows begin, in lower case."""

WIDE_BOMS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


Bytes = UnpackedFile | io.BufferedReader


def _mark_undecodable(error: UnicodeError) -> tuple[str | bytes, int]:
    # A byte that the declared encoding does not have becomes 0xFF, which is never valid in
    # UTF-8: the line it is on is then rejected like any other line with invalid bytes.
    if isinstance(error, UnicodeDecodeError):
        return "\udcff", error.end
    if isinstance(error, UnicodeEncodeError):
        return b"\xff" * (error.end - error.start), error.end
    raise error


codecs.register_error(MARK_UNDECODABLE, _mark_undecodable)


@dataclass(frozen=True)
class TextFile:
    """A text file, opened once.

    encoding: the encoding that sources.yaml declares. is_utf8: the bytes are UTF-8 without
    transcoding (ASCII is). head: the first megabyte as UTF-8. has_cr_line_ends: lines end in CR
    alone, as on the first Macintosh systems; in `head` they end in LF.
    """

    path: Path
    encoding: str
    is_utf8: bool
    head: bytes
    has_cr_line_ends: bool

    @classmethod
    def open(cls, path: Path, encoding: str) -> TextFile:
        """Raises SourceProblem for a file that cannot be opened, is empty, or is
        recognisably not text, and for an encoding that Python does not know."""
        is_utf8 = _is_utf8(encoding)
        with unpacked(path) as stream:
            head = stream.read(HEAD_BYTES)
        if head.strip():
            _refuse_other_formats(path, head, is_utf8)
        text = head if is_utf8 else _decode_head(path, head, encoding)
        # A byte order mark alone is no text either.
        if not text.removeprefix(BOM).strip():
            raise empty_file(path)
        has_cr_line_ends = b"\n" not in text and b"\r" in text.rstrip(b"\r")
        if has_cr_line_ends:
            text = text.replace(b"\r", b"\n")
        return cls(path, encoding, is_utf8, text, has_cr_line_ends)

    @property
    def is_gzip(self) -> bool:
        """Whether the file is compressed."""
        return _is_gzip(self.path)

    def utf8_path(self, scratch: Path) -> Path:
        """The file itself if it is plain UTF-8, else a UTF-8 copy of it in `scratch`.

        The copy is written as a stream, so that memory does not grow with the file. Raises
        SourceProblem for a gzip that is cut short.
        """
        is_plain = self.is_utf8 and not self.has_cr_line_ends
        if is_plain and not self.is_gzip:
            return self.path
        copy = scratch / "utf8_copy.txt"
        with unpacked(self.path) as stream, copy.open("wb") as target:
            if is_plain:
                shutil.copyfileobj(stream, target, HEAD_BYTES)
            else:
                with _decoding(self.path, self.encoding):
                    self._transcode(stream, target)
        return copy

    def _transcode(self, stream: Bytes, target: BinaryIO) -> None:
        encoding = "utf-8" if self.is_utf8 else self.encoding
        reader = io.TextIOWrapper(stream, encoding, MARK_UNDECODABLE, newline="")
        while text := reader.read(HEAD_BYTES):
            text = text.replace("\r", "\n") if self.has_cr_line_ends else text
            target.write(text.encode("utf-8", MARK_UNDECODABLE))


def ending_of(path: Path) -> str:
    """The ending that says what a file is, in lower case and without .gz: '.csv'."""
    return (path.with_suffix("") if _is_gzip(path) else path).suffix.lower()


def _is_gzip(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def decodes(line: bytes) -> bool:
    """Whether the line is valid UTF-8."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def empty_file(path: Path) -> SourceProblem:
    """The error for a file without a line."""
    return SourceProblem(
        "source.empty",
        f"{path.name} is empty: no header and no rows were found in it. Export it again; a dataset that is not "
        f"required may be left out: remove the file, and its entry in sources.yaml if it has one.",
        file=path.name,
    )


@contextmanager
def unpacked(path: Path) -> Iterator[Bytes]:
    """The bytes of a file, unpacked if its name ends in .gz. Errors of reading are raised as SourceProblem."""
    try:
        with UnpackedFile(path) if _is_gzip(path) else path.open("rb") as stream:
            yield stream
    except NotGzip as error:
        raise SourceProblem(
            "source.not_gzip",
            f"{path.name} is not gzip-compressed, as its name says. Remove .gz from its name.",
            file=path.name,
        ) from error
    except UnpacksWithoutEnd as error:
        raise SourceProblem(
            "source.gzip_too_large",
            f"{path.name} unpacks to more than {MAX_GROWTH} times its size, which no export does: it may be made to "
            f"fill the disk. If you know what it is, unpack it, and give the unpacked file.",
            file=path.name,
        ) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SourceProblem(
            "source.gzip_incomplete",
            f"{path.name} is not a complete gzip file ({error}). Copy or export it again.",
            file=path.name,
        ) from error
    except OSError as error:
        if error.errno in DISK_FULL:
            raise
        raise SourceProblem(
            "source.cannot_open",
            f"{path.name} cannot be opened: {error.strerror or error}. Check the path in "
            f"sources.yaml and the file's permissions.",
            file=path.name,
        ) from error


def _is_utf8(encoding: str) -> bool:
    try:
        "".encode(encoding)
        codecs.getincrementaldecoder(encoding)(MARK_UNDECODABLE).decode(b"")
        return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")
    except (LookupError, ValueError, TypeError) as error:
        raise SourceProblem(
            "source.unknown_encoding",
            f"encoding: {encoding!r} in sources.yaml is not a text encoding that Python "
            f"knows. Write one such as utf-8, cp1252, latin-1 or utf-16.",
            encoding=encoding,
        ) from error


def _decode_head(path: Path, head: bytes, encoding: str) -> bytes:
    with _decoding(path, encoding):
        decoder = codecs.getincrementaldecoder(encoding)(MARK_UNDECODABLE)
        text = decoder.decode(head, final=len(head) < HEAD_BYTES)
        return text.encode("utf-8", MARK_UNDECODABLE)


@contextmanager
def _decoding(path: Path, encoding: str) -> Iterator[None]:
    # A text can be invalid as a whole in some encodings; in others single bytes are.
    try:
        yield
    except UnicodeError as error:
        raise SourceProblem(
            "source.wrong_encoding",
            f"{path.name} is not text in the encoding {encoding} ({error}). Set encoding: for the "
            f"dataset in sources.yaml to the encoding of the file, or save the file as UTF-8.",
            file=path.name,
            encoding=encoding,
        ) from error


def _refuse_other_formats(path: Path, head: bytes, is_utf8: bool) -> None:
    start = head[:START_BYTES].removeprefix(BOM).lstrip().lower()
    for signature, what in SIGNATURES.items():
        if start.startswith(signature):
            raise SourceProblem("source.other_format", f"{path.name} is not text but {what}.", file=path.name)
    if not head.strip(b"\x00"):
        raise SourceProblem(
            "source.zero_bytes",
            f"{path.name} is not text but zero bytes, as a full disk or an interrupted copy leaves "
            f"behind. Copy or export it again.",
            file=path.name,
        )
    if head.startswith(b"PAR1") and b"\x00" in head:
        raise SourceProblem(
            "source.other_format",
            f"{path.name} is not text but a Parquet file; give its name the ending .parquet.",
            file=path.name,
        )
    if is_utf8 and (wide := _wide_encoding(head)):
        raise SourceProblem(
            "source.wide_text",
            f"{path.name} is {wide} text, where UTF-8 was expected. Save it as UTF-8, or set "
            f"encoding: {wide.lower()} for the dataset in sources.yaml.",
            file=path.name,
            encoding=wide,
        )


def _wide_encoding(head: bytes) -> str | None:
    """UTF-16 or UTF-32 if the text is in one of them: by its byte order mark, or by its many zero bytes."""
    for bom, name in WIDE_BOMS.items():
        if head.startswith(bom):
            return name
    start = head[:START_BYTES]
    zeros = start.count(0) * 5
    if zeros <= len(start):
        return None
    return "UTF-32" if zeros > len(start) * 3 else "UTF-16"
