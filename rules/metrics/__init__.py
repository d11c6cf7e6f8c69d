"""Metrics: the catalog's models, its check against the tables, and its compilation to Ibis."""
