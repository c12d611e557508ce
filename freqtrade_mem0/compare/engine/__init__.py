"""Runs Freqtrade's backtest engine without and with memory."""
