"""The rows that recommendation rules test: a finding with the columns of its customer."""

import ibis.expr.types as ir

from productpulse_assets.joins import left_join_unique


def about_customers(customers: ir.Table, customer_signals: ir.Table, churn_risk_profiles: ir.Table) -> ir.Table:
    """One row per customer: its attributes, signals and risk; signals and risk are NULL where it does not pay.

    company_name is the customer_id where the customer has no name, because the rules' texts contain it.
    """
    attributes = customers.mutate(company_name=customers.company_name.fill_null(customers.customer_id))
    with_signals = _join_new_columns(attributes, customer_signals)
    return _join_new_columns(with_signals, churn_risk_profiles.drop("as_of_date"))


def churn_trigger(about: ir.Table) -> ir.Table:
    """One row per risk profile."""
    return about.filter(about.risk_band.notnull())


def leakage_trigger(about: ir.Table, revenue_leakage: ir.Table) -> ir.Table:
    """One row per case of leakage; a column that both have, such as explanation, is that of the case."""
    columns = [name for name in about.columns if name == "customer_id" or name not in revenue_leakage.columns]
    return revenue_leakage.join(about.select(columns), "customer_id")


def _join_new_columns(left: ir.Table, right: ir.Table) -> ir.Table:
    """Left-join by customer the columns that the left table does not have."""
    new = [name for name in right.columns if name == "customer_id" or name not in left.columns]
    return left_join_unique(left, right.select(new))
