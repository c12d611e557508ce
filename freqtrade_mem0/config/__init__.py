"""The `"mem0"` block of the Freqtrade config.

`settings` has its keys, `load` reads and checks it. The key of Mem0 is not in it: `credentials`
finds that.
"""
