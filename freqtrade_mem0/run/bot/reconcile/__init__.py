"""Compares a bot's trade database with what is remembered."""
