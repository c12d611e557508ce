"""What the owner of a bot is told."""
