"""One Pandera schema per dataset: the only description of its columns.

Casting, checks, rejects, the descriptions in the UI and the table in docs/data.md are derived from these schemas.
A schema's `metadata` has the dataset's key, whether a run needs it, its parents (column -> dataset) and the columns
that date its events.
"""

from __future__ import annotations

import functools

import ibis
import ibis.expr.datatypes as dt
import pandera.ibis as pa

from asset_checks.row_rules import (
    between,
    currency_code,
    ended_when,
    not_before,
    not_negative,
    one_of,
    positive,
    unique_key,
)
from rules.units import MONEY

MONEY_TYPE = dt.dtype(MONEY)
EMPTY_IS_NONE = frozenset(
    f"subscriptions.{name}"
    for name in (
        "quantity", "unit_price", "discount_amount", "discount_end", "product", "is_addon", "paused_from",
        "cancel_requested_date",
    )
) | {"transactions.amount_at_fixed_rate"}  # fmt: skip
"""The columns whose absence takes no value away: without them there is no discount, no pause and no add-on."""

STATUS = "status"
"""The column whose words can be ignored, in the datasets that have it: an alias then leaves the row out."""
SUBSCRIPTION_STATUSES = ("Active", "Past Due", "Canceled", "Expired", "Trial")
AMOUNTS = ("monthly_price", "unit_price", "discount_amount", "amount", "cost_per_acquisition", "target_value")
"""The columns whose values may have a currency written before or after them."""
ENDED_STATUSES = ("Canceled", "Expired")
TRANSACTION_STATUSES = ("Success", "Failed", "Refunded")
CYCLE_MONTHS = {"Monthly": 1, "Quarterly": 3, "Annual": 12}
"""Months between two bills of a subscription, by its billing_cycle."""


def required(dtype: dt.DataType, description: str, *checks: pa.Check) -> pa.Column:
    """A column that the source must have, with a value in every row."""
    return pa.Column(dtype, list(checks), nullable=False, description=description)


def optional(
    dtype: dt.DataType,
    description: str,
    *checks: pa.Check,
    personal: bool = False,
    may_be_unknown: bool = False,
    is_computed: bool = False,
    is_rare: bool = False,
) -> pa.Column:
    """A column that may be absent, and may be empty in any row.

    Of a column that `may_be_unknown`, a value that cannot be used is left empty with a warning, and its row is kept: no
    figure depends on it alone, and empty does not mean something else there, as it would in end_date. A `personal`
    column has names, or texts that people write. Its values never reach Dagster's event log, which is kept for good and
    which everybody who opens the UI can read. A column that `is_computed` is filled in from others, and never read. One
    that `is_rare` has a value only where something happened: an empty one is no gap in the data.
    """
    return pa.Column(
        dtype,
        list(checks),
        nullable=True,
        required=False,
        description=description,
        metadata={
            "personal": personal,
            "may_be_unknown": may_be_unknown,
            "is_computed": is_computed,
            "is_rare": is_rare,
        },
    )


def row_id(description: str) -> pa.Column:
    """A key that names a row and nothing else: a source that lacks the column gets file and row number as its ids."""
    return pa.Column(dt.string, nullable=False, required=False, description=description, metadata={"is_row_id": True})


def contract(
    name: str,
    description: str,
    columns: dict[str, pa.Column],
    *,
    key: tuple[str, ...],
    event_dates: tuple[str, ...] = (),
    planned_dates: tuple[str, ...] = (),
    parents: dict[str, str] | None = None,
    is_required: bool = False,
    has_strangers: bool = False,
    rules: tuple[pa.Check, ...] = (),
) -> pa.DataFrameSchema:
    """A dataset's contract; `event_dates` are the columns with the days of its events, `planned_dates` those that
    may have a day in the future. has_strangers: the systems that export it also know people who are not customers."""
    return pa.DataFrameSchema(
        columns,
        checks=[*rules, unique_key(*key)],
        name=name,
        description=description,
        metadata={
            "key": key,
            "event_dates": event_dates,
            "planned_dates": planned_dates,
            "parents": parents or {},
            "is_required": is_required,
            "has_strangers": has_strangers,
            "row_rules": rules,
        },
    )


CUSTOMER_ID = "The customer."
CUSTOMER_COLUMNS = {
    "customer_id": required(dt.string, "Identifies the customer in every dataset."),
    "signup_date": required(dt.date, "The day the customer signed up."),
    "company_name": optional(dt.string, "The customer's name.", personal=True),
    "segment": optional(dt.string, "The customer's size or market, in your own words."),
    "country": optional(dt.string, "Where the customer is."),
    "acquisition_channel": optional(dt.string, "How the customer was won; a channel_name."),
    "is_active": optional(dt.boolean, "Whether the customer is active, as the source sees it.", may_be_unknown=True),
    "account_owner": optional(dt.string, "The colleague who looks after the customer.", personal=True),
    "cancel_reason": optional(dt.string, "Why the customer left, where it is not known by subscription.", is_rare=True),
}
CONTRACTS: dict[str, pa.DataFrameSchema] = {
    schema.name: schema
    for schema in (
        contract(
            "customers",
            "One row per customer, paying or not.",
            CUSTOMER_COLUMNS,
            key=("customer_id",),
            event_dates=("signup_date",),
            is_required=True,
        ),
        contract(
            "subscriptions",
            "One row per period at one price: an upgrade ends one row and starts the next.",
            {
                "subscription_id": required(dt.string, "Identifies the period."),
                "customer_id": required(dt.string, CUSTOMER_ID),
                "plan": optional(dt.string, "The plan's name."),
                "status": required(dt.string, "State of the period.", one_of(*SUBSCRIPTION_STATUSES)),
                "start_date": required(dt.date, "First day of the period."),
                "end_date": optional(dt.date, "Day after the last day of the period; empty while it runs."),
                "monthly_price": required(MONEY_TYPE, "Price per month, in the reporting currency.", not_negative()),
                "billing_cycle": optional(
                    dt.string, "How often it is billed.", one_of(*CYCLE_MONTHS), may_be_unknown=True
                ),
                "auto_renew": optional(dt.boolean, "Whether it renews by itself.", may_be_unknown=True),
                "currency": optional(dt.string, "Currency of the price in the source.", currency_code()),
                "quantity": optional(dt.Decimal(18, 2), "Seats or units.", not_negative(), may_be_unknown=True),
                "unit_price": optional(
                    MONEY_TYPE, "Price per month of one seat or unit.", not_negative(), may_be_unknown=True
                ),
                "discount_amount": optional(
                    MONEY_TYPE, "What a discount takes off per month; monthly_price is without it.", not_negative()
                ),
                "discount_end": optional(dt.date, "First day without the discount; empty if it has no end."),
                "product": optional(dt.string, "The product, where a customer has several."),
                "is_addon": optional(dt.boolean, "Whether it is an add-on to another one.", may_be_unknown=True),
                "paused_from": optional(dt.date, "First day of a pause that lasts until the period ends."),
                "cancel_requested_date": optional(dt.date, "The day on which the customer asked to cancel."),
                "term_months": optional(
                    dt.int64,
                    "Months of a contract term, however often it is billed.",
                    between(1, 120),
                    may_be_unknown=True,
                ),
                "term_end": optional(
                    dt.date, "Day after the last day of the present term: the renewal.", may_be_unknown=True
                ),
                "cancel_at": optional(dt.date, "The day on which a scheduled cancellation takes effect."),
                "cancel_reason": optional(dt.string, "Why the customer canceled, in your own words.", is_rare=True),
                "cancel_comment": optional(dt.string, "What the customer wrote about it.", personal=True, is_rare=True),
            },
            key=("subscription_id",),
            event_dates=("start_date",),
            planned_dates=("end_date", "discount_end", "paused_from", "term_end", "cancel_at"),
            parents={"customer_id": "customers"},
            is_required=True,
            rules=(
                not_before("end_date", "start_date"),
                ended_when("status", ENDED_STATUSES, "end_date"),
            ),
        ),
        contract(
            "transactions",
            "One row per attempt to collect or refund a payment.",
            {
                "transaction_id": row_id("Identifies the attempt; file and row number where the source has none."),
                "customer_id": required(dt.string, CUSTOMER_ID),
                "subscription_id": optional(dt.string, "The period that was billed; empty where nothing tells."),
                "amount": required(MONEY_TYPE, "Amount, in the reporting currency.", not_negative()),
                "currency": optional(dt.string, "Currency of the amount in the source.", currency_code()),
                "amount_at_fixed_rate": optional(
                    MONEY_TYPE, "The amount at the fixed rate of its currency, as prices are.", is_computed=True
                ),
                "status": required(dt.string, "What became of it.", one_of(*TRANSACTION_STATUSES)),
                "transaction_date": required(dt.date, "The day of the attempt."),
                "payment_method": optional(dt.string, "Card, transfer and the like."),
            },
            key=("transaction_id",),
            event_dates=("transaction_date",),
            parents={"customer_id": "customers", "subscription_id": "subscriptions"},
        ),
        contract(
            "product_usage",
            "One row per customer and day or week of use.",
            {
                "usage_id": row_id("Identifies the record; file and row number where the source has none."),
                "customer_id": required(dt.string, CUSTOMER_ID),
                "date": required(dt.date, "The day of use."),
                "logins": required(dt.int64, "Logins.", not_negative()),
                "key_actions": required(dt.int64, "Actions that bring the product's value.", not_negative()),
                "active_users": optional(dt.int64, "Users who were active.", not_negative(), may_be_unknown=True),
                "features_used": optional(dt.int64, "Distinct features used.", not_negative(), may_be_unknown=True),
            },
            key=("usage_id",),
            has_strangers=True,
            event_dates=("date",),
            parents={"customer_id": "customers"},
        ),
        contract(
            "support_tickets",
            "One row per support ticket.",
            {
                "ticket_id": row_id("Identifies the ticket; file and row number where the source has none."),
                "customer_id": required(dt.string, CUSTOMER_ID),
                "date_opened": required(dt.date, "The day it was opened."),
                "status": required(dt.string, "State of the ticket, in your own words."),
                "date_closed": optional(dt.date, "The day it was closed; empty while open."),
                "priority": optional(dt.string, "Low, Medium, High, Urgent or your own."),
                "category": optional(dt.string, "What it is about.", personal=True),
                "resolution_time_hours": optional(
                    MONEY_TYPE, "Hours to its resolution.", not_negative(), may_be_unknown=True
                ),
            },
            key=("ticket_id",),
            has_strangers=True,
            event_dates=("date_opened", "date_closed"),
            parents={"customer_id": "customers"},
            rules=(not_before("date_closed", "date_opened"),),
        ),
        contract(
            "nps_scores",
            "One row per answer to 'how likely are you to recommend us?'.",
            {
                "score_id": row_id("Identifies the answer; file and row number where the source has none."),
                "customer_id": required(dt.string, CUSTOMER_ID),
                "date": required(dt.date, "The day of the answer."),
                "score": required(dt.int64, "The answer, 0 to 10.", between(0, 10)),
                "feedback_category": optional(dt.string, "What the feedback is about.", personal=True),
            },
            key=("score_id",),
            has_strangers=True,
            event_dates=("date",),
            parents={"customer_id": "customers"},
        ),
        contract(
            "acquisition_channels",
            "One row per channel that customers are won through.",
            {
                "channel_name": required(dt.string, "The channel, as customers name it."),
                "cost_per_acquisition": required(
                    MONEY_TYPE, "Cost of winning one customer, in the reporting currency.", not_negative()
                ),
            },
            key=("channel_name",),
        ),
        contract(
            "targets",
            "One row per metric and date from which the target holds.",
            {
                "metric_name": required(dt.string, "The metric, by its name or an alias of the catalog."),
                "target_value": required(dt.Decimal(28, 8), "The value aimed at, in the metric's unit."),
                "date": required(dt.date, "The first day the target holds."),
            },
            key=("metric_name", "date"),
        ),
        contract(
            "exchange_rates",
            "One row per currency and day from which its rate holds.",
            {
                "currency": required(dt.string, "The other currency, three letters.", currency_code()),
                "date": required(dt.date, "The first day of the rate; it holds until the next one."),
                "rate": required(dt.Decimal(18, 10), "One unit of it in the reporting currency.", positive()),
            },
            key=("currency", "date"),
        ),
        contract(
            "acquisition_spend",
            "One row per channel and month: what was spent to win customers.",
            {
                "channel_name": required(dt.string, "The channel, as customers name it."),
                "month": required(dt.date, "A day of the month in which the money was spent."),
                "amount": required(MONEY_TYPE, "Amount spent, in the reporting currency.", not_negative()),
            },
            key=("channel_name", "month"),
        ),
        contract(
            "annotations",
            "One row per event that explains a chart: a new price, a campaign, an outage.",
            {
                "annotation_id": row_id("Identifies the event; file and row number where the source has none."),
                "date": required(dt.date, "The day of the event."),
                "text": pa.Column(dt.string, nullable=False, description="What happened.", metadata={"personal": True}),
                "dimension": optional(dt.string, "The dimension that it is about, such as plan; empty for all."),
                "member": optional(dt.string, "The member of that dimension, such as Growth."),
            },
            key=("annotation_id",),
        ),
    )
}


@functools.cache
def contracts_with(dimensions: tuple[str, ...]) -> dict[str, pa.DataFrameSchema]:
    """Every contract by its dataset, where `dimensions` are the columns by which the rules slice metrics.

    A dimension that is not a column of the customers' contract becomes an optional column of it.
    """
    customers = CONTRACTS["customers"]
    own = {
        name: optional(dt.string, "A dimension that segments.yaml names.")
        for name in dimensions
        if name != "plan" and name not in customers.columns
    }
    return CONTRACTS | {"customers": customers.add_columns(own)} if own else CONTRACTS


DATASETS = tuple(CONTRACTS)
REQUIRED_DATASETS = tuple(name for name, schema in CONTRACTS.items() if schema.metadata["is_required"])

REJECTS_SCHEMA = ibis.schema(
    {
        "dataset": "string",
        "source_file": "string",
        "row_number": "int64",
        "column_name": "string",
        "check_name": "string",
        "value": "string",
        "row_key": "string",
        "row_json": "string",
    }
)

PERSONAL_OF_REJECTS = ("value", "row_json")
"""A rejected row is stored with all its values, and a value may be in the wrong column."""


def personal_columns(schema: pa.DataFrameSchema) -> tuple[str, ...]:
    """The columns of a dataset that have names, or texts that people write."""
    return tuple(name for name, column in schema.columns.items() if (column.metadata or {}).get("personal"))


PERSONAL: dict[str, tuple[str, ...]] = {
    name: columns
    for dataset, schema in CONTRACTS.items()
    for name, columns in ((dataset, personal_columns(schema)), (f"{dataset}_rejects", PERSONAL_OF_REJECTS))
}
"""By table of a source: the columns whose values never reach Dagster's event log."""


def table_schema(schema: pa.DataFrameSchema) -> ibis.Schema:
    """The stored columns of a dataset that satisfies `schema`."""
    return ibis.schema({name: column.dtype.type for name, column in schema.columns.items()})


def required_columns(schema: pa.DataFrameSchema) -> tuple[str, ...]:
    """The columns that a source of the dataset must have."""
    return tuple(name for name, column in schema.columns.items() if column.required)


def is_row_id(schema: pa.DataFrameSchema, column: str) -> bool:
    """Whether the column is a key that a source may lack."""
    return bool((schema.columns[column].metadata or {}).get("is_row_id"))


def is_computed(schema: pa.DataFrameSchema, column: str) -> bool:
    """Whether the column is filled in from others, and never read from a source."""
    return bool((schema.columns[column].metadata or {}).get("is_computed"))


def may_be_unknown(schema: pa.DataFrameSchema, column: str) -> bool:
    """Whether a value of the column that cannot be used is left empty, and its row kept."""
    return bool((schema.columns[column].metadata or {}).get("may_be_unknown"))


def unbound(schema: pa.DataFrameSchema) -> ibis.Table:
    """A dataset as a table without a database, to compile expressions without data."""
    return ibis.table(table_schema(schema), name=schema.name)
