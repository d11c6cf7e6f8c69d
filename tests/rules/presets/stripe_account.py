"""A small Stripe account as its Dashboard exports it: columns, dates and amounts as they are written there."""

from __future__ import annotations

from pathlib import Path

CUSTOMERS = """\
id,Description,Email,Name,Created (UTC),Delinquent,Card ID,Card Last4,Card Brand,Card Issue Country
cus_A,Acme account,ann@acme.test,"Acme, Inc.",2025-01-10 09:30,false,card_1,4242,Visa,US
cus_B,,bob@birch.test,Birch GmbH,2025-02-01 00:05,false,card_2,4242,Visa,DE
cus_C,,cy@cedar.test,Cedar Ltd,2025-03-15 23:59,true,card_3,4242,Visa,GB
cus_D,,di@dune.test,Dune SA,2025-04-02 12:00,false,,,,
cus_E,,ed@elm.test,Elm Co,2025-05-20 08:00,false,card_5,4242,Visa,US
cus_F,,fi@fir.test,Fir BV,2025-06-01 10:00,false,card_6,4242,Visa,NL
"""

SUBSCRIPTION_COLUMNS = (
    "id", "Customer ID", "Customer Email", "Plan", "Quantity", "Currency", "Interval", "Amount", "Status",
    "Created (UTC)", "Start (UTC)", "Start Date (UTC)", "Current Period Start (UTC)", "Current Period End (UTC)",
    "Trial Start (UTC)", "Trial End (UTC)", "Canceled At (UTC)", "Ended At (UTC)", "Cancel At Period End",
    "Coupon",
)  # fmt: skip

PAYMENT_COLUMNS = (
    "id", "Created date (UTC)", "Amount", "Amount Refunded", "Currency", "Captured", "Converted Amount",
    "Decline Reason", "Description", "Fee", "Refunded date (UTC)", "Status", "Card ID", "Customer ID",
    "Customer Email", "Invoice ID", "Transfer", "PaymentIntent ID", "Disputed Amount", "Dispute Date (UTC)",
    "Dispute Status",
)  # fmt: skip


def csv(columns: tuple[str, ...], rows: list[dict[str, str]]) -> str:
    """Rows as an export: what a row does not mention is empty, and a comma is quoted."""
    lines = [[row.get(column, "") for column in columns] for row in rows]
    quoted = [",".join(f'"{cell}"' if "," in cell else cell for cell in line) for line in [columns, *lines]]
    return "\n".join(quoted) + "\n"


def subscription(key: str, customer: str, price: str, status: str, began: str, **more: str) -> dict[str, str]:
    """A subscription, monthly in USD unless `more` says otherwise."""
    about = {"Quantity": "1", "Currency": "usd", "Interval": "month", "Plan": "pro", "Cancel At Period End": "false"}
    when = {"Created (UTC)": began, "Start Date (UTC)": began, "Start (UTC)": began}
    named = {name.replace("_", " ").replace(" UTC", " (UTC)"): value for name, value in more.items()}
    return about | when | {"id": key, "Customer ID": customer, "Amount": price, "Status": status} | named


def payment(key: str, customer: str, amount: str, status: str, day: str, **more: str) -> dict[str, str]:
    """A payment in USD unless `more` says otherwise."""
    about = {"Currency": "usd", "Captured": str(status == "Paid").lower(), "Amount Refunded": "0.00"}
    named = {name.replace("_", " ").replace(" UTC", " (UTC)"): value for name, value in more.items()}
    return about | {"id": key, "Customer ID": customer, "Amount": amount, "Status": status,
                    "Created date (UTC)": day} | named  # fmt: skip


SUBSCRIPTIONS = [
    subscription("sub_A", "cus_A", "40.00", "active", "2025-01-10 09:30", Quantity="3", Start_UTC="2025-06-10 09:30"),
    subscription("sub_B", "cus_B", "1200.00", "past_due", "2025-02-01 00:05", Currency="eur", Interval="year"),
    # A trial of two weeks, then paid until it was canceled: two periods. The account writes a decimal comma.
    subscription("sub_C", "cus_C", "49,00", "canceled", "2025-03-15 23:59", Trial_Start_UTC="2025-03-15 23:59",
                 Trial_End_UTC="2025-03-29 23:59", Canceled_At_UTC="2025-05-20 10:00", Ended_At_UTC="2025-05-29 23:59"),
    # Canceled in its trial: never paid for.
    subscription("sub_D", "cus_D", "49.00", "canceled", "2025-04-02 12:00", Trial_Start_UTC="2025-04-02 12:00",
                 Trial_End_UTC="2025-04-16 12:00", Canceled_At_UTC="2025-04-10 12:00", Ended_At_UTC="2025-04-16 12:00"),
    # Will be canceled, and runs until then.
    subscription("sub_E1", "cus_E", "150.00", "active", "2025-05-20 08:00", Interval="3 months",
                 Canceled_At_UTC="2025-06-15 08:00", Cancel_At_Period_End="true",
                 Current_Period_End_UTC="2025-08-20 08:00"),
    subscription("sub_E2", "cus_E", "10.00", "active", "2025-06-02 08:00", Interval="week"),
    subscription("sub_F1", "cus_F", "40.00", "incomplete_expired", "2025-06-01 10:00", Ended_At_UTC="2025-06-02 09:00"),
    subscription("sub_F2", "cus_F", "40.00", "trialing", "2025-06-10 10:00", Trial_Start_UTC="2025-06-10 10:00",
                 Trial_End_UTC="2025-07-10 10:00"),
    # Of a customer that was deleted in Stripe.
    subscription("sub_G", "cus_gone", "40.00", "active", "2025-01-01 10:00"),
]  # fmt: skip

PAYMENTS = [
    payment("ch_A5", "cus_A", "120.00", "Paid", "2025-05-10 10:30"),
    payment("ch_A6", "cus_A", "120.00", "Paid", "2025-06-10 10:30", Amount_Refunded="20.00",
            Refunded_date_UTC="2025-06-12 08:00"),
    payment("ch_B1", "cus_B", "1200.00", "Paid", "2025-02-01 00:06", Currency="eur", Converted_Amount="1300.00"),
    payment("ch_C4", "cus_C", "49.00", "Refunded", "2025-04-29 23:59", Amount_Refunded="49.00", Captured="true",
            Refunded_date_UTC="2025-05-02 09:00"),
    # The last retry, on the day on which the subscription ended.
    payment("ch_C5", "cus_C", "49.00", "Failed", "2025-05-29 23:59", Decline_Reason="insufficient_funds"),
    # Two subscriptions run: the price tells which was paid.
    payment("ch_E1", "cus_E", "10.00", "Paid", "2025-06-02 08:01"),
    payment("ch_E2", "cus_E", "150.00", "Paid", "2025-06-02 08:02"),
    payment("ch_F1", "cus_F", "40.00", "Failed", "2025-06-01 10:01", Decline_Reason="generic_decline"),
    # What belongs to no subscription, and what is not decided yet.
    payment("ch_D9", "cus_D", "500.00", "Paid", "2025-06-20 10:00", Description="Workshop"),
    payment("ch_X", "", "15.00", "Paid", "2025-06-21 10:00", Description="A guest's purchase"),
    payment("ch_P", "cus_E", "10.00", "Pending", "2025-06-22 10:00"),
]  # fmt: skip


def write_account(
    folder: Path, subscriptions: list[dict[str, str]] = SUBSCRIPTIONS, payments: list[dict[str, str]] = PAYMENTS
) -> Path:
    """The three exports in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "unified_customers.csv").write_text(CUSTOMERS, encoding="utf-8")
    (folder / "subscriptions.csv").write_text(csv(SUBSCRIPTION_COLUMNS, subscriptions), encoding="utf-8")
    (folder / "unified_payments.csv").write_text(csv(PAYMENT_COLUMNS, payments), encoding="utf-8")
    return folder
