"""Runs Freqtrade's backtest engine with and without memory."""
