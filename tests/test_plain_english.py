"""The program and its documents have no words of a private dialect."""

from tests.plain_english import dialect


def test_no_word_of_the_dialect_is_left():
    assert list(dialect()) == []
