"""What an asset of the graph states besides its rows."""

import datetime as dt

import dagster as dg

DAILY = dg.FreshnessPolicy.time_window(warn_window=dt.timedelta(hours=25), fail_window=dt.timedelta(days=2))
"""Freshness of what is published every morning: a warning when it is an hour late, a failure after two days."""
