"""Markets of the demo: pairs with realistic tick and step sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

START_PRICES = {
    "BTC/USDT": 60_000.0,
    "ETH/USDT": 2_500.0,
    "SOL/USDT": 150.0,
    "XRP/USDT": 0.6,
    "ADA/USDT": 0.4,
    "DOGE/USDT": 0.12,
}
"""The demo's pairs and the first of their generated prices, in quote currency."""

_PRICE_DIGITS = 5
_STEP_VALUE_QUOTE = 0.1
_FUTURES_SUFFIX = "-futures"


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A pair that can be traded, with its decimals and its smallest order in quote currency."""

    base: str
    quote: str
    start_price: float
    price_decimals: int
    amount_decimals: int
    min_notional_quote: float = 5.0

    @property
    def pair(self) -> str:
        """Freqtrade's name on spot, "ETH/USDT"."""
        return f"{self.base}/{self.quote}"

    @property
    def symbol(self) -> str:
        """The exchange's name, "ETHUSDT"."""
        return f"{self.base}{self.quote}"

    @property
    def tick(self) -> float:
        """Smallest difference between two prices, in quote currency."""
        return float(f"1e-{self.price_decimals}")


def market_of(pair: str, price: float | None = None) -> Market:
    """Return a market with tick and step sizes for a price, in quote currency.

    Without a price, takes the one in `START_PRICES`, or 1.0 for an unknown pair.

    >>> market = market_of("BTC/USDT", 60_000)
    >>> market.symbol, market.price_decimals, market.amount_decimals
    ('BTCUSDT', 2, 6)
    >>> market_of("DOGE/USDT:USDT", 0.12).price_decimals
    6
    """
    base, quote = pair.split(":", maxsplit=1)[0].split("/")
    start = START_PRICES.get(f"{base}/{quote}", 1.0) if price is None else price
    magnitude = math.floor(math.log10(start))
    return Market(
        base=base,
        quote=quote,
        start_price=start,
        # Six significant digits, at least two decimals: a tick is smaller than a candle.
        price_decimals=min(12, max(2, _PRICE_DIGITS - magnitude)),
        amount_decimals=min(8, max(0, math.ceil(math.log10(start / _STEP_VALUE_QUOTE)))),
    )


def demo_markets(pairs: Sequence[str] = tuple(START_PRICES)) -> list[Market]:
    """Return the markets of `pairs`, with the demo's start prices."""
    return [market_of(pair) for pair in pairs]


def candle_files(datadir: Path, *, futures: bool = False) -> dict[str, dict[str, Path]]:
    """Find spot or futures candles in Freqtrade's layout: `{timeframe: {pair: file}}`, sorted."""
    found: dict[str, dict[str, Path]] = {}
    suffix = _FUTURES_SUFFIX if futures else ""
    for path in sorted((datadir / "futures" if futures else datadir).glob(f"*{suffix}.feather")):
        name, _, timeframe = path.stem.removesuffix(suffix).rpartition("-")
        parts = name.split("_")
        if len(parts) != (3 if futures else 2):
            continue
        pair = f"{parts[0]}/{parts[1]}" + (f":{parts[2]}" if futures else "")
        found.setdefault(timeframe, {})[pair] = path
    return found


def read_column(path: Path, name: str) -> pd.Series:
    """Return one column of a candle file.

    Raises
    ------
    ConfigError
        The file can not be read, or has no such column.
    """
    import pandas as pd  # slow to import, and not needed for the demo's own markets

    try:
        column: pd.Series = pd.read_feather(path, columns=[name])[name]
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(
            f"{path} is not a candle file ({error}). Download it again, or give another --datadir."
        ) from error
    return column


def markets_in(datadir: Path) -> list[Market]:
    """Return a market for every pair with spot candles in `datadir`, sized for its last close."""
    markets: dict[str, Market] = {}
    for files in candle_files(datadir).values():
        for pair, path in files.items():
            if pair not in markets:
                last = read_column(path, "close").iloc[-1:]
                markets[pair] = market_of(pair, *last.astype(float))
    return list(markets.values())
