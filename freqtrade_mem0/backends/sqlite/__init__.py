"""Our own vector store for Mem0, in one SQLite file; see `store`."""
