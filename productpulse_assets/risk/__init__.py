"""Risk: which customers may leave, and which revenue leaks."""
