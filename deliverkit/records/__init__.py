"""Text to record and back: pure parsers with positions, one module a kind of record."""
