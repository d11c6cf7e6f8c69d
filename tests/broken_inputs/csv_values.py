"""CSV files with values that break the contract: the rows that are rejected, and the name of the rule."""

from __future__ import annotations

from tests.broken_inputs.judging import Input


def values(
    how: str, dataset: str, column: str, header: str, row: str, found: dict[str, str | None], top: str = ""
) -> Input:
    """One row for each value, with its number as the key: the rule that it breaks, or nothing."""
    lines = [row.format(number=f"{number:02}", value=f'"{text}"') for number, text in enumerate(found, 1)]
    return Input(
        how,
        f"{dataset}.csv",
        "\n".join([header, *lines]),
        rows=len(found),
        kept=tuple(f"{number:02}" for number, rule in enumerate(found.values(), 1) if not rule),
        rejects=tuple((n, column, rule, text[:200] or None) for n, (text, rule) in enumerate(found.items(), 1) if rule),
        top=top,
    )


NO_DATE, NO_NUMBER, NO_WHOLE_NUMBER, NEGATIVE = (
    "parses_as_date",
    "parses_as_number",
    "parses_as_whole_number",
    "not_negative",
)
CUSTOMER = "customer_id,signup_date", "{number},{value}"
CHANNEL = "channel_name,cost_per_acquisition", "{number},{value}"
USAGE = "usage_id,customer_id,date,logins,key_actions", "{number},C1,2026-01-01,{value},1"
SUBSCRIPTION = "subscription_id,customer_id,status,start_date,end_date,monthly_price"
PAYMENT = "transaction_id,customer_id,subscription_id,amount,currency,status,transaction_date"

DATES = (
    values("dates in five formats", "customers", "signup_date", *CUSTOMER, {
        "2026-01-05": None, "05.01.2026": NO_DATE, "01/05/2026": NO_DATE, "5 Jan 2026": NO_DATE, "20260105": NO_DATE,
    }),
    values("dates in five formats, as in the settings", "customers", "signup_date", *CUSTOMER, {
        "2026-01-05": None, "05.01.2026": None, "01/05/2026": None, "5 Jan 2026": None, "20260105": None, "2026.01.05": NO_DATE,
    }, top="date_formats: ['%d.%m.%Y', '%m/%d/%Y', '%d %b %Y', '%Y%m%d']"),
    values("days that no calendar has", "customers", "signup_date", *CUSTOMER, {
        "2026-02-30": NO_DATE, "2026-02-28": None, "0000-00-00": "not_null", "2026-13-01": NO_DATE, "2026-00-10": NO_DATE,
    }),
    values("days that mean no date, and infinite days", "customers", "signup_date", *CUSTOMER, {
        "0000-01-01": NO_DATE, "0001-01-01": NO_DATE, "1900-01-01": NO_DATE, "1900-01-02": None, "9999-12-31": None,
        "10000-01-01": NO_DATE, "-0044-03-15": NO_DATE, "2026-01-05 (BC)": NO_DATE, "infinity": NO_DATE, "epoch": NO_DATE,
    }),
    values("words and numbers for dates", "customers", "signup_date", *CUSTOMER, {
        "today": NO_DATE, "n/a": "not_null", "46027": NO_DATE, "1767571200": NO_DATE, "２０２６-01-05": NO_DATE, "": "not_null",
    }),
    values("offsets that no time zone has, in a format of the settings", "customers", "signup_date", *CUSTOMER, {
        "05.01.2026 23:30 +99:99": NO_DATE, "05.01.2026 23:30 -1600": NO_DATE, "05.01.2026 23:30 +05:75": NO_DATE, "05.01.2026 23:30 +05:30": None, "05.01.2026 23:30 -1000": None, "05.01.2026 23:30 +14": None,
    }, top="date_formats: ['%d.%m.%Y %H:%M %z']"),
    values("timestamps with and without a zone", "customers", "signup_date", *CUSTOMER, {
        "2026-01-05T10:00:00Z": None, "2026-01-05 10:00:00.123456789+05:30": None, "2026-01-05T10:00:00": None,
        "2026-01-05T23:30:00-0500": None, "2026-01-05T23:30:00 UTC": None, "2026-01-05T23:30:00 America/New_York": None,
        "9999-12-31T23:30:00-05:00": NO_DATE, "1900-01-02T00:30:00+05:00": NO_DATE, "2026-01-05T10:00:00+99:99": NO_DATE, "2026-01-05T10:00:00+16:00": NO_DATE,
        "2026-01-05 10:00 Moon/Crater": NO_DATE, "2026-01-05 10:00:00 PM": NO_DATE, "2026-01-05T25:00:00": NO_DATE,
    }),
)  # fmt: skip

NUMBERS = (
    values("money with signs and separators", "acquisition_channels", "cost_per_acquisition", *CHANNEL, {
        "1000.50": None, "1,000.00": NO_NUMBER, "1.000,00": NO_NUMBER, "1 000": NO_NUMBER, "$5": NO_NUMBER, "5 €": NO_NUMBER, "(5)": NO_NUMBER,
    }),
    values("money that is not a number", "acquisition_channels", "cost_per_acquisition", *CHANNEL, {
        "NaN": "not_null", "inf": NO_NUMBER, "-inf": NO_NUMBER, "free": NO_NUMBER, "0x10": NO_NUMBER, "1_000": NO_NUMBER, "#REF!": NO_NUMBER, "": "not_null",
    }),
    values("money too large to keep", "acquisition_channels", "cost_per_acquisition", *CHANNEL, {
        "1e400": NO_NUMBER, "1e16": NO_NUMBER, "99999999999999999": NO_NUMBER, "9999999999999999.99": None, "1e15": None,
    }),
    values("negative money", "acquisition_channels", "cost_per_acquisition", *CHANNEL, {"-5": NEGATIVE, "-0.01": NEGATIVE, "-0": None, "0": None}),
    values("values that are not whole numbers", "product_usage", "logins", *USAGE, {
        "3": None, "3.0": None, "3.5": NO_WHOLE_NUMBER, "-1": NEGATIVE, "1e5": NO_WHOLE_NUMBER, "true": NO_WHOLE_NUMBER,
        "9223372036854775807": None, "9223372036854775808": NO_WHOLE_NUMBER, "9" * 500: NO_WHOLE_NUMBER,
    }),
)  # fmt: skip

ROWS = (
    Input("nulls in keys", "customers.csv", 'customer_id,signup_date\n,2026-01-01\n  ,2026-01-01\n"",2026-01-01\nC4,2026-01-01\n', rows=4, kept=("C4",),
          rejects=((1, "customer_id", "not_null", None), (2, "customer_id", "not_null", "  "), (3, "customer_id", "not_null", None))),
    Input("keys twice, with the same row and with another", "customers.csv", "customer_id,signup_date\nC1,2026-01-01\nC1,2026-01-01\nC1,2026-01-02\nC2,2026-01-01\n", rows=4, kept=("C1", "C2"),
          rejects=((2, "customer_id", "duplicate_row", "C1"), (3, "customer_id", "unique_key", "C1"))),
    Input("booleans in other words", "customers.csv", "customer_id,signup_date,is_active\nC1,2026-01-01,perhaps\nC2,2026-01-01,Yes\nC3,2026-01-01,\n", rows=3, kept=("C1", "C2", "C3")),
    values("unknown statuses", "subscriptions", "status", SUBSCRIPTION, "{number},C1,{value},2026-01-01,,10", {
        "Active": None, " trial ": None, "Paused": "allowed_values", "Active;": "allowed_values", "1": "allowed_values", "": "not_null",
    }),
    values("negative prices", "subscriptions", "monthly_price", SUBSCRIPTION, "{number},C1,Active,2026-01-01,,{value}", {"-10": NEGATIVE, "10": None}),
    Input("periods that end before they start, or not at all", "subscriptions.csv", f"{SUBSCRIPTION}\nS1,C1,Expired,2026-01-02,2026-01-01,10\nS2,C1,Canceled,2026-01-02,,10\nS3,C1,Active,2026-01-02,,10\n", rows=3, kept=("S3",),
          rejects=((1, "end_date", "end_date_not_before_start_date", "2026-01-01"), (2, "end_date", "ended_has_end_date", None))),
    values("customers that do not exist", "subscriptions", "customer_id", SUBSCRIPTION, "{number},{value},Active,2026-01-01,,10", {"C1": None, "C9": "known_customer", "c1": "known_customer", "": "not_null"}),
    Input("payments without a customer or a subscription", "transactions.csv", f"{PAYMENT}\nT1,C1,S1,5,USD,Success,2026-01-01\nT2,C9,S1,5,USD,Success,2026-01-01\nT3,C1,S9,5,USD,Success,2026-01-01\n", rows=3, kept=("T1",),
          rejects=((2, "customer_id", "known_customer", "C9"), (3, "subscription_id", "known_subscription", "S9"))),
    values("currencies without a rate, and values that are not a currency", "transactions", "currency", PAYMENT, "{number},C1,S1,5,{value},Success,2026-01-01", {"usd": None, "": None, "EUR": None, "CHF": "known_currency", "US$": "currency_code"},
           top="exchange_rates: {EUR: 1.1}"),
    Input("several rules broken in one row", "subscriptions.csv", f"{SUBSCRIPTION}\nS1,C9,Gone,soon,,$5\nS2,C1,Active,2026-01-01,,5\n", rows=2, kept=("S2",),
          rejects=((1, "customer_id", "known_customer", "C9"), (1, "monthly_price", NO_NUMBER, "$5"), (1, "start_date", NO_DATE, "soon"), (1, "status", "allowed_values", "Gone"))),
)  # fmt: skip
