"""The first inputs of a search: valid ones, and some that other programs failed on."""

from __future__ import annotations

from collections.abc import Iterator

from rules.rule_set import SHIPPED
from tests.fuzz.entrances import CSV, JSON, YAML

TABLES = (
    'a,b\n1,"x, ""y""\nz"\n2,w\n',
    "a;b;c\r\n1;2,5;x\r\n\r\n;;\r\n",
    'a\tb\n1\t"2\n3\t4\n',
    'a,b,c\n1,"open,3\n1,"x"y,3\n"q" ,2,3\n1,2\n1,2,3,4\n',
    "a,b\r1,2\r3,4",
    "a\n1\n\n2\n",
    "id,näme\n1,Zoë\n2,\x00\n",
)
DOCUMENTS = (
    '[{"a": 1, "b": "x"}, {"a": null, "c": [1, {"d": 2.5e3}]}, 5]',
    '{"a": 1}\n{"a": "\\u00e9\\n", "b": true}\nbad\n\n{"a": 1, "a": 2}\n',
    "[]",
    '[{"a": NaN}, {"a": 12345678901234567890123}]',
    '{"a": {"a": {"a": [[[[[[]]]]]]}}}\n',
)
STRANGE = (
    "datasets: &d\n  customers: {file: x.csv}\n  subscriptions: *d\n",
    "aliases: {subscriptions.status: {a: b}}\nexchange_rates: {EUR: 1.1, JPY: .inf}\n",
    "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "time_zone: UTC\n<<: {a: 1}\n? [x]\n: y\n",
    "date_formats: ['%d.%m.%Y', \"%Q\"]\nreporting_currency: !!binary aGk=\n",
)


def seeds(entrance: str) -> Iterator[bytes]:
    """Inputs of an entrance, each after the byte that selects the file name and encoding."""
    if entrance == "yaml":
        for variant, name in enumerate(YAML):
            yield bytes([variant]) + (SHIPPED / f"{name}.yaml").read_bytes()[:4000]
            yield from (bytes([variant]) + text.encode() for text in STRANGE)
        return
    ways, texts = {"csv": (CSV, TABLES), "json": (JSON, DOCUMENTS)}[entrance]
    for variant, (_, encoding) in enumerate(ways):
        yield from (bytes([variant]) + text.encode(encoding, "replace") for text in texts)
