"""The bench: a large synthetic book, and how fast and how lean everything is on it."""
