"""Mem0 inside this process, with its own or another vector store."""
