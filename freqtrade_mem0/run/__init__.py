"""One run of one strategy: a backtest, an epoch of a hyperopt, a bot."""
