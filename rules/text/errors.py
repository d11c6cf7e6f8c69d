"""The one base of all errors that a person can act on."""

from __future__ import annotations

from collections.abc import Mapping


class ProductPulseError(Exception):
    """Something that a person can fix: bad input, a wrong setting, a busy home, a full disk.

    The message is a sentence that says what is wrong, where, what was found and what to do. `code` is stable
    (`csv.unclosed_quote`), so that tests and other programs need not compare sentences. `details` are the parts of
    the message as data, where a caller needs them: a file, a row, a column.

    A fault of our own raises Python's errors instead: ValueError, AssertionError, KeyError.
    """

    def __init__(self, code: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.code = code
        self.details: Mapping[str, object] = details
