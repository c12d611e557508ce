"""A stand-in for Binance on loopback, so that the real Freqtrade runs without internet."""
