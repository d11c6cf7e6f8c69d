"""One small company, exported by thirteen systems: what each writes, and which column of it is which.

The company has 30 customers on three plans, sold per month, per quarter and per year; some have left, one is on trial,
some payments failed and one was refunded. `truth` of a folder lists every column of ours that the export has.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

Row = dict[str, object]
FIRST, LAST = dt.date(2024, 1, 3), dt.date(2025, 12, 20)
PLANS = {"Basic": Decimal("49.00"), "Team": Decimal("129.00"), "Business": Decimal("349.00")}
CYCLES = {"Monthly": 1, "Quarterly": 3, "Annual": 12}


def add_months(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month + 1, day=min(day.day, 28))


@dataclass(frozen=True)
class Company:
    """The rows of each dataset, in our words; `seats` and the price per seat are kept beside the price per month."""

    customers: list[Row]
    subscriptions: list[Row]
    transactions: list[Row]
    tickets: list[Row]
    scores: list[Row]
    usage: list[Row]


def company(*, seats: bool = False) -> Company:
    """The company; with `seats`, each subscription costs a price per seat times its seats."""
    customers, subscriptions, transactions = [], [], []
    for number in range(30):
        signup = FIRST + dt.timedelta(days=number * 17 % 330)
        customers.append(
            {
                "customer_id": f"acc_{1000 + number * 7}",
                "signup_date": signup,
                "company_name": f"Firm {chr(65 + number % 26)}{number} Ltd",
                "segment": ("SMB", "Mid-Market", "Enterprise")[number % 3],
                "country": ("Germany", "France", "Spain", "Austria")[number % 4],
                "acquisition_channel": ("Organic", "Paid Search", "Partner")[number % 3],
            }
        )
        subscriptions.append(_subscription(number, signup, seats))
        transactions += _payments(subscriptions[-1])
    for number, row in enumerate(transactions, start=1):
        row["transaction_id"] = f"pay_{50000 + number}"
    return Company(customers, subscriptions, transactions, _tickets(customers), _scores(customers), _usage(customers))


def _subscription(number: int, signup: dt.date, seats: bool) -> Row:
    plan = list(PLANS)[number % 3]
    has_left = number % 6 == 5
    cycle = list(CYCLES)[(number // 3) % 3]
    start = signup + dt.timedelta(days=number % 4)
    count = 2 + number % 5 if seats else 1
    return {
        "subscription_id": f"sub_{2000 + number * 3}",
        "customer_id": f"acc_{1000 + number * 7}",
        "plan": plan,
        "status": "Canceled" if has_left else "Trial" if number == 28 else "Past Due" if number == 12 else "Active",
        "start_date": start,
        "end_date": add_months(start, 12) if has_left else None,
        "monthly_price": PLANS[plan] * count,
        "seat_price": PLANS[plan],
        "cycle_price": PLANS[plan] * count * CYCLES[cycle],
        "seats": count,
        "billing_cycle": cycle,
        "auto_renew": not has_left,
    }


def _payments(subscription: Row) -> list[Row]:
    if subscription["status"] == "Trial":
        return []
    months = CYCLES[subscription["billing_cycle"]]
    rows: list[Row] = []
    day, number = subscription["start_date"], 0
    while day < min(subscription["end_date"] or LAST, LAST):
        row = {
            "customer_id": subscription["customer_id"],
            "subscription_id": subscription["subscription_id"],
            "amount": subscription["monthly_price"] * months,
            "status": "Success",
            "transaction_date": day,
            "payment_method": "card" if number % 2 else "transfer",
        }
        if number == 4 and months == 1:
            rows.append({**row, "status": "Failed"})
        rows.append(row)
        number += 1
        day = add_months(subscription["start_date"], number * months)
    if subscription["subscription_id"] == "sub_2030":
        rows[-1] = {**rows[-1], "status": "Refunded"}
    return rows


def _tickets(customers: list[Row]) -> list[Row]:
    return [
        {
            "ticket_id": f"T-{number + 1}",
            "customer_id": customers[number % 30]["customer_id"],
            "date_opened": FIRST + dt.timedelta(days=11 * number),
            "status": "closed" if number % 3 else "open",
            "date_closed": FIRST + dt.timedelta(days=11 * number + 2) if number % 3 else None,
            "priority": ("low", "normal", "high")[number % 3],
        }
        for number in range(60)
    ]


def _scores(customers: list[Row]) -> list[Row]:
    return [
        {
            "score_id": f"R-{number + 1}",
            "customer_id": customers[number % 30]["customer_id"],
            "date": FIRST + dt.timedelta(days=13 * number),
            "score": (number * 7) % 11,
        }
        for number in range(50)
    ]


def _usage(customers: list[Row]) -> list[Row]:
    return [
        {
            "customer_id": customer["customer_id"],
            "date": dt.date(2025, 1, 6) + dt.timedelta(days=7 * week),
            "logins": (week * 3 + number) % 20,
            "key_actions": (week * 5 + number) % 50,
            "active_users": 1 + number % 6,
        }
        for week in range(20)
        for number, customer in enumerate(customers)
    ]


# --- how a system writes -------------------------------------------------------------------------

Write = Callable[[object], object]


def iso(value: object) -> object:
    return "" if value is None else value


def in_format(text: str) -> Write:
    return lambda day: day.strftime(text) if day else ""


def epoch(day: object) -> object:
    return int(dt.datetime(day.year, day.month, day.day, 12, tzinfo=dt.UTC).timestamp()) if day else ""


def cents(amount: object) -> object:
    return int(amount * 100)


def comma(amount: object) -> object:
    return f"{amount:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")


def words(**meanings: str) -> Write:
    known = {ours.replace("_", " "): theirs for ours, theirs in meanings.items()}
    return lambda value: known[value]


Columns = dict[str, tuple[str, Write]]
"""Header -> our column, and how its values are written; a column without one of ours begins with a dash."""


def project(rows: Iterable[Row], columns: Columns) -> list[Row]:
    return [
        {
            header: (write(None) if ours.startswith("-") else write(row.get(ours)))
            for header, (ours, write) in columns.items()
        }
        for row in rows
    ]


def constant(value: object) -> Write:
    return lambda _value: value


def write_csv(path: Path, rows: list[Row], *, delimiter: str = ",", encoding: str = "utf-8", empty: str = "") -> None:
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows({name: empty if value == "" else value for name, value in row.items()} for row in rows)


def write_json(path: Path, rows: list[Row]) -> None:
    path.write_text(
        json.dumps([{name: value if value != "" else None for name, value in row.items()} for row in rows], default=str)
    )


@dataclass(frozen=True)
class Shape:
    """One system's export. truth: dataset -> our column -> header; settings: those that its values need, by place."""

    write: Callable[[Path], None]
    truth: dict[str, dict[str, str]]
    settings: dict[tuple[str, ...], object] = field(default_factory=dict)
    preset: str | None = None


def _truth(**tables: Columns) -> dict[str, dict[str, str]]:
    return {
        dataset: {ours: header for header, (ours, _write) in columns.items() if not ours.startswith("-")}
        for dataset, columns in tables.items()
    }


SHAPES: dict[str, Shape] = {}
ACTIVE_WORDS = words(Active="active", Past_Due="past_due", Canceled="canceled", Trial="trialing")


def shape(name: str, files: dict[str, tuple[str, Columns]], *, seats: bool = False, settings=None, **options) -> None:
    """Add a system. files: file name -> (dataset, its columns)."""

    def write(folder: Path) -> None:
        rows = company(seats=seats)
        by_dataset = {
            "customers": rows.customers, "subscriptions": rows.subscriptions, "transactions": rows.transactions,
            "support_tickets": rows.tickets, "nps_scores": rows.scores, "product_usage": rows.usage,
        }  # fmt: skip
        for file, (dataset, columns) in files.items():
            written = project(by_dataset[dataset], columns)
            if file.endswith(".json"):
                write_json(folder / file, written)
            else:
                write_csv(folder / file, written, **options)

    truth = _truth(**dict(files.values()))
    for columns in truth.values():  # a price per seat or per billing cycle is mapped to monthly_price, with a setting
        for other in ("seat_price", "cycle_price"):
            if price := columns.pop(other, None):
                columns["monthly_price"] = price
        columns.pop("seats", None)
    SHAPES[name] = Shape(write, truth, settings or {})


DAY = {"%d.%m.%Y": in_format("%d.%m.%Y"), "%m/%d/%Y": in_format("%m/%d/%Y"), "%d/%m/%Y": in_format("%d/%m/%Y")}
STAMP = in_format("%Y-%m-%d 09:30:00")
ZONED = in_format("%Y-%m-%dT09:30:00.000Z")

# 1. A billing system like Stripe's API: ids with prefixes, amounts in cents, epoch seconds, lower-case words.
shape(
    "epoch seconds and cents",
    {
        "customers.json": ("customers", {
            "id": ("customer_id", iso), "object": ("-", constant("customer")), "created": ("signup_date", epoch),
            "name": ("company_name", iso), "livemode": ("-", constant(True)),
        }),
        "subscriptions.json": ("subscriptions", {
            "id": ("subscription_id", iso), "customer": ("customer_id", iso), "status": ("status", ACTIVE_WORDS),
            "start_date": ("start_date", epoch), "ended_at": ("end_date", epoch), "current_period_end": ("-", constant(1767225600)),
            "plan_name": ("plan", iso), "mrr_cents": ("monthly_price", cents), "currency": ("currency", constant("usd")),
            "interval": ("billing_cycle", words(Monthly="month", Quarterly="quarter", Annual="year")),
        }),
        "charges.json": ("transactions", {
            "id": ("transaction_id", iso), "customer": ("customer_id", iso), "subscription": ("subscription_id", iso),
            "amount_cents": ("amount", cents), "status": ("status", words(Success="succeeded", Failed="failed", Refunded="refunded")),
            "created": ("transaction_date", epoch), "payment_method_type": ("payment_method", iso),
        }),
    },
    settings={
        ("date_formats",): ["epoch_seconds"],
        ("datasets", "subscriptions", "minor_units"): True,
        ("datasets", "transactions", "minor_units"): True,
    },
)  # fmt: skip

# 2. Like Chargebee's exports.
shape(
    "Chargebee-like",
    {
        "Customers.csv": ("customers", {
            "Customer Id": ("customer_id", iso), "Company": ("company_name", iso), "Email": ("-", constant("a@example.org")),
            "Created At": ("signup_date", in_format("%d-%b-%Y %H:%M")), "Updated At": ("-", constant("20-Dec-2025 08:00")),
            "Billing Address Country": ("country", iso),
        }),
        "Subscriptions.csv": ("subscriptions", {
            "Subscription Id": ("subscription_id", iso), "Customer Id": ("customer_id", iso), "Plan Id": ("plan", iso),
            "Plan Quantity": ("seats", iso), "Plan Unit Price": ("seat_price", iso), "Currency Code": ("currency", constant("EUR")),
            "Status": ("status", words(Active="active", Past_Due="active", Canceled="cancelled", Trial="in_trial")),
            "Started At": ("start_date", in_format("%d-%b-%Y %H:%M")),
            "Current Term Start": ("-", constant("01-Dec-2025 00:00")), "Current Term End": ("-", constant("31-Dec-2025 00:00")),
            "Cancelled At": ("end_date", in_format("%d-%b-%Y %H:%M")), "Billing Period Unit":
            ("billing_cycle", words(Monthly="month", Quarterly="quarter", Annual="year")),
        }),
        "Transactions.csv": ("transactions", {
            "Id": ("transaction_id", iso), "Customer Id": ("customer_id", iso), "Subscription Id": ("subscription_id", iso),
            "Amount": ("amount", iso), "Status": ("status", words(Success="success", Failed="failure", Refunded="refunded")),
            "Date": ("transaction_date", in_format("%d-%b-%Y %H:%M")), "Payment Method": ("payment_method", iso),
            "Currency Code": ("currency", constant("EUR")), "Gateway": ("-", constant("adyen")),
        }),
    },
    seats=True,
    settings={
        ("date_formats",): ["%d-%b-%Y %H:%M"], ("reporting_currency",): "EUR",
        ("datasets", "subscriptions", "price"): {"per": "month", "seats": "Plan Quantity"},
    },
)  # fmt: skip

# 3. Salesforce.
shape(
    "Salesforce",
    {
        "Account.csv": ("customers", {
            "Id": ("customer_id", iso), "Name": ("company_name", iso), "BillingCountry": ("country", iso),
            "Segment__c": ("segment", iso), "LeadSource": ("acquisition_channel", iso), "CreatedDate": ("signup_date", ZONED),
            "LastModifiedDate": ("-", constant("2025-12-19T10:00:00.000Z")), "OwnerId": ("-", constant("005A")),
        }),
        "Contract.csv": ("subscriptions", {
            "Id": ("subscription_id", iso), "AccountId": ("customer_id", iso), "Status":
            ("status", words(Active="Activated", Past_Due="Activated", Canceled="Terminated", Trial="Trial")),
            "StartDate": ("start_date", iso), "EndDate": ("end_date", iso), "Annual_Amount__c": ("monthly_price",
            lambda price: price * 12), "CreatedDate": ("-", constant("2024-01-01T00:00:00.000Z")), "Plan__c": ("plan", iso),
        }),
        "Payment.csv": ("transactions", {
            "Id": ("transaction_id", iso), "AccountId": ("customer_id", iso), "Contract__c": ("subscription_id", iso),
            "Amount__c": ("amount", iso), "Status__c": ("status", words(Success="Paid", Failed="Failed", Refunded="Refunded")),
            "Payment_Date__c": ("transaction_date", iso),
        }),
        "Case.csv": ("support_tickets", {
            "CaseNumber": ("ticket_id", iso), "AccountId": ("customer_id", iso), "CreatedDate": ("date_opened", ZONED),
            "ClosedDate": ("date_closed", ZONED), "Status": ("status", iso), "Priority": ("priority", iso),
        }),
    },
    settings={("datasets", "subscriptions", "price"): {"per": "year"}},
)  # fmt: skip

# 4. A European program: semicolons, decimal commas, days first.
shape(
    "European semicolons",
    {
        "customers.csv": ("customers", {
            "customer_id": ("customer_id", iso), "signup_date": ("signup_date", DAY["%d/%m/%Y"]), "company_name": ("company_name", iso),
            "country": ("country", iso), "segment": ("segment", iso),
        }),
        "subscriptions.csv": ("subscriptions", {
            "subscription_id": ("subscription_id", iso), "customer_id": ("customer_id", iso), "plan": ("plan", iso),
            "status": ("status", iso), "start_date": ("start_date", DAY["%d/%m/%Y"]), "end_date": ("end_date", DAY["%d/%m/%Y"]),
            "monthly_price": ("monthly_price", comma), "billing_cycle": ("billing_cycle", iso),
        }),
        "payments.csv": ("transactions", {
            "payment_id": ("transaction_id", iso), "customer_id": ("customer_id", iso), "subscription_id": ("subscription_id", iso),
            "amount_eur": ("amount", comma), "status": ("status", iso), "payment_date": ("transaction_date", DAY["%d/%m/%Y"]),
        }),
        "nps.csv": ("nps_scores", {
            "response_id": ("score_id", iso), "customer_id": ("customer_id", iso), "date": ("date", DAY["%d/%m/%Y"]), "score": ("score", iso),
        }),
    },
    settings={
        ("date_formats",): ["%d/%m/%Y"], ("reporting_currency",): "EUR",
        ("datasets", "subscriptions", "number_format"): "1.234,50", ("datasets", "transactions", "number_format"): "1.234,50",
    },
    delimiter=";",
)  # fmt: skip

# 5. German headers and words, in the encoding of old programs.
shape(
    "German headers",
    {
        "Kunden.csv": ("customers", {
            "Kundennummer": ("customer_id", iso), "Firma": ("company_name", iso), "Land": ("country", iso),
            "Kunde seit": ("signup_date", DAY["%d.%m.%Y"]), "Straße": ("-", constant("Hauptstraße 1")),
        }),
        "Verträge.csv": ("subscriptions", {
            "Vertragsnummer": ("subscription_id", iso), "Kundennummer": ("customer_id", iso), "Tarif": ("plan", iso),
            "Status": ("status", words(Active="aktiv", Past_Due="überfällig", Canceled="gekündigt", Trial="Testphase")),
            "Vertragsbeginn": ("start_date", DAY["%d.%m.%Y"]), "Vertragsende": ("end_date", DAY["%d.%m.%Y"]),
            "Monatspreis": ("monthly_price", comma), "Zahlweise":
            ("billing_cycle", words(Monthly="monatlich", Quarterly="vierteljährlich", Annual="jährlich")),
        }),
        "Zahlungen.csv": ("transactions", {
            "Belegnummer": ("transaction_id", iso), "Kundennummer": ("customer_id", iso), "Vertragsnummer": ("subscription_id", iso),
            "Betrag (EUR)": ("amount", comma), "Status": ("status", words(Success="bezahlt", Failed="fehlgeschlagen", Refunded="erstattet")),
            "Zahlungsdatum": ("transaction_date", DAY["%d.%m.%Y"]), "Zahlungsart": ("payment_method", iso),
        }),
    },
    settings={
        ("date_formats",): ["%d.%m.%Y"], ("reporting_currency",): "EUR",
        ("datasets", "subscriptions", "number_format"): "1.234,50", ("datasets", "transactions", "number_format"): "1.234,50",
    },
    delimiter=";", encoding="windows-1252",
)  # fmt: skip

# 6. A dump of a MySQL database: NULL words, numeric keys, timestamps, several dates.
shape(
    "MySQL dump with NULL words",
    {
        "accounts.tsv": ("customers", {
            "id": ("customer_id", iso), "name": ("company_name", iso), "country": ("country", iso), "source": ("acquisition_channel", iso),
            "created_at": ("signup_date", STAMP), "updated_at": ("-", constant("2025-12-19 10:00:00")),
            "deleted_at": ("-", constant("")), "is_active": ("is_active", constant("1")),
        }),
        "contracts.tsv": ("subscriptions", {
            "id": ("subscription_id", iso), "account_id": ("customer_id", iso), "plan_name": ("plan", iso), "state": ("status", ACTIVE_WORDS),
            "started_at": ("start_date", STAMP), "ended_at": ("end_date", STAMP), "price": ("monthly_price", iso),
            "billing_interval": ("-", constant("")), "created_at": ("-", constant("2024-01-01 00:00:00")),
        }),
        "payments.tsv": ("transactions", {
            "id": ("transaction_id", iso), "account_id": ("customer_id", iso), "contract_id": ("subscription_id", iso), "amount": ("amount", iso),
            "state": ("status", words(Success="paid", Failed="failed", Refunded="refunded")), "paid_at": ("transaction_date", STAMP),
        }),
        "usage.tsv": ("product_usage", {
            "account_id": ("customer_id", iso), "day": ("date", iso), "logins": ("logins", iso), "key_actions": ("key_actions", iso),
            "dau": ("active_users", iso),
        }),
    },
    delimiter="\t", empty="NULL",
)  # fmt: skip

# 7. A price per billing cycle beside its interval.
shape(
    "price per billing cycle",
    {
        "organizations.csv": ("customers", {
            "org_id": ("customer_id", iso), "organization_name": ("company_name", iso), "signed_up_at": ("signup_date", ZONED),
        }),
        "subs.csv": ("subscriptions", {
            "sub_id": ("subscription_id", iso), "org_id": ("customer_id", iso), "plan": ("plan", iso), "status": ("status", ACTIVE_WORDS),
            "started_at": ("start_date", ZONED), "canceled_at": ("end_date", ZONED), "price": ("cycle_price", iso),
            "billing_period": ("billing_cycle", words(Monthly="monthly", Quarterly="quarterly", Annual="yearly")),
        }),
        "payments.csv": ("transactions", {
            "payment_id": ("transaction_id", iso), "org_id": ("customer_id", iso), "sub_id": ("subscription_id", iso), "amount": ("amount", iso),
            "status": ("status", words(Success="succeeded", Failed="failed", Refunded="refunded")), "paid_at": ("transaction_date", ZONED),
        }),
    },
    settings={("datasets", "subscriptions", "price"): {"per": "billing_cycle"}},
)  # fmt: skip

# 8. Prices per seat.
shape(
    "price per seat",
    {
        "accounts.csv": ("customers", {
            "account_id": ("customer_id", iso), "account_name": ("company_name", iso), "created_at": ("signup_date", iso),
            "tier": ("segment", iso),
        }),
        "contracts.csv": ("subscriptions", {
            "contract_id": ("subscription_id", iso), "account_id": ("customer_id", iso), "product": ("plan", iso), "status": ("status", iso),
            "start_date": ("start_date", iso), "end_date": ("end_date", iso), "seats": ("seats", iso), "price_per_seat": ("seat_price", iso),
            "billing_frequency": ("billing_cycle", iso), "auto_renewal": ("auto_renew", lambda value: "Yes" if value else "No"),
        }),
        "invoices.csv": ("transactions", {
            "invoice_number": ("transaction_id", iso), "account_id": ("customer_id", iso), "contract_id": ("subscription_id", iso),
            "amount": ("amount", iso), "status": ("status", words(Success="paid", Failed="uncollectible", Refunded="refunded")),
            "invoice_date": ("transaction_date", iso), "due_date": ("-", constant("2026-01-31")),
        }),
    },
    seats=True,
    settings={("datasets", "subscriptions", "price"): {"per": "month", "seats": "seats"}},
)  # fmt: skip

# 9. JSON of a Node program: camelCase.
shape(
    "camelCase JSON",
    {
        "users.json": ("customers", {
            "userId": ("-", constant("u-1")), "companyId": ("customer_id", iso), "companyName": ("company_name", iso),
            "createdAt": ("signup_date", ZONED), "lastLoginAt": ("-", constant("2025-12-01T00:00:00.000Z")), "countryCode": ("country", iso),
        }),
        "subscriptions.json": ("subscriptions", {
            "subscriptionId": ("subscription_id", iso), "companyId": ("customer_id", iso), "planName": ("plan", iso),
            "status": ("status", ACTIVE_WORDS), "startDate": ("start_date", iso), "endDate": ("end_date", iso),
            "monthlyPrice": ("monthly_price", float), "autoRenew": ("auto_renew", iso),
            "billingCycle": ("billing_cycle", words(Monthly="month", Quarterly="quarter", Annual="year")),
        }),
        "payments.json": ("transactions", {
            "paymentId": ("transaction_id", iso), "companyId": ("customer_id", iso), "subscriptionId": ("subscription_id", iso),
            "amount": ("amount", float), "status": ("status", words(Success="succeeded", Failed="failed", Refunded="refunded")),
            "paidAt": ("transaction_date", ZONED), "paymentMethod": ("payment_method", iso),
        }),
    },
)  # fmt: skip

# 10. A spreadsheet: headings for people, currency signs, American dates.
shape(
    "spreadsheet with currency signs",
    {
        "Customer List.csv": ("customers", {
            "Customer ID": ("customer_id", iso), "Company Name": ("company_name", iso), "Customer Since": ("signup_date", DAY["%m/%d/%Y"]),
            "Country": ("country", iso), "Segment": ("segment", iso),
        }),
        "Subscriptions.csv": ("subscriptions", {
            "Subscription ID": ("subscription_id", iso), "Customer ID": ("customer_id", iso), "Plan": ("plan", iso), "Status": ("status", iso),
            "Start Date": ("start_date", DAY["%m/%d/%Y"]), "End Date": ("end_date", DAY["%m/%d/%Y"]),
            "Price per Month": ("monthly_price", lambda amount: f"${amount:,.2f}"), "Billing Cycle": ("billing_cycle", iso),
        }),
        "Payments.csv": ("transactions", {
            "Payment ID": ("transaction_id", iso), "Customer ID": ("customer_id", iso), "Subscription ID": ("subscription_id", iso),
            "Amount": ("amount", lambda amount: f"${amount:,.2f}"), "Status": ("status", iso),
            "Payment Date": ("transaction_date", DAY["%m/%d/%Y"]),
        }),
        "NPS Survey.csv": ("nps_scores", {
            "Customer ID": ("customer_id", iso), "Survey Date": ("date", DAY["%m/%d/%Y"]), "Score": ("score", iso),
        }),
    },
    settings={
        ("date_formats",): ["%m/%d/%Y"],
        ("datasets", "subscriptions", "number_format"): "1,234.50", ("datasets", "transactions", "number_format"): "1,234.50",
    },
)  # fmt: skip

# 11. Payments that name no subscription, by the bank.
shape(
    "payments without subscription",
    {
        "clients.csv": ("customers", {
            "client_id": ("customer_id", iso), "client_name": ("company_name", iso), "registered": ("signup_date", iso),
        }),
        "agreements.csv": ("subscriptions", {
            "agreement_id": ("subscription_id", iso), "client_id": ("customer_id", iso), "package": ("plan", iso), "status": ("status", iso),
            "valid_from": ("start_date", iso), "valid_to": ("end_date", iso), "monthly_fee": ("monthly_price", iso),
        }),
        "payments.csv": ("transactions", {
            "client_id": ("customer_id", iso), "amount_received": ("amount", iso), "status": ("status", iso), "date": ("transaction_date", iso),
        }),
        "tickets.csv": ("support_tickets", {
            "ticket_number": ("ticket_id", iso), "client_id": ("customer_id", iso), "opened": ("date_opened", iso), "closed": ("date_closed", iso),
            "status": ("status", iso), "severity": ("priority", iso),
        }),
    },
)  # fmt: skip


# 12. A spreadsheet of finance: a column per month.
def _wide(folder: Path) -> None:
    rows = company()
    months = [dt.date(2025, month, 1) for month in range(1, 13)]
    write_csv(folder / "Customers.csv", [
        {"Customer No": row["customer_id"], "Customer Name": row["company_name"], "Since": row["signup_date"]} for row in rows.customers
    ])  # fmt: skip
    write_csv(folder / "MRR.csv", [
        {"Customer No": row["customer_id"], "Plan": row["plan"]}
        | {f"{month:%b %Y}": row["monthly_price"] if _runs(row, month) else "" for month in months}
        for row in rows.subscriptions
    ])  # fmt: skip


def _runs(row: Row, month: dt.date) -> bool:
    return row["start_date"] <= month and (row["end_date"] is None or row["end_date"] > month)


SHAPES["wide months"] = Shape(
    _wide,
    {
        "customers": {"customer_id": "Customer No", "company_name": "Customer Name", "signup_date": "Since"},
        "subscriptions": {"customer_id": "Customer No", "plan": "Plan"},
    },
    {("datasets", "subscriptions", "shape"): {"kind": "wide_months"}},
)


# 13. Stripe's Dashboard, which has a preset.
def _stripe(folder: Path) -> None:
    rows = company()
    stamp = in_format("%Y-%m-%d 09:30")
    write_csv(folder / "unified_customers.csv", project(rows.customers, {
        "id": ("customer_id", iso), "Name": ("company_name", iso), "Created (UTC)": ("signup_date", stamp),
        "Card Issue Country": ("country", iso), "Delinquent": ("-", constant("false")),
    }))  # fmt: skip
    write_csv(folder / "subscriptions.csv", project(rows.subscriptions, {
        "id": ("subscription_id", iso), "Customer ID": ("customer_id", iso), "Status": ("status", ACTIVE_WORDS),
        "Start Date (UTC)": ("start_date", stamp), "Ended At (UTC)": ("end_date", stamp), "Created (UTC)": ("start_date", stamp),
        "Cancel At Period End": ("-", constant("false")), "Interval": ("billing_cycle", words(Monthly="month", Quarterly="3 months",
        Annual="year")), "Amount": ("cycle_price", iso), "Currency": ("currency", constant("usd")), "Quantity": ("-", constant("1")),
        "Product": ("plan", iso),
    }))  # fmt: skip
    write_csv(folder / "unified_payments.csv", project(rows.transactions, {
        "id": ("transaction_id", iso), "Created date (UTC)": ("transaction_date", stamp), "Amount": ("amount", iso),
        "Amount Refunded": ("-", constant("0")), "Currency": ("currency", constant("usd")), "Captured": ("-", constant("true")),
        "Status": ("status", words(Success="Paid", Failed="Failed", Refunded="Refunded")), "Customer ID": ("customer_id", iso),
        "Card Brand": ("-", constant("Visa")),
    }))  # fmt: skip


SHAPES["Stripe-like"] = Shape(_stripe, {}, preset="stripe")
