"""Where memories live: Mem0 embedded, on a server, on its platform, or the journal alone.

Nothing is imported here: importing Mem0 takes more than a second, and `freqtrade list-strategies`
must not pay for it.
"""
