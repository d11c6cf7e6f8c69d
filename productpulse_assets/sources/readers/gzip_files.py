"""Gzip files as a stream with a limit: a few kilobytes can unpack to more than a disk holds."""

import gzip
from pathlib import Path

SIGNATURE = b"\x1f\x8b"
HARMLESS_BYTES = 64 << 20
MAX_GROWTH = 200
"""Exports with different keys in their rows unpack to 3 to 30 times their size; gzip can reach 1,030."""


class NotGzip(Exception):
    """The file does not begin with the signature of a gzip file."""


class UnpacksWithoutEnd(Exception):
    """The file unpacks to more than HARMLESS_BYTES and more than MAX_GROWTH times its size."""


class UnpackedFile(gzip.GzipFile):
    """The unpacked bytes of a gzip file. Raises NotGzip when it is opened, UnpacksWithoutEnd while it is read."""

    def __init__(self, path: Path):
        with open(path, "rb") as packed:
            signature = packed.read(len(SIGNATURE))
        if signature and signature != SIGNATURE:
            raise NotGzip
        self.most = max(HARMLESS_BYTES, MAX_GROWTH * path.stat().st_size)
        super().__init__(path, "rb")

    def read(self, size: int | None = -1) -> bytes:
        """As GzipFile.read; raises UnpacksWithoutEnd beyond the limit."""
        return self._bounded(super().read(size))

    def read1(self, size: int = -1) -> bytes:
        """As GzipFile.read1; raises UnpacksWithoutEnd beyond the limit."""
        return self._bounded(super().read1(size))

    def _bounded(self, data: bytes) -> bytes:
        if self.tell() > self.most:
            raise UnpacksWithoutEnd
        return data
