"""The `"mem0"` block of the Freqtrade config.

`settings` has its keys, `load` reads and checks it, `credentials` finds secrets, which never stand
in the config.
"""
