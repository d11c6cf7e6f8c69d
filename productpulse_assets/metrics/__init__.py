"""Metrics: the governed catalog computed, sliced, summarised and scored."""
