"""A text source as plain UTF-8: unpacked, transcoded, and recognised when it is no text at all."""

import codecs
import gzip
import io
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

BOM = codecs.BOM_UTF8
HEAD_BYTES = 1 << 20
MARK_UNDECODABLE = "productpulse.mark_undecodable"

SIGNATURES = {
    b"PK\x03\x04": "an Excel workbook (or another zip archive); save it as 'CSV UTF-8' from Excel",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls); save it as 'CSV UTF-8' from Excel",
    b"\x1f\x8b": "gzip-compressed; add .gz to its name",
}
WIDE_BOMS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


class UnreadableSource(Exception):
    """A sentence: which file, what was found, what to do."""


def _mark_undecodable(error: UnicodeError) -> tuple[str | bytes, int]:
    # A byte that the declared encoding does not have becomes 0xFF, which is never valid in
    # UTF-8: the line it is on is then rejected like any other line with invalid bytes.
    if isinstance(error, UnicodeDecodeError):
        return "\udcff", error.end
    if isinstance(error, UnicodeEncodeError):
        return b"\xff" * (error.end - error.start), error.end
    raise error


codecs.register_error(MARK_UNDECODABLE, _mark_undecodable)


def ending_of(path: Path) -> str:
    """The ending that says what a file is, in lower case and without .gz: '.csv'."""
    unpacked = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return unpacked.suffix.lower()


def is_utf8(encoding: str) -> bool:
    """Whether text in this encoding is UTF-8 as it stands (ASCII is). Raises UnreadableSource
    for a name that Python does not know as a text encoding."""
    try:
        "".encode(encoding)
        return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")
    except (LookupError, ValueError, TypeError) as error:
        raise UnreadableSource(
            f"encoding: {encoding!r} in rules/sources.yaml is not a text encoding that Python "
            f"knows. Write one such as utf-8, cp1252, latin-1 or utf-16."
        ) from error


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked if its name ends in .gz. What goes wrong while reading
    them is raised as UnreadableSource."""
    unpack = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with unpack(path, "rb") as stream:
            yield stream
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnreadableSource(
            f"{path.name} is not a complete gzip file ({error}). Copy or export it again, or "
            f"take .gz off its name if it is not compressed."
        ) from error
    except OSError as error:
        raise UnreadableSource(
            f"{path.name} cannot be opened: {error.strerror or error}. Check the path in "
            f"rules/sources.yaml and the file's permissions."
        ) from error


def head_of(path: Path, encoding: str) -> bytes:
    """The first megabyte of a text file as UTF-8, with LF, CRLF or CR line ends as they are.

    Raises UnreadableSource for an empty file and for what is recognisably not text.
    """
    plain = is_utf8(encoding)
    with opened(path) as stream:
        head = stream.read(HEAD_BYTES)
    if not head.strip():
        raise UnreadableSource(
            f"{path.name} is empty: no header and no rows were found in it. Export it again, "
            f"or take it out of rules/sources.yaml."
        )
    _refuse_other_formats(path, head, plain)
    if plain:
        return head
    decoder = codecs.getincrementaldecoder(encoding)(MARK_UNDECODABLE)
    return decoder.decode(head).encode("utf-8", MARK_UNDECODABLE)


def _refuse_other_formats(path: Path, head: bytes, plain: bool) -> None:
    for signature, what in SIGNATURES.items():
        if head.startswith(signature):
            raise UnreadableSource(f"{path.name} is not text but {what}.")
    if head.startswith(b"PAR1") and b"\x00" in head:
        raise UnreadableSource(f"{path.name} is not text but a Parquet file; give its name the ending .parquet.")
    if not plain:
        return
    wide = next((name for bom, name in WIDE_BOMS.items() if head.startswith(bom)), None)
    start = head[:4096]
    if wide is None and start.count(0) * 5 > len(start):
        wide = "UTF-32" if start.count(0) * 5 > len(start) * 3 else "UTF-16"
    if wide:
        raise UnreadableSource(
            f"{path.name} is {wide} text, where UTF-8 was expected. Save it as UTF-8, or set "
            f"encoding: {wide.lower()} for the dataset in rules/sources.yaml."
        )


def has_bare_carriage_returns(head: bytes) -> bool:
    """Whether lines end in CR alone, as on the first Macintosh systems."""
    return b"\n" not in head and b"\r" in head.rstrip(b"\r")


def as_utf8_file(path: Path, encoding: str, scratch: Path) -> Path:
    """The file itself if it is plain UTF-8, else a UTF-8 copy of it in `scratch`.

    Written as a stream, so that memory does not grow with the file. Raises UnreadableSource
    for a gzip that is cut short.
    """
    head = head_of(path, encoding)
    plain, old_mac = is_utf8(encoding), has_bare_carriage_returns(head)
    if plain and not old_mac and path.suffix.lower() != ".gz":
        return path
    copy = scratch / "utf8_copy.txt"
    with opened(path) as stream, open(copy, "wb") as target:
        if plain and not old_mac:
            shutil.copyfileobj(stream, target, HEAD_BYTES)
        else:
            _transcode(stream, "utf-8" if plain else encoding, old_mac, target)
    return copy


def _transcode(stream: BinaryIO, encoding: str, old_mac: bool, target: BinaryIO) -> None:
    reader = io.TextIOWrapper(stream, encoding, MARK_UNDECODABLE, newline="")
    while text := reader.read(HEAD_BYTES):
        text = text.replace("\r", "\n") if old_mac else text
        target.write(text.encode("utf-8", MARK_UNDECODABLE))
