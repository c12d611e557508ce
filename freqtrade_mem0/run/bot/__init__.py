"""A dry-run or live bot: a run by the wall clock, for months."""
