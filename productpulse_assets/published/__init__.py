"""Published: the snapshot that readers open, and the same tables as files."""
