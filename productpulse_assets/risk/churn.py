"""Churn risk: the rules that fire for each customer, and the risk score that their weights add up to."""

import ibis
import ibis.expr.types as ir
from ibis import _

from productpulse_assets.joins import collect_ordered, join_ordered, left_join_unique
from productpulse_assets.risk.signal_sentences import condition_sentence
from productpulse_assets.tables import table
from rules.churn_rules import ChurnRule, ChurnRules, SignalTest
from rules.metrics.compile import band
from rules.operators import comparison, round_for_comparison
from rules.rule_set import Rules
from rules.signal_sources import source_of
from rules.units import MONEY

WEIGHT = "decimal(9, 4)"


@table(group="risk", owner="team:customer-success", key=("customer_id", "rule_order"))
def churn_evidence(customer_signals: ir.Table, rules: Rules) -> ir.Table:
    """One row per customer and churn rule that fired: the signal, its value, and the threshold.

    Values and thresholds are text, numbers as they are compared (thresholds as JSON); second_* is the
    rule's second condition, NULL where it has none. rule_order is the rules' order by weight.
    """
    in_order = enumerate(by_weight(rules.churn_rules))
    return ibis.union(*(rule_hits(customer_signals, rule, order, rules.currency) for order, rule in in_order))


def by_weight(rules: ChurnRules) -> list[ChurnRule]:
    """The enabled rules, the largest weight first; of equal weight in the order of the file."""
    return sorted(rules.enabled, key=lambda rule: -rule.weight)


def rule_hits(signals: ir.Table, rule: ChurnRule, order: int, currency: str) -> ir.Table:
    """The customers for whom a rule fires, with its evidence."""
    hits = signals.filter([meets(signals, test) for test in rule.tests])
    source, no_text = source_of(rule.signal_name), ibis.null("string")
    second = rule.also
    return hits.select(
        "customer_id",
        rule_order=ibis.literal(order, "int64"),
        rule_id=ibis.literal(rule.rule_id),
        driver_label=ibis.literal(rule.driver_label),
        signal_name=ibis.literal(rule.signal_name),
        signal_value=round_for_comparison(hits[rule.signal_name]).cast("string"),
        operator=ibis.literal(rule.operator),
        threshold=ibis.literal(rule.threshold_text, "string"),
        second_signal_name=ibis.literal(second.signal_name) if second else no_text,
        second_signal_value=round_for_comparison(hits[second.signal_name]).cast("string") if second else no_text,
        second_operator=ibis.literal(second.operator) if second else no_text,
        second_threshold=ibis.literal(second.threshold_text, "string") if second else no_text,
        weight=ibis.literal(rule.weight, WEIGHT),
        source_dataset=ibis.literal(source.dataset),
        window=ibis.literal(source.window),
        explanation=hit_explanation(hits, rule, currency),
    )


def hit_explanation(hits: ir.Table, rule: ChurnRule, currency: str) -> ir.StringColumn:
    """The rule's label and what was found: `Urgent ticket open: 1 open urgent ticket (rule: 1 or more)`."""
    found = [condition_sentence(hits, test, currency) for test in rule.tests]
    sentence = found[0] if len(found) == 1 else found[0] + " and " + found[1]
    return ibis.literal(f"{rule.driver_label}: ") + sentence


def meets(signals: ir.Table, test: SignalTest) -> ir.BooleanColumn:
    """Whether a signal meets a rule's condition; a missing signal does not, unless the rule asks for that."""
    return comparison(test.operator, signals[test.signal_name], test.threshold).fill_null(False)


@table(group="risk", owner="team:customer-success", key=("customer_id",))
def churn_risk_profiles(customer_signals: ir.Table, churn_evidence: ir.Table, rules: Rules) -> ir.Table:
    """One row per customer paying at the as-of date: how likely it is to leave, and why.

    risk_score is the sum of the weights of the rules that fired, at most 1. revenue_at_risk is the
    MRR of customers whose band is one of the rules' revenue_at_risk_bands, else 0; is_at_risk is 1 or 0
    accordingly. signals_known and signals_total count the signals that the score is computed from.
    A low score from too little data does not mean that all is well: where a smaller share of the
    signals is known than minimum_known_share, revenue_at_risk and is_at_risk are NULL, unless the band
    is one of revenue_at_risk_bands all the same. Where that share is known of no customer, as without usage and
    payments, both are NULL for all: the few whose band is known would look like the whole.
    """
    dimensions = rules.dimensions
    scored = scores(customer_signals, churn_evidence, rules)
    at_risk = is_at_risk(scored, rules.churn_rules)
    return scored.select(
        "customer_id", "as_of_date", *dimensions, "mrr",
        risk_score=_.score.cast("float64"),
        risk_band=_.risk_band,
        revenue_at_risk=(scored.mrr * at_risk).cast(MONEY),
        is_at_risk=at_risk,
        rules_fired=_.rules_fired.fill_null(0),
        main_driver=_.main_driver,
        main_rule=_.main_rule,
        drivers=join_ordered(scored.labels, ", "),
        rule_ids=join_ordered(scored.ids, ", "),
        signals_known=_.signals_known,
        signals_total=_.signals_total,
        explanation=profile_explanation(scored),
    )  # fmt: skip


def scores(signals: ir.Table, evidence: ir.Table, rules: Rules) -> ir.Table:
    """By customer: score and band, the rules that fired in their order, and how many signals are known."""
    churn = rules.churn_rules
    hits = evidence.group_by("customer_id").aggregate(
        weight=_.weight.sum(),
        rules_fired=_.count(),
        labels=collect_ordered(_.driver_label, _.rule_order),
        ids=collect_ordered(_.rule_id, _.rule_order),
        reasons=collect_ordered(_.explanation, _.rule_order),
        main_driver=_.driver_label.argmin(_.rule_order),
        main_rule=_.rule_id.argmin(_.rule_order),
    )
    known = sum((signals[name].notnull().cast("int64") for name in churn.signals), ibis.literal(0, "int64"))
    payers = signals.select("customer_id", "as_of_date", *rules.dimensions, "mrr", signals_known=known)
    joined = left_join_unique(payers, hits)
    score = ibis.least(joined.weight.fill_null(0).cast(WEIGHT), ibis.literal(1, WEIGHT))
    scored = joined.mutate(score=score, signals_total=ibis.literal(len(churn.signals), "int64"))
    return scored.mutate(risk_band=band(scored.score, churn.bands))


def is_at_risk(scored: ir.Table, churn: ChurnRules) -> ir.IntegerColumn:
    """1 in a band at risk, else 0; NULL where too few signals are known to say so, of the customer or of all."""
    in_band = scored.risk_band.isin(churn.revenue_at_risk_bands)
    is_enough = scored.signals_known >= ibis.literal(churn.minimum_known_share * len(churn.signals), WEIGHT)
    is_enough_of_any = is_enough.max().over(ibis.window())
    return ibis.cases((in_band & is_enough_of_any, 1), (is_enough, 0), else_=ibis.null("int64")).cast("int64")


def profile_explanation(scored: ir.Table) -> ir.StringColumn:
    """What was found, rule by rule, and how many signals are known."""
    reasons = join_ordered(scored.reasons, "; ")
    known = scored.signals_known.cast("string") + " of " + scored.signals_total.cast("string") + " signals are known."
    return ibis.ifelse(reasons.notnull(), reasons + ". ", "No rule fired. ") + known
