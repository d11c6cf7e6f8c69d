"""Readers: the files of each format as rows in DuckDB, without the loss of a line."""
