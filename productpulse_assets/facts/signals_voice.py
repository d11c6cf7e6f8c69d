"""Signals from support tickets and NPS answers."""

import ibis
import ibis.expr.types as ir
from ibis import _

from asset_checks.events import USUAL_GAPS, dataset_ends, is_before_start
from productpulse_assets.facts.signals_usage import CUSTOMER_DAY
from productpulse_assets.joins import left_join_unique
from rules.churn_rules import TicketWords
from rules.rule_set import Rules
from rules.windows import NPS_DAYS, TICKET_DAYS


def with_tickets(spine: ir.Table, keys: ir.Table, support_tickets: ir.Table, days: ir.Table, rules: Rules) -> ir.Table:
    """Add counts of tickets opened in the last 90 days, and of tickets that are open on the day.

    On the newest day of the data a ticket without a closing date is open unless its status says
    otherwise. On a past day only the dates count, because a status is the present one. A count that
    needs a column which the data does not have is NULL. So is one of a customer who signed up long before the
    first ticket, until the tickets reach back 90 days; few tickets do not tell where they begin.
    """
    known = support_tickets.aggregate(
        has_rows=support_tickets.count() > 0,
        has_priority=support_tickets.priority.count() > 0,
        has_closing=support_tickets.date_closed.count() > 0,
    )
    facts = _ticket_facts(keys, support_tickets, days, rules.churn_rules.tickets)
    ends = dataset_ends(support_tickets, "date_opened", days, rules.data_quality.late_days)
    table = left_join_unique(spine, facts, CUSTOMER_DAY).cross_join(known)
    table = table.join(days.select("as_of_date", "is_current"), "as_of_date")
    table = left_join_unique(table, ends.drop("newest", "age_days"), "as_of_date")
    late_days = rules.data_quality.late_days
    begins = is_before_start(table, table.signup_date, late_days, TICKET_DAYS + 1) & (table.gaps >= USUAL_GAPS)
    table = table.mutate(has_tickets=table.has_rows & ~table.is_late & ~begins.fill_null(False))
    knows_open = table.has_tickets & (table.has_closing | table.is_current)
    known_if = {
        "support_ticket_count": table.has_tickets,
        "urgent_ticket_count": table.has_tickets & table.has_priority,
        "open_ticket_count": knows_open,
        "open_urgent_ticket_count": knows_open & table.has_priority,
    }
    counts = {
        name: ibis.ifelse(is_known, table[name].fill_null(0), ibis.null("int64")) for name, is_known in known_if.items()
    }
    return table.mutate(**counts).drop(
        "has_tickets", "has_rows", "has_priority", "has_closing", "is_current", "is_late",
        "oldest", "gaps", "longest_gap",
    )  # fmt: skip


def _ticket_facts(keys: ir.Table, support_tickets: ir.Table, days: ir.Table, words: TicketWords) -> ir.Table:
    """Counts by customer and as-of date, before absent columns are considered."""
    tickets = support_tickets.select("customer_id", "date_opened", "date_closed", "status", "priority")
    events = keys.join(tickets, "customer_id").join(days, "as_of_date")
    age = events.as_of_date.delta(events.date_opened, unit="day")
    is_urgent = events.priority.lower().isin(words.urgent_priorities).fill_null(False)
    says_closed = events.is_current & events.status.lower().isin(words.closed_statuses)
    is_open = (events.date_closed > events.as_of_date).fill_null(~says_closed)
    events = events.mutate(age=age, is_urgent=is_urgent, is_open=is_open).filter(_.age >= 0)
    is_recent = _.age <= TICKET_DAYS
    return events.group_by(CUSTOMER_DAY).aggregate(
        support_ticket_count=is_recent.sum(),
        urgent_ticket_count=(is_recent & _.is_urgent).sum(),
        open_ticket_count=_.is_open.sum(),
        open_urgent_ticket_count=(_.is_open & _.is_urgent).sum(),
    )


def with_nps(spine: ir.Table, keys: ir.Table, nps_scores: ir.Table) -> ir.Table:
    """Add the newest answer of the last 365 days and its age; of several answers on one day the lowest."""
    answers = nps_scores.select("customer_id", "date", "score", "score_id")
    events = keys.join(answers, "customer_id")
    events = events.mutate(age=events.as_of_date.delta(events.date, unit="day"))
    events = events.filter((_.age >= 0) & (_.age <= NPS_DAYS))
    newest = ibis.struct({"age": events.age, "score": events.score})
    latest = events.group_by(CUSTOMER_DAY).aggregate(
        latest_nps_score=events.score.argmin(newest), nps_age_days=events.age.min()
    )
    return left_join_unique(spine, latest, CUSTOMER_DAY)
