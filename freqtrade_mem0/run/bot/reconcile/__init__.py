"""Compares a bot's trade database with its memory."""
