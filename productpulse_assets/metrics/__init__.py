"""Metrics: the governed catalog by month and by segment, present values, cohorts, health and data quality."""
