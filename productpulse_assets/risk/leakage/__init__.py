"""Revenue leakage: money that should have come in and did not, one module a kind of case."""
