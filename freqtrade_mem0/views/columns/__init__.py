"""Closed trades of a memory in columns, from which pages show a million of them in a moment."""
