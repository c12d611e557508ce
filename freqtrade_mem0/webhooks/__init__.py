"""Webhooks: events that are sent to the addresses in the config, and those of others, verified."""
