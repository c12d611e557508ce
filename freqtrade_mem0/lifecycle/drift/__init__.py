"""Drift of a bot or backtest from its history: what it is measured by, and what is recorded.

* `look`: reads trades and their history from the journal and measures one by the other.
* `records`: the risk events and proposals that follow.
"""
