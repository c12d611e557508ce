"""The report on bots in words, and as a page."""
