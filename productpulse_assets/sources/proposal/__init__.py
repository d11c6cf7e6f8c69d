"""A proposal of sources.yaml from the exports themselves: rules that can be explained, and questions where they end."""
