"""Text: how numbers, sentences and Markdown are written."""
