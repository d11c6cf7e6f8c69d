"""The reports: each is an asset that fills in a template."""
