"""One run of one strategy: a backtest, a hyperopt epoch, a bot."""
