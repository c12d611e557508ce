"""Takes into memory what Freqtrade stored before: backtests, hyperopt results, trade databases."""
