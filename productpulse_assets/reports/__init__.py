"""Reports that people read: Markdown from templates, each an asset."""
