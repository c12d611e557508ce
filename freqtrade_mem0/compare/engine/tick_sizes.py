"""Freqtrade's tick sizes of candles, computed once in a process that loads the same candles often.

Freqtrade reads them from the digits of every price. That takes most of the time in which it loads
candles, and depends on dates and prices alone.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import wraps
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    TickSizes = Callable[[Any], Any]

_PRICES = ["open", "high", "low", "close"]
_MAX_CANDLES = 10_000_000
"""Known at most, 100 MB; the oldest ones are forgotten."""


def share() -> None:
    """Let Freqtrade's backtests in this process share tick sizes."""
    from freqtrade.optimize import backtesting

    if not hasattr(backtesting.get_tick_size_over_time, "__wrapped__"):
        backtesting.get_tick_size_over_time = remembered(backtesting.get_tick_size_over_time)


def remembered(own: TickSizes, max_candles: int = _MAX_CANDLES) -> TickSizes:
    """Return a function that computes tick sizes of the same dates and prices once.

    Parameters
    ----------
    own
        Freqtrade's function. It also adds columns to the candles.
    max_candles
        How many may be known.
    """
    known: OrderedDict[bytes, tuple[Any, Any, Any]] = OrderedDict()

    @wraps(own)
    def tick_sizes(candles: Any) -> Any:
        key = _key(candles)
        if key in known:
            added, types, sizes = known[key]
            candles[list(added)] = added.astype(types).set_axis(candles.index)
            return sizes.copy()
        before = set(candles)
        sizes = own(candles)
        added = candles[[name for name in candles if name not in before]]
        small = added.astype("float16")  # numbers of digits
        if small.astype(added.dtypes).equals(added):
            known[key] = small, added.dtypes, sizes.copy()
            while sum(len(each[0]) for each in known.values()) > max_candles:
                known.popitem(last=False)
        return sizes

    return tick_sizes


def _key(candles: Any) -> bytes:
    key = blake2b(repr((list(candles), list(candles.dtypes))).encode())
    key.update(candles["date"].to_numpy(dtype="datetime64[ns]").tobytes())
    key.update(candles[_PRICES].to_numpy().tobytes())
    return key.digest()
