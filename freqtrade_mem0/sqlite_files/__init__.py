"""SQLite files that several processes share: how they are opened, give way, and shrink."""
