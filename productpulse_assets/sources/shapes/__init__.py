"""Exports of subscriptions that are not one row per period: each shape as a function from their rows to periods."""
