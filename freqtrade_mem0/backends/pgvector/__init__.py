"""Mem0's own table in PostgreSQL with pgvector, for a fleet of bots; see `store`."""
