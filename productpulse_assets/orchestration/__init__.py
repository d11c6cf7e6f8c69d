"""Orchestration: steps, schedules, sensors and the execution of the graph. No tables here."""
