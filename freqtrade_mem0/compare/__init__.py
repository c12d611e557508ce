"""Compares a strategy without and with memory, both in Freqtrade's own backtest engine.

Reading order: `engine` runs Freqtrade; `trades` is what a run returns; `statistics` are the tests
and intervals; `comparison` puts them together; `verdict` says in a sentence what they show;
`report` prints and draws them.
"""
