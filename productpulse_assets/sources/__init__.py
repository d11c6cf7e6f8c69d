"""From export files to typed, checked datasets and their rejects."""
