"""Loading: YAML files as plain data, with errors that say where and what is accepted."""
