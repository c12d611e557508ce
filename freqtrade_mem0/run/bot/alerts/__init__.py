"""Alerts to the owner of a bot."""
