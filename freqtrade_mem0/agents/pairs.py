"""Which pair of Freqtrade a symbol such as "BTCUSDT" means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_QUOTES = (
    *("USDT", "USDC", "FDUSD", "BUSD", "TUSD", "DAI", "USD", "EUR", "GBP", "CHF", "JPY", "AUD"),
    *("CAD", "TRY", "BRL", "KRW", "BTC", "ETH", "BNB", "SOL"),
)
"""Quote currencies, in the order in which they are tried; of two that fit, the longer one."""

_SUFFIXES = (".P", "-PERP", "_PERP", "/PERP", "-SWAP", "_SWAP", "PERP")
"""How other systems mark a perpetual contract."""

_SEPARATORS = "/-_ "


@dataclass(frozen=True, slots=True)
class Meant:
    """A pair, and how it was understood.

    Parameters
    ----------
    pair
        As Freqtrade writes it; "" where the symbol can not be read.
    guess
        What was guessed, as a sentence; "" where nothing was.
    problem
        Why the symbol can not be read; "" where it can.
    """

    pair: str = ""
    guess: str = ""
    problem: str = ""


def meant_pair(symbol: str, known: Sequence[str]) -> Meant:
    """Return the pair that a symbol means.

    Parameters
    ----------
    symbol
        For example "BTC/USDT", "BTCUSDT", "btc-usdt", "BINANCE:BTCUSDT.P" or "BTC".
    known
        Pairs that the memory knows, the preferred ones first.

    >>> meant_pair("BTCUSDT", ["ETH/USDT", "BTC/USDT"])
    Meant(pair='BTC/USDT', guess='', problem='')
    >>> meant_pair("adausdt", ["BTC/USDT"]).pair
    'ADA/USDT'
    """
    text = symbol.strip().upper()
    if text in known:
        return Meant(text)
    if ":" in text and "/" not in text.partition(":")[0]:  # an exchange before it
        text = text.partition(":")[2].strip()
    is_contract = ":" in text
    for suffix in _SUFFIXES:
        if text.endswith(suffix) and len(text) > len(suffix):
            text, is_contract = text.removesuffix(suffix), True
            break
    wanted = _letters(text.partition(":")[0])
    if not wanted.isalnum():
        return Meant(problem="a pair is written as 'BTC/USDT' or 'BTCUSDT'")
    same = [pair for pair in known if _letters(pair.partition(":")[0]) == wanted]
    if is_contract:
        same.sort(key=lambda pair: ":" not in pair)
    if same:
        others = [pair for pair in same[1:] if pair != same[0]]
        guess = f"{symbol!r} is taken for {same[0]}, not {', '.join(others)}." if others else ""
        return Meant(same[0], guess)
    of_base = [pair for pair in known if pair.partition("/")[0] == wanted]
    if of_base:
        if len(of_base) > 1:
            return Meant(problem=f"it may be {', '.join(of_base[:5])}; say which")
        return Meant(of_base[0], f"{symbol!r} is taken for {of_base[0]}, the one pair of it known.")
    return _guessed(symbol, text, wanted, known, is_contract=is_contract)


def _guessed(
    symbol: str, text: str, wanted: str, known: Sequence[str], *, is_contract: bool
) -> Meant:
    """Return the pair of a symbol that no known pair fits."""
    quotes = [pair.partition("/")[2].partition(":")[0] for pair in known]
    base, separator, quote = text.partition(":")[0].partition("/")
    for mark in _SEPARATORS:
        if not (separator and base and quote):
            base, separator, quote = text.partition(":")[0].partition(mark)
    if not (separator and base and quote):
        fitting = [
            each
            for each in (*quotes, *_QUOTES)
            if each and wanted.endswith(each) and wanted != each
        ]
        if not fitting:
            return Meant(
                problem="its quote currency is not known; write the pair as Freqtrade does, as in "
                "'BTC/USDT'"
            )
        quote = max(fitting, key=len)
        base = wanted.removesuffix(quote)
    pair = f"{base}/{quote}"
    if is_contract or (known and all(":" in each for each in known)):
        settled = text.partition(":")[2] or quote
        pair = f"{pair}:{settled}"
    if pair == symbol:
        return Meant(pair)
    return Meant(pair, f"{symbol!r} is taken for {pair}; the memory knows no such pair.")


def _letters(text: str) -> str:
    for mark in _SEPARATORS:
        text = text.replace(mark, "")
    return text
