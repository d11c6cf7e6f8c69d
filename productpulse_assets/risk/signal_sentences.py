"""What a churn rule found, as a person would say it: `3 support tickets in the last 90 days (rule: 3 or more)`."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from rules.churn_rules import SignalTest
from rules.text.sql_text import relation_words, value_words
from rules.windows import DOWNGRADE_DAYS, PAYMENT_DAYS, RECENT_DAYS, TICKET_DAYS

VALUE = "{value}"


@dataclass(frozen=True)
class Words:
    """How a value is put into a sentence. `noun` follows a count: `1 day`, `2 days`."""

    sentence: str
    noun: str = ""


@dataclass(frozen=True)
class YesNo:
    """The sentence of a boolean signal that is true, and of one that is false."""

    yes: str
    no: str


SENTENCES: dict[str, Words | YesNo] = {
    "mrr": Words("pays {value} a month"),
    "tenure_days": Words("customer for {value}", "day"),
    "days_to_renewal": Words("renewal in {value}", "day"),
    "is_activated": YesNo("activated", "not activated"),
    "logins_recent": Words(f"{VALUE} in the last {RECENT_DAYS} days", "login"),
    "logins_baseline": Words(f"usually {VALUE} logins in {RECENT_DAYS} days"),
    "usage_change": Words("logins changed by {value}"),
    "key_actions_recent": Words(f"{VALUE} in the last {RECENT_DAYS} days", "key action"),
    "key_actions_baseline": Words(f"usually {VALUE} key actions in {RECENT_DAYS} days"),
    "key_action_change": Words("key actions changed by {value}"),
    "days_since_last_login": Words("last login {value} ago", "day"),
    "latest_nps_score": Words("latest NPS score is {value}"),
    "nps_age_days": Words("latest NPS score {value} old", "day"),
    "failed_payment_count": Words(f"{VALUE} in the last {PAYMENT_DAYS} days, not recovered", "failed payment"),
    "support_ticket_count": Words(f"{VALUE} in the last {TICKET_DAYS} days", "support ticket"),
    "urgent_ticket_count": Words(f"{VALUE} in the last {TICKET_DAYS} days", "urgent ticket"),
    "open_ticket_count": Words("{value}", "open ticket"),
    "open_urgent_ticket_count": Words("{value}", "open urgent ticket"),
    "downgraded_recently": YesNo(
        f"moved to a lower price in the last {DOWNGRADE_DAYS} days", f"no lower price in the last {DOWNGRADE_DAYS} days"
    ),
    "is_past_due": YesNo("a subscription is past due", "no subscription is past due"),
    "mrr_up_for_renewal": Words("{value} a month is up for renewal"),
    "cancellation_scheduled": YesNo("the customer has canceled and will leave", "no cancellation is scheduled"),
    "cancellation_date": Words("the cancellation takes effect on {value}"),
    "mrr_scheduled_to_end": Words("{value} a month ends by schedule"),
}
"""By signal. Other columns, such as plan or a dimension of the rules, read `plan is Growth`."""


def condition_sentence(signals: ir.Table, test: SignalTest, currency: str) -> ir.StringColumn:
    """The signal's value in a sentence, and what the rule asks of it: `renewal in 18 days (rule: 45 or less)`.

    A boolean, and a value that is missing, say by themselves what the rule asks.
    """
    name, column = test.signal_name, signals[test.signal_name]
    plain_name = name.replace("_", " ")
    words = SENTENCES.get(name, Words(f"{plain_name} is {VALUE}"))
    if isinstance(words, YesNo):
        sentence = ibis.cases((column, words.yes), (~column, words.no))
    else:
        before, after = words.sentence.split(VALUE)
        sentence = ibis.literal(before) + value_words(column, name, currency) + _noun(column, words.noun) + after
        if not column.type().is_boolean():
            sentence = sentence + f" (rule: {relation_words(test.operator, test.threshold, name)})"
    return ibis.ifelse(column.isnull(), ibis.literal(f"{plain_name} is not known"), sentence)


def _noun(count: ir.Value, noun: str) -> ir.StringValue:
    """The noun of a count, with a space before it; nothing without a noun."""
    return ibis.ifelse(count == 1, f" {noun}", f" {noun}s") if noun else ibis.literal("")
