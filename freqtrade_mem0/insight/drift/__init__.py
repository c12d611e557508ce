"""Whether a strategy's trades still are what its history said: triggers, bands and slippage.

* `history`: the trades of a run by the UTC day of their entry, and histories shuffled in blocks.
* `charts`, `excursions`: what triggers add up, and how high that rises in shuffled histories.
* `triggers`: four cumulative sums, each with a threshold for about one false alarm a year.
* `bands`: what as many days of the backtest look like, beside the days of a bot.
* `slippage`: what fills cost against the rates of their orders.
"""
