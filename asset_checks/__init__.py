"""Contracts, the validation gate, metric governance and invariants: what must hold, and the checks that hold it."""
