"""Statistics on remembered trades."""
