"""Churn risk: the rules that fire for each customer, and the score they add up to."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.joins import collect_ordered, join_ordered, left_join_unique
from productpulse_assets.tables import table
from rules.churn_rules import ChurnRule, ChurnRules, SignalTest
from rules.metrics.compile import band
from rules.operators import as_compared, holds
from rules.rule_set import Rules
from rules.signal_sources import source_of
from rules.text.sql_text import relation_words, said
from rules.units import MONEY

WEIGHT = "decimal(9, 4)"


@table(group="risk", owner="team:customer-success", key=("customer_id", "rule_order"))
def churn_evidence(customer_signals: ir.Table, rules: Rules) -> ir.Table:
    """One row per customer and churn rule that fired: the signal, its value, and the threshold it crossed.

    Values and thresholds are text, numbers as they compare (thresholds as JSON); second_* is the
    rule's second condition, NULL where it has none. rule_order is the rules' order by weight.
    """
    in_order = enumerate(ranked(rules.churn_rules))
    return ibis.union(*(fired(customer_signals, rule, place, rules.currency) for place, rule in in_order))


def ranked(rules: ChurnRules) -> list[ChurnRule]:
    """The rules that count, heaviest first; of equal weight in the order of the file."""
    return sorted(rules.enabled, key=lambda rule: -rule.weight)


def fired(signals: ir.Table, rule: ChurnRule, place: int, currency: str) -> ir.Table:
    """The customers that a rule fires for, with its evidence."""
    hit = signals.filter([crossed(signals, test) for test in rule.tests])
    source, text = source_of(rule.signal_name), ibis.null("string")
    second = rule.also
    words = [
        ibis.literal(f"{test.signal_name.replace('_', ' ')} is ")
        + said(hit[test.signal_name], test.signal_name, currency)
        + f" ({relation_words(test.operator, test.threshold, test.signal_name)})"
        for test in rule.tests
    ]
    return hit.select(
        "customer_id",
        rule_order=ibis.literal(place, "int64"),
        rule_id=ibis.literal(rule.rule_id),
        driver_label=ibis.literal(rule.driver_label),
        signal_name=ibis.literal(rule.signal_name),
        signal_value=as_compared(hit[rule.signal_name]).cast("string"),
        operator=ibis.literal(rule.operator),
        threshold=ibis.literal(rule.threshold_text, "string"),
        second_signal_name=ibis.literal(second.signal_name) if second else text,
        second_signal_value=as_compared(hit[second.signal_name]).cast("string") if second else text,
        second_operator=ibis.literal(second.operator) if second else text,
        second_threshold=ibis.literal(second.threshold_text, "string") if second else text,
        weight=ibis.literal(rule.weight, WEIGHT),
        source_dataset=ibis.literal(source.dataset),
        window=ibis.literal(source.window),
        explanation=ibis.literal(f"{rule.driver_label}: ")
        + (words[0] if len(words) == 1 else words[0] + ", " + words[1]),
    )


def crossed(signals: ir.Table, test: SignalTest) -> ir.BooleanColumn:
    """Where the signal stands to its threshold as the rule says; a missing signal does not."""
    return holds(test.operator, signals[test.signal_name], test.threshold).fill_null(False)


@table(group="risk", owner="team:customer-success", key=("customer_id",))
def churn_risk_profiles(customer_signals: ir.Table, churn_evidence: ir.Table, rules: Rules) -> ir.Table:
    """One row per customer paying at the as-of date: how likely it is to leave, and why.

    risk_score is the sum of the weights of the rules that fired, at most 1. revenue_at_risk is the
    MRR of customers in the bands that the rules name, else 0; is_at_risk is 1 or 0 alike. signals_known
    of signals_total says how much the score rests on. A low score from too little data is not
    health: where fewer are known than the rules ask for, both are NULL unless the band is such a one.
    """
    churn, dimensions = rules.churn_rules, rules.dimensions
    hits = churn_evidence.group_by("customer_id").aggregate(
        weight=_.weight.sum(),
        rules_fired=_.count(),
        labels=collect_ordered(_.driver_label, _.rule_order),
        ids=collect_ordered(_.rule_id, _.rule_order),
        reasons=collect_ordered(_.explanation, _.rule_order),
        main_driver=_.driver_label.argmin(_.rule_order),
        heaviest=_.rule_id.argmin(_.rule_order),
    )
    known = sum((customer_signals[name].notnull().cast("int64") for name in churn.signals), ibis.literal(0, "int64"))
    who = customer_signals.select("customer_id", "as_of_date", *dimensions, "mrr", signals_known=known)
    table = left_join_unique(who, hits)
    score = ibis.least(table.weight.fill_null(0).cast(WEIGHT), ibis.literal(1, WEIGHT))
    table = table.mutate(score=score, signals_total=ibis.literal(len(churn.signals), "int64"))
    table = table.mutate(risk_band=band(table.score, churn.bands))
    at_risk = table.risk_band.isin(churn.revenue_at_risk_bands)
    is_told = table.signals_known >= ibis.literal(churn.minimum_known_share * len(churn.signals), WEIGHT)
    is_at_risk = ibis.cases((at_risk, 1), (is_told, 0), else_=ibis.null("int64")).cast("int64")
    reasons = join_ordered(table.reasons, "; ")
    basis = table.signals_known.cast("string") + " of " + table.signals_total.cast("string") + " signals are known."
    return table.select(
        "customer_id", "as_of_date", *dimensions, "mrr",
        risk_score=_.score.cast("float64"),
        risk_band=_.risk_band,
        revenue_at_risk=(table.mrr * is_at_risk).cast(MONEY),
        is_at_risk=is_at_risk,
        rules_fired=_.rules_fired.fill_null(0),
        main_driver=_.main_driver,
        main_rule=_.heaviest,
        drivers=join_ordered(_.labels, ", "),
        rule_ids=join_ordered(_.ids, ", "),
        signals_known=_.signals_known,
        signals_total=_.signals_total,
        explanation=ibis.ifelse(reasons.notnull(), reasons + ". ", "No rule fired. ") + basis,
    )  # fmt: skip
