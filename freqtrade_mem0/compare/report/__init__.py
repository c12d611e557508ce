"""The report of a comparison: tables, charts, JSON."""
