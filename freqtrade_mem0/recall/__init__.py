"""What is known about situations like this one, as of a moment: an in-process index over trades."""

from freqtrade_mem0.recall.index.groups import STRATEGY
from freqtrade_mem0.recall.index.recall import Recall

__all__ = ["STRATEGY", "Recall"]
