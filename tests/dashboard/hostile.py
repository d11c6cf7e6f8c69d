"""Exports in which every name contains markup, a script, a formula or the like."""

from __future__ import annotations

import csv
from pathlib import Path

NAMES = (
    "<script>window.hacked = 1</script>",
    '<img src=x onerror="window.hacked = 2">',
    "[click](javascript:window.hacked=3) ![i](http://evil.example/i.png)",
    "| a | b |\n| - | - |",
    "line\nbreak\r\nand\ttab",
    '=HYPERLINK("http://evil.example","x")',
    "+1+cmd|'/c calc'!A0",
    "-2+3",
    "@SUM(1+1)",
    "\u202egnirts desrever\u202c",
    "שלום עולם",
    "www.evil.example and http://evil.example/x and a@evil.example",
    "$E=mc^2$ :smile: :material/home: :red[x]",
    "</td></table></div></details><h1>Big</h1>",
    "`code` **bold** _it_ ~~no~~ # head",
    "x" * 10_000,
    "{{ 7 * 7 }} {customer_id} %s %(x)s",
    "'; DROP TABLE customers; --",
)
"""The names of customers."""

SEGMENTS = ("<b>SMB</b>", "a|b [c](http://evil.example)", "=1+1")


def make_hostile(exports: Path) -> None:
    """Rename every customer, segment and channel of an export."""
    path = exports / "customers.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for place, row in enumerate(rows):
        row["company_name"] = NAMES[place % len(NAMES)]
        row["segment"] = SEGMENTS[place % len(SEGMENTS)]
        row["acquisition_channel"] = NAMES[place % 4]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
