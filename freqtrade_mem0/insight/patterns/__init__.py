"""Patterns: groups of trades whose results differ from those of a strategy's other trades.

`look.py` is the way in. The method and its sources are in `docs/concepts/patterns.md`.
"""
