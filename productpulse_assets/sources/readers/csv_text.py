"""A text source as plain UTF-8: unpacked, transcoded, and recognised when it is no text at all."""

import codecs
import errno
import gzip
import io
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from productpulse_assets.sources.readers import gzip_files as packed
from productpulse_assets.sources.readers.gzip_files import MAX_GROWTH, NotGzip, UnpackedFile, UnpacksWithoutEnd

BOM = codecs.BOM_UTF8
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
WEB_PAGE = (
    "a web page, perhaps an error or a login page in place of the export; look at it in a browser, and export again"
)
HEAD_BYTES = 1 << 20
HEAD_OF_TEXT = 4096
MARK_UNDECODABLE = "productpulse.mark_undecodable"

SIGNATURES = {
    b"pk\x03\x04": "an Excel workbook (or another zip archive); save it as 'CSV UTF-8' from Excel",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls); save it as 'CSV UTF-8' from Excel",
    packed.SIGNATURE: "gzip-compressed; add .gz to its name",
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
    for a name that Python does not know as an encoding of texts, of whatever characters."""
    try:
        "".encode(encoding)
        codecs.getincrementaldecoder(encoding)(MARK_UNDECODABLE).decode(b"")
        return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")
    except (LookupError, ValueError, TypeError) as error:
        raise UnreadableSource(
            f"encoding: {encoding!r} in sources.yaml is not a text encoding that Python "
            f"knows. Write one such as utf-8, cp1252, latin-1 or utf-16."
        ) from error


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked if its name ends in .gz. What goes wrong while reading
    them is raised as UnreadableSource."""
    try:
        with UnpackedFile(path) if path.suffix.lower() == ".gz" else open(path, "rb") as stream:
            yield stream
    except NotGzip as error:
        raise UnreadableSource(f"{path.name} is not gzip-compressed, as its name says. Take .gz off it.") from error
    except UnpacksWithoutEnd as error:
        raise UnreadableSource(
            f"{path.name} unpacks to more than {MAX_GROWTH} times its size, which no export does: it may be made to "
            f"fill the disk. If you know what it is, unpack it, and give the unpacked file."
        ) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnreadableSource(
            f"{path.name} is not a complete gzip file ({error}). Copy or export it again."
        ) from error
    except OSError as error:
        if error.errno in DISK_FULL:
            raise
        raise UnreadableSource(
            f"{path.name} cannot be opened: {error.strerror or error}. Check the path in "
            f"sources.yaml and the file's permissions."
        ) from error


def head_of(path: Path, encoding: str) -> bytes:
    """The first megabyte of a text file as UTF-8, with LF, CRLF or CR line ends as they are.

    Raises UnreadableSource for an empty file and for what is recognisably not text.
    """
    plain = is_utf8(encoding)
    with opened(path) as stream:
        head = stream.read(HEAD_BYTES)
    if head.strip():
        _refuse_other_formats(path, head, plain)
    text = head if plain else _as_utf8(path, head, encoding)
    # A byte order mark alone is no text either.
    if not text.removeprefix(BOM).strip():
        raise empty_file(path)
    return text


def empty_file(path: Path) -> UnreadableSource:
    """What is said of a file without a line."""
    return UnreadableSource(
        f"{path.name} is empty: no header and no rows were found in it. Export it again; a dataset that is not "
        f"required may be left out: take the file away, and out of sources.yaml if it is named there."
    )


def _as_utf8(path: Path, head: bytes, encoding: str) -> bytes:
    with _decoding(path, encoding):
        decoder = codecs.getincrementaldecoder(encoding)(MARK_UNDECODABLE)
        text = decoder.decode(head, final=len(head) < HEAD_BYTES)
        return text.encode("utf-8", MARK_UNDECODABLE)


@contextmanager
def _decoding(path: Path, encoding: str) -> Iterator[None]:
    """Some encodings can be wrong as a whole, where others have a wrong byte here and there."""
    try:
        yield
    except UnicodeError as error:
        raise UnreadableSource(
            f"{path.name} is not text in the encoding {encoding} ({error}). Set encoding: for the "
            f"dataset in sources.yaml to the one that it is in, or save the file as UTF-8."
        ) from error


def _refuse_other_formats(path: Path, head: bytes, plain: bool) -> None:
    start = head[:HEAD_OF_TEXT].removeprefix(BOM).lstrip().lower()
    for signature, what in SIGNATURES.items():
        if start.startswith(signature):
            raise UnreadableSource(f"{path.name} is not text but {what}.")
    if not head.strip(b"\x00"):
        raise UnreadableSource(
            f"{path.name} is not text but zero bytes, as a disk that was full or a copy that broke off leaves "
            f"behind. Copy or export it again."
        )
    if head.startswith(b"PAR1") and b"\x00" in head:
        raise UnreadableSource(f"{path.name} is not text but a Parquet file; give its name the ending .parquet.")
    if not plain:
        return
    wide = next((name for bom, name in WIDE_BOMS.items() if head.startswith(bom)), None)
    start = head[:HEAD_OF_TEXT]
    if wide is None and start.count(0) * 5 > len(start):
        wide = "UTF-32" if start.count(0) * 5 > len(start) * 3 else "UTF-16"
    if wide:
        raise UnreadableSource(
            f"{path.name} is {wide} text, where UTF-8 was expected. Save it as UTF-8, or set "
            f"encoding: {wide.lower()} for the dataset in sources.yaml."
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
            with _decoding(path, encoding):
                _transcode(stream, "utf-8" if plain else encoding, old_mac, target)
    return copy


def _transcode(stream: BinaryIO, encoding: str, old_mac: bool, target: BinaryIO) -> None:
    reader = io.TextIOWrapper(stream, encoding, MARK_UNDECODABLE, newline="")
    while text := reader.read(HEAD_BYTES):
        text = text.replace("\r", "\n") if old_mac else text
        target.write(text.encode("utf-8", MARK_UNDECODABLE))
