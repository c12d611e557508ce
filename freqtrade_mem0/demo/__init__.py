"""The demo: generated candles, a stand-in for an exchange, and real Freqtrade runs.

Tests and benchmarks use it, too; a bot does not.
"""
