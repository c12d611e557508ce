"""A bot's entries: decisions, the trades they opened, recorded trades."""
