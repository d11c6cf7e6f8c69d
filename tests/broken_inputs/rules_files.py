"""Broken YAML files of the rules folder, each with its sentence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RulesText:
    """What is wrong, the file's name without .yaml, its text, and the sentence after the file's name."""

    how: str
    file: str
    text: bytes | str
    sentence: str

    @property
    def bytes(self) -> bytes:
        return self.text if isinstance(self.text, bytes) else self.text.encode()


def sources(how: str, text: bytes | str, sentence: str) -> RulesText:
    """A sources.yaml."""
    return RulesText(how, "sources", text, sentence)


INVALID = " is not valid YAML ({path}): "
MISTAKES = " cannot be used ({path}):\n  "
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a: &a {k: v}\n" + "".join(
    f"{new}: &{new} {{<<: [{', '.join([f'*{old}'] * 10)}]}}\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
CATALOG = "activation_threshold: 3\nmetrics:\n  m: {label: M, category: Data, unit: count, owner: 'team:data', definition: d, purpose: p, interpretation: i, risk_if_misread: r, good_direction: up, formula: %s}\n"
TOO_MANY = "with its anchors written out it has more than 100,000 values. Write it shorter."
DEEP = "nested more than 50 levels deep. Write it flatter."
NAMES = "reporting_currency, exchange_rates, time_zone, date_formats, number_format, null_values, aliases, datasets"

YAML = (
    sources("a bomb of anchors (billion laughs)", BOMB, INVALID + TOO_MANY),
    sources("a bomb of merge keys", MERGES, INVALID + TOO_MANY),
    sources("an anchor inside of itself", "datasets: &d\n  customers: *d\n", f"{INVALID}line 1: the anchor here is used inside itself."),
    sources("a list inside of itself", "date_formats: &f [*f]\n", f"{INVALID}line 1: the anchor here is used inside itself."),
    sources("a merge of itself", "datasets: &d\n  <<: *d\n", f"{INVALID}line 1: the anchor here is used inside itself."),
    sources("an undefined anchor", "datasets: *d\n", f"{INVALID}line 1: found undefined alias 'd'."),
    sources("nested 5,000 deep", "datasets: " + "[" * 5000, INVALID + DEEP),
    sources("2 MB", "time_zone: UTC\n" + "# long\n" * 300_000, " is larger than 1 MB, the limit for rules files ({path}). Check that it is the right file."),
    sources("tabs for spaces", "datasets:\n\tcustomers: {}\n", f"{INVALID}line 2: found character '\\t' that cannot start any token."),
    sources("a key twice", "time_zone: UTC\ntime_zone: Europe/Berlin\n", f"{INVALID}line 2: 'time_zone' is defined twice."),
    sources("a Python object", "datasets: !!python/object/apply:os.system ['true']\n", f"{INVALID}line 1: could not determine a constructor for the tag 'tag:yaml.org,2002:python/object/apply:os.system'."),
    sources("text with the tag of a number", "datasets: !!int ''\n", f"{INVALID}line 1: '' cannot be read as int; put it in quotes if it is text."),
    sources("text with the tag of a boolean", "datasets: !!bool perhaps\n", f"{INVALID}line 1: 'perhaps' cannot be read as bool; put it in quotes if it is text."),
    sources("text with the tag of a date", "datasets: !!timestamp soon\n", f"{INVALID}line 1: 'soon' cannot be read as timestamp; put it in quotes if it is text."),
    sources("February 30", "time_zone: 2026-02-30\n", f"{INVALID}line 1: '2026-02-30' cannot be read as timestamp; put it in quotes if it is text."),
    sources("a number of 5,000 digits", f"time_zone: {'9' * 5000}\n", f"{INVALID}line 1: '{'9' * 57}...' cannot be read as int; put it in quotes if it is text."),
    sources("a number of 16,000 bits", f"exchange_rates: {{EUR: 0x{'f' * 4000}}}\n", f"{INVALID}line 1: '0x{'f' * 55}...' is too large a number."),
    sources("two documents", "time_zone: UTC\n---\ntime_zone: UTC\n", f"{INVALID}line 2: expected a single document in the stream, but found another document."),
    sources("a list for a key", "? [a]\n: b\n", f"{INVALID}line 1: found unhashable key."),
    sources("Latin-1", "time_zone: UTC # f\xfcr alle\n".encode("latin-1"), " is not UTF-8 text ({path}). Save it as UTF-8."),
    sources("UTF-16", "time_zone: UTC\n".encode("utf-16"), " is not UTF-8 text ({path}). Save it as UTF-8."),
    sources("a NUL", "time_zone: UTC\0\n", f"{INVALID}unacceptable character #x0000: special characters are not allowed."),
    sources("nothing", "", " is empty; a mapping of names to values is expected ({path})."),
    sources("a list", "- customers\n", " is a list; a mapping of names to values is expected ({path})."),
    sources("an entry without its content", "datasets:\n", f"{MISTAKES}datasets: is empty; accepted: a mapping of names to values."),
    sources("a key that is not text", "5: x\n", f"{MISTAKES}5: is 5; Keys should be strings."),
    sources("codes for colours in a key", '"\\e[31m": 1\n', f"{MISTAKES}\\x1b[31m: is not a known key; accepted: {NAMES}."),
    sources("an unknown dataset", "datasets: {custmers: {}}\n", f"{MISTAKES}datasets > custmers: is not a dataset; accepted: customers, …"),
    sources("an unknown column", "datasets: {customers: {columns: {id: x}}}\n", f"{MISTAKES}datasets > customers > columns > id: is not a column; accepted: customer_id, …"),
    sources("a file and a query", "datasets: {customers: {file: a.csv, query: SELECT 1}}\n", f"{MISTAKES}datasets > customers: give file or query, not both."),
    sources("a share that is not a number", "datasets: {customers: {max_reject_share: .nan}}\n", f"{MISTAKES}datasets > customers > max_reject_share: is nan; accepted: 1.0 or less."),
    sources("the name of a folder of time zones", "time_zone: Europe\n", f"{MISTAKES}time_zone: is 'Europe'; is not a time zone such as UTC or Europe/Berlin."),
    *(sources(f"rules that are not a time zone: {name}", f"time_zone: {name}\n", f"{MISTAKES}time_zone: is '{name}'; is not a time zone such as UTC or Europe/Berlin.") for name in ("localtime", "posixrules", "Factory", "posix/UTC", "right/Europe/Berlin")),
    sources("a zone of 5,000 letters", f"time_zone: {'x' * 5000}\n", f"{MISTAKES}time_zone: is '{'x' * 56}...; is not a time zone such as UTC or Europe/Berlin."),
    sources("invalid exchange rates", "exchange_rates: {EUR: .inf, JPY: 0, GBP: 1.0e+30, CHF: 1.0e-30}\n", f"{MISTAKES}exchange_rates > EUR: is inf; Input should be a finite number.\n  exchange_rates > JPY: is 0; accepted: more than 0.\n  exchange_rates > GBP: is 1e+30; accepted: less than 100000000.\n  exchange_rates > CHF: is 1e-30; Decimal input should have no more than 10 decimal places."),
    sources("an invalid date format", "date_formats: ['%Q']\n", f"{MISTAKES}date_formats: '%Q' is not a date format (…); accepted: strptime's specifiers, such as %d.%m.%Y, or epoch_seconds, epoch_milliseconds, excel_serial."),
    RulesText("arithmetic on itself", "metric_catalog", CATALOG % "{add: [m, 1]}", f"{MISTAKES}metrics > m > formula: refers to itself through m > m; name other metrics."),
    RulesText("code for a formula", "metric_catalog", CATALOG % "sum(mrr)", f"{MISTAKES}metrics > m > formula: is 'sum(mrr)'; a formula is a mapping such as {{sum: mrr_end}}; accepted keys: ratio, …"),
    RulesText("arithmetic 60 deep", "metric_catalog", CATALOG % ("{complement: " * 60 + "m" + "}" * 60), INVALID + DEEP),
    sources("a chain of 60 anchors", "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 60)), INVALID + DEEP),
    RulesText("a threshold that cannot be compared", "churn_rules", "bands: {High: 0.5, Low: 0}\nrevenue_at_risk_bands: [High]\ntickets: {closed_statuses: [x], urgent_priorities: [y]}\nrules:\n- {rule_id: r, signal_name: s, operator: less_than, threshold: {a: 1}, weight: 0.5, driver_label: d, description: d}\n", f"{MISTAKES}rules > r: less_than needs a single threshold, not a list."),
    RulesText("a scenario that is a number", "scenarios", "scenarios: {churn_reduction: 5}\n", f"{MISTAKES}scenarios > churn_reduction: is 5; accepted: a mapping of names to values."),
    RulesText("an answer with an open brace", "business_questions", "questions:\n- {question: q, owner: 'team:data', metrics: [churned_customers], tables: [kpi_summary], answer: '{'}\n", f"{MISTAKES}questions > 1 > answer: '{{' is not a text with {{placeholders}}: Single '{{' encountered in format string."),
)  # fmt: skip
