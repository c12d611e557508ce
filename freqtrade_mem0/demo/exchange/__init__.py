"""A stand-in for Binance's public API on loopback."""
