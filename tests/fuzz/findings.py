"""Inputs that once failed: with an undocumented error, in an endless loop, or with a sentence that would have
changed the terminal. Found by `python -m tests.fuzz`."""

CSV = (
    # A NUL in a column's name ended in a syntax error of the database.
    (("t.csv", "utf-8"), b"a,b\x00\x00\r2,2\r3,4"),
    # UTF-16 without a byte order mark is an error of the whole stream, not of one byte.
    (("t.csv", "utf-16"), b"\xef\xef\xef\xef\x02a\n1;\n\n2\n"),
    # The tab that was expected in the header was in the sentence, unescaped.
    (("t.tsv", "utf-8"), b'"y,1\na;"q" ,2,3\n1,2\n1,3,3"x"'),
    # A file that decodes to an empty text has no first line, and the search for it did not end.
    (("t.csv", "utf-16"), b","),
    (("t.csv", "utf-8"), b"\xef\xbb\xbf"),
)

JSON = (
    # A NUL in a name again.
    (("t.jsonl", "utf-8"), b'{"a\\u0000b": 1}\n'),
    # With several threads DuckDB reads no row of a file of one byte.
    (("t.jsonl", "utf-8"), b"5"),
    (("t.jsonl", "utf-8"), b"\x01"),
)

YAML = (
    ("sources", b"time_zone: Europe\n"),
    ("sources", b"time_zone: " + b"x" * 5000),
    ("sources", b"time_zone: !!timestamp soon\n"),
    ("sources", b"time_zone: !!int ''\n"),
    ("sources", b"time_zone: !!bool perhaps\n"),
    ("sources", b"!!set datasets"),
    ("sources", b"exchange_rates: {EUR: 0x" + b"f" * 5000 + b"}\n"),
    ("sources", b'"\\e[31m": 1\n'),
)
