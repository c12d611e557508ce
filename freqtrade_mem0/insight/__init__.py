"""Statistics on remembered trades: shrunk group means, recent performance. Pure arithmetic."""
