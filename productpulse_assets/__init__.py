"""The graph: from exports to governed metrics, reports and the published snapshot."""
