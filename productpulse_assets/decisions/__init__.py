"""Decisions: recommendations from findings, the intervention plan, and the evidence of each."""
