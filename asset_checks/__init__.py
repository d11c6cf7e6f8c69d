"""Checks: contracts of the datasets, the validation gate, metric governance, invariants and warnings."""
