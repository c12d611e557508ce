"""The homes of memories: Mem0 embedded, on a server, on its platform, or the journal alone.

Nothing is imported here: Mem0 costs more than a second to import and scikit-learn half of one, and
`freqtrade list-strategies` must not pay for them. Import the backend that is wanted by its module.
"""
