"""Attaches memory to a strategy object."""
