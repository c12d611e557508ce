"""Which entry belongs to which decision and trade."""
