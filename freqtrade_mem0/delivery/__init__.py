"""Moves records between the journal and Mem0."""
