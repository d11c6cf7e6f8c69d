"""The business in YAML, and the code that reads and compiles it."""
