"""Recall: the statistics of a strategy's trades by situation, as of a moment, from memory.

`index` computes them. `follow` fills it from the journal, `snapshot` saves and loads it, `priors`
gives it the trades of promoted backtests. What these words mean: `docs/concepts/memory.md`.
"""

from freqtrade_mem0.recall.index.groups import STRATEGY
from freqtrade_mem0.recall.index.recall import Recall

__all__ = ["STRATEGY", "Recall"]
