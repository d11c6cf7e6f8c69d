"""What the graph runs on: the warehouse, the settings of a run, and the files it writes."""
