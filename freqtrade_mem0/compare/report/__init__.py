"""The report of a comparison: tables and a verdict on the terminal, an HTML page, JSON."""
