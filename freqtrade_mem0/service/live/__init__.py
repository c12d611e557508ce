"""What the pages show as it happens: news of the journal, and what bots say about themselves."""
