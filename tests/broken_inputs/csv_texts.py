"""CSV files with broken bytes: encodings, other formats, lines and headers."""

from __future__ import annotations

import gzip

from tests.broken_inputs.judging import Input

HEADER = "customer_id,signup_date,company_name\n"
ROWS = "C1,2026-01-01,Acme\nC2,2026-01-02,Bêta\n"
GOOD = HEADER + ROWS
KEPT = ("C1", "C2")
PACKED = gzip.compress(GOOD.encode())
BOMB = gzip.compress(HEADER.encode()) + 80 * gzip.compress(b"x" * (1 << 20))
INVALID = "bytes not in its encoding (set encoding: in sources.yaml)"


def customers(how: str, content: bytes | str, **expected) -> Input:
    """A customers.csv of this content."""
    return Input(how, "customers.csv", content, **expected)


ENCODINGS = (
    customers("UTF-16", GOOD.encode("utf-16"), code="source.wide_text"),
    customers("UTF-16 without a byte order mark", GOOD.encode("utf-16-be"), code="source.wide_text"),
    customers("UTF-16, as in the settings", GOOD.encode("utf-16"), settings="encoding: utf-16", rows=2, kept=KEPT),
    customers("not UTF-16, against the settings", GOOD, settings="encoding: utf-16", code="source.wrong_encoding"),
    customers("Latin-1 in a value", GOOD.encode("latin-1"), rows=2, kept=("C1",), rejects=((2, None, "malformed_line", f"{INVALID}: C2,2026-01-02,B\ufffdta"),)),
    customers("Latin-1 in the header", HEADER.replace("name", "näme").encode("latin-1"), code="csv.header_encoding"),
    customers("Latin-1, as in the settings", GOOD.encode("latin-1"), settings="encoding: latin-1", rows=2, kept=KEPT),
    customers("UTF-8 with a byte order mark", GOOD.encode("utf-8-sig"), rows=2, kept=KEPT),
    customers("a byte order mark alone", b"\xef\xbb\xbf", code="source.empty"),
    customers("a byte order mark of UTF-16 alone", b"\xff\xfe", settings="encoding: utf-16", code="source.empty"),
    customers("half a character of UTF-16", b",", settings="encoding: utf-16", code="csv.header_encoding"),
    customers("an encoding that does not exist", GOOD, settings="encoding: utf-99", code="source.unknown_encoding"),
    customers("an encoding of domain names", GOOD, settings="encoding: idna", code="source.unknown_encoding"),
    customers("a NUL in a value", GOOD.replace("Acme", "Ac\0me"), rows=2, kept=KEPT),
    customers("a NUL in the header", GOOD.replace("company", "comp\0any"), code="source.control_character"),
    customers("zero bytes alone", bytes(5000), code="source.zero_bytes"),
)  # fmt: skip

OTHER_FORMATS = (
    customers("an Excel workbook", b"PK\x03\x04\x14\x00\x06\x00xl/workbook.xml", code="source.other_format"),
    customers("an old Excel workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), code="source.other_format"),
    customers("a login page", "\n<!DOCTYPE html>\n<title>Sign in</title>", code="source.other_format"),
    customers("an XML error message", '<?xml version="1.0"?><Error>AccessDenied</Error>', code="source.other_format"),
    customers("a PDF document", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", code="source.other_format"),
    customers("a JSON error message", '{"error": "unauthorized"}', code="source.missing_columns"),
    customers("a title above the header", "All customers\n" + GOOD, code="source.missing_columns"),
    customers("gzip without .gz in its name", PACKED, code="source.other_format"),
    Input("plain text named .gz", "customers.csv.gz", GOOD, code="source.not_gzip"),
    Input("gzip that is cut short", "customers.csv.gz", PACKED[:-9], code="source.gzip_incomplete"),
    Input("gzip with a wrong checksum", "customers.csv.gz", PACKED[:-8] + bytes(8), code="source.gzip_incomplete", sentence="customers.csv.gz is not a complete gzip file (CRC check failed …). Copy or export it again."),
    Input("gzip of nothing", "customers.csv.gz", gzip.compress(b""), code="source.empty"),
    Input("gzip in two parts", "customers.csv.gz", PACKED + gzip.compress(b"C3,2026-01-03,Gamma\n"), rows=3, kept=("C1", "C2", "C3")),
    Input("a workbook in gzip", "customers.csv.gz", gzip.compress(b"PK\x03\x04\x14\x00"), code="source.other_format"),
    Input("a gzip bomb", "customers.csv.gz", BOMB, sentence="customers.csv.gz unpacks to more than 200 times its size, which no export does: it may be made to fill the disk. If you know what it is, unpack it, and give the unpacked file."),
)  # fmt: skip

LINES = (
    customers("no bytes", "", code="source.empty"),
    Input("no bytes, in an optional dataset", "nps_scores.csv", "", code="source.empty"),
    customers("blank lines alone", "\n\r\n\n", code="source.empty"),
    Input("a header without rows, in an optional dataset", "nps_scores.csv", "score_id,customer_id,date,score\n"),
    customers("carriage returns for line ends", GOOD.replace("\n", "\r"), rows=2, kept=KEPT),
    customers("line ends of two kinds, blank lines between", GOOD.replace("Acme\n", "Acme\r\n\r\n\n"), rows=2, kept=KEPT),
    customers("a quote that is not closed", HEADER + 'C1,2026-01-01,"Acme\n' + "C2,2026-01-02,Beta\n", rows=2, kept=("C2",), rejects=((1, None, "malformed_line", 'a quote that is not closed: C1,2026-01-01,"Acme'),)),
    customers("text after a quoted value", HEADER + 'C1,2026-01-01,"Acme" Inc\n' + "C2,2026-01-02,Beta\n", rows=2, kept=("C2",), rejects=((1, None, "malformed_line", 'a quote in the wrong place: C1,2026-01-01,"Acme" Inc'),)),
    customers("too few and too many fields", HEADER + "C1,2026-01-01\nC2,2026-01-02,Beta\nC3,2026-01-03,Gamma,Inc\n", rows=3, kept=("C2",), rejects=((1, None, "malformed_line", "too few fields: 2 found, 3 expected: C1,2026-01-01"), (3, None, "malformed_line", "too many fields: 4 found, 3 expected: C3,2026-01-03,Gamma,Inc"))),
    customers("a file cut in the middle of a line", GOOD + "C3,2026-0", rows=3, kept=KEPT, rejects=((3, None, "malformed_line", "too few fields: 2 found, 3 expected: C3,2026-0"),)),
    customers("a field of 10 MB", HEADER + "C1,2026-01-01," + "x" * 10_000_000 + "\nC2,2026-01-02,Beta\n", rows=2, kept=KEPT),
    customers("a line of 20 MB", HEADER + "C1,2026-01-01," + "x" * 20_000_000 + "\nC2,2026-01-02,Beta\n", rows=2, kept=("C2",), rejects=((1, None, "malformed_line", "longer than 16 MB, perhaps a missing line end or quote: C1,2026-01-01," + "x" * 130),)),
)  # fmt: skip

HEADERS = (
    customers("10,000 columns", ",".join(f"c{n}" for n in range(10_000)), code="source.too_many_columns"),
    customers("900 extra columns", "customer_id,signup_date," + ",".join(f"c{n}" for n in range(900)) + "\nC1,2026-01-01" + ",x" * 900 + "\nC2,2026-01-01\n", rows=2, kept=("C1",), rejects=((2, None, "malformed_line", "too few fields: 2 found, 902 expected: C2,2026-01-01"),)),
    customers("40 columns, none of them of the contract", ",".join(f"c{n}" for n in range(40)), code="source.missing_columns"),
    customers("the same name twice", "customer_id,signup_date,customer_id\n", code="source.same_column_twice"),
    customers("the same name in other case", "customer_id,signup_date,Signup_Date\n", code="source.same_column_twice"),
    customers("a column without a name", "customer_id,signup_date,\n", code="source.column_without_name"),
    customers("invisible blanks around names and values", "\u200bcustomer_id\xa0,signup_date\ufeff\n\xa0C1\u200b,\u20032026-01-01\xa0\nC2\u2060,2026-01-01\n", rows=2, kept=KEPT),
    customers("names that differ by an invisible blank", "customer_id,signup_date,customer_id\u200b\n", code="source.same_column_twice"),
    customers("the line that tells Excel the delimiter", "sep=;\n" + GOOD.replace(",", ";"), rows=2, kept=KEPT),
    customers("the line that tells Excel the delimiter, in quotes and before a blank line", ('"SEP=|"\r\n\r\n' + GOOD.replace(",", "|").replace("\n", "\r\n")).encode("utf-8-sig"), rows=2, kept=KEPT),
    customers("the line that tells Excel the delimiter, in UTF-16", ("sep=\t\n" + GOOD.replace(",", "\t")).encode("utf-16"), settings="encoding: utf-16", rows=2, kept=KEPT),
    customers("a bad line below the line for Excel", "sep=,\n" + GOOD + "C3\n", rows=3, kept=KEPT, rejects=((3, None, "malformed_line", "too few fields: 1 found, 3 expected: C3"),)),
    customers("the line for Excel alone", "sep=;\r\n", code="source.empty"),
    customers("a reserved name", "customer_id,signup_date,row_number\n", code="source.reserved_column"),
    customers("a quote in the header that is not closed", 'customer_id,"signup_date\n' + ROWS, code="csv.unclosed_quote"),
    customers("text after a quoted name", 'customer_id,"signup_date"s\n' + ROWS, code="csv.invalid_header"),
    customers("pipes for commas", "customer_id|signup_date\nC1|2026-01-01\n", code="source.missing_columns"),
    customers("codes for colours in a name", "customer_id,signup_date,\x1b[31mred\n", code="source.control_character"),
)  # fmt: skip
