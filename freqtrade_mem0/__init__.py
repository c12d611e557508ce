"""Long-term memory for Freqtrade bots, kept in Mem0."""

__version__ = "0.1.0"
