"""Turns a proposed stake into an answer, and explains decisions."""
