"""What agents decided and learned: the log with its outcomes, parameter updates, learned rules.

`agents` and the command line write and show it; a bot's background thread keeps it up to date.
"""
