"""What we ask of Freqtrade: run modes, trades, locks, its database."""
