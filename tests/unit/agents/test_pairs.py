"""A symbol of any system is a pair of Freqtrade, and what is guessed is said."""

from __future__ import annotations

import pytest

from freqtrade_mem0.agents.pairs import meant_pair

KNOWN = ["ETH/USDT", "BTC/USDT", "BTC/EUR", "SOL/USDT"]


@pytest.mark.parametrize(
    ("symbol", "pair"),
    [
        ("BTC/USDT", "BTC/USDT"),
        ("btc/usdt", "BTC/USDT"),
        ("BTCUSDT", "BTC/USDT"),
        (" BTC-USDT ", "BTC/USDT"),
        ("BTC_EUR", "BTC/EUR"),
        ("BINANCE:BTCUSDT", "BTC/USDT"),
        ("BTCUSDT.P", "BTC/USDT"),
    ],
)
def test_a_known_pair_is_no_guess(symbol: str, pair: str) -> None:
    """However it is written."""
    found = meant_pair(symbol, KNOWN)
    assert (found.pair, found.guess, found.problem) == (pair, "", "")


@pytest.mark.parametrize(
    ("symbol", "pair"),
    [
        ("ADAUSDT", "ADA/USDT"),
        ("ADAFDUSD", "ADA/FDUSD"),
        ("ADABTC", "ADA/BTC"),
        ("1000PEPEUSDC", "1000PEPE/USDC"),
        ("DOGE-USD-SWAP", "DOGE/USD:USD"),
        ("ada_xyz", "ADA/XYZ"),
    ],
)
def test_an_unknown_pair_is_guessed_and_said(symbol: str, pair: str) -> None:
    """By the quote currencies that memory and we know."""
    found = meant_pair(symbol, KNOWN)
    assert found.pair == pair
    assert pair in found.guess


def test_a_pair_as_freqtrade_writes_it_is_no_guess() -> None:
    """Although memory does not know it."""
    assert meant_pair("ADA/USDT", KNOWN).guess == ""
    assert meant_pair("ADA/USDT:USDT", KNOWN).pair == "ADA/USDT:USDT"


def test_contracts_and_spot_are_told_apart() -> None:
    """A mark of a contract prefers one; without it the preferred pair counts, and that is said."""
    known = ["BTC/USDT", "BTC/USDT:USDT"]
    assert meant_pair("BTCUSDT-PERP", known).pair == "BTC/USDT:USDT"
    plain = meant_pair("BTCUSDT", known)
    assert (plain.pair, "not BTC/USDT:USDT" in plain.guess) == ("BTC/USDT", True)
    assert meant_pair("ADAUSDT", ["BTC/USDT:USDT"]).pair == "ADA/USDT:USDT"


def test_a_base_currency_alone_must_be_of_one_pair() -> None:
    """Of several, the answer names them."""
    assert meant_pair("sol", KNOWN).pair == "SOL/USDT"
    found = meant_pair("BTC", KNOWN)
    assert (found.pair, found.problem) == ("", "it may be BTC/USDT, BTC/EUR; say which")


@pytest.mark.parametrize("symbol", ["", "///", "€€", "nonsense", "USDT"])
def test_what_is_no_pair_is_said(symbol: str) -> None:
    """It is never taken for some pair."""
    found = meant_pair(symbol, KNOWN)
    assert (found.pair, bool(found.problem)) == ("", True)
