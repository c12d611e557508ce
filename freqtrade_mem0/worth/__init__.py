"""Whether memory's stakes were worth it: tests of sized trades, and the worth of a bot's stakes."""
