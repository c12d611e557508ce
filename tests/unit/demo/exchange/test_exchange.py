from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import ccxt  # type: ignore[import-untyped]
import numpy as np
import pytest

from freqtrade_mem0.demo.candles import CandlePlan, generate, write_candles
from freqtrade_mem0.demo.exchange.api import ExchangeApi
from freqtrade_mem0.demo.exchange.markets import demo_markets, market_of, markets_in
from freqtrade_mem0.demo.exchange.prices import PricePath
from freqtrade_mem0.demo.exchange.server import ExchangeStandIn, main
from freqtrade_mem0.demo.freqtrade_config import freqtrade_config
from tests.support.wait import HANG_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW_S = 1_700_000_000.0
PAIRS = ["BTC/USDT", "DOGE/USDT"]


@pytest.fixture
def exchange() -> Iterator[ExchangeStandIn]:
    """A stand-in whose clock stands still."""
    with ExchangeStandIn(demo_markets(PAIRS), clock=lambda: NOW_S) as stand_in:
        yield stand_in


def path_of(points: list[float]) -> PricePath:
    """A path with one point per second."""
    return PricePath(market_of("ETH/USDT"), np.array(points), 1.0)


def client(url: str, *, futures: bool) -> Any:
    """The ccxt client that Freqtrade would build from a demo's config."""
    block = freqtrade_config(url, PAIRS, "5m", futures=futures)["exchange"]["ccxt_config"]
    return ccxt.binance(block | {"enableRateLimit": False})


@pytest.mark.parametrize("futures", [False, True])
def test_ccxt_reads_markets_and_prices(exchange: ExchangeStandIn, futures: bool) -> None:
    """The real ccxt loads markets, candles, order book, tickers and time."""
    pair = "BTC/USDT:USDT" if futures else "BTC/USDT"
    binance = client(exchange.url, futures=futures)
    market = binance.load_markets()[pair]
    assert market["precision"] == {"amount": 1e-6, "price": 0.01, "base": 1e-8, "quote": 1e-8}
    assert market["limits"]["cost"]["min"] == 5.0
    price = exchange.control.price("BTC/USDT")
    assert binance.fetch_ticker(pair)["last"] == pytest.approx(price, abs=0.01)
    book = binance.fetch_order_book(pair, 5)
    assert book["bids"][0][0] < price < book["asks"][0][0]
    candles = binance.fetch_ohlcv(pair, "1m", limit=10)
    assert len(candles) == 10
    assert candles[-1][4] == pytest.approx(price, rel=0.01)
    assert binance.fetch_time() == int(NOW_S * 1_000)
    if futures:
        assert binance.fetch_funding_rate(pair)["fundingRate"] == 0.0001


def test_control_moves_and_holds_one_market(exchange: ExchangeStandIn) -> None:
    """A shock multiplies, a move sets; the other market stays."""
    control = exchange.control
    bitcoin, doge = control.price("BTC/USDT"), control.price("DOGE/USDT")
    control.shock("BTC/USDT", 1.1)
    assert control.price("BTC/USDT") == pytest.approx(1.1 * bitcoin)
    control.move_to("BTC/USDT", 50_000)
    assert control.price("BTC/USDT") == pytest.approx(50_000)
    assert control.price("DOGE/USDT") == doge


def test_outage_refuses_and_ends(exchange: ExchangeStandIn) -> None:
    """During an outage ccxt sees an exchange that is away; both requests are counted."""
    binance = client(exchange.url, futures=False)
    exchange.control.outage("refuse", 60)
    with pytest.raises(ccxt.ExchangeNotAvailable):
        binance.fetch_time()
    exchange.control.outage("refuse", 0)
    assert binance.fetch_time() == int(NOW_S * 1_000)
    assert exchange.control.stats()["/api/v3/time"] == 2


def test_unknown_addresses_and_symbols_are_refused() -> None:
    """What the stand-in does not have is an error of its own kind."""
    api = ExchangeApi(demo_markets(PAIRS), None, 1.0)
    assert api.answer("/api/v3/account", {}, NOW_S)[0] == 401
    assert api.answer("/api/v3/withdraw", {}, NOW_S)[0] == 404
    assert api.answer("/elsewhere", {}, NOW_S)[0] == 404
    status, answer = api.answer("/api/v3/depth", {"symbol": "NOUSDT"}, NOW_S)
    assert (status, answer["code"]) == (400, -1121)


def test_closing_does_not_wait_for_a_hanging_answer() -> None:
    """The context is left at once while a client still waits in an outage of the other kind."""
    with ThreadPoolExecutor() as pool:
        with ExchangeStandIn(demo_markets(PAIRS)) as stand_in:
            stand_in.control.outage("hang", 3_600)
            waiting = pool.submit(client(stand_in.url, futures=False).fetch_time)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.2)
        with pytest.raises(ccxt.NetworkError):
            waiting.result(timeout=HANG_S)


def test_unknown_option_of_the_process_form_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The process form says which options it has."""
    with pytest.raises(SystemExit):
        main(["--no-such-option"])
    assert "--port" in capsys.readouterr().err


def test_price_walks_its_path_forward_and_back() -> None:
    """The path has no jump at its ends, and time alone decides the price."""
    path = path_of([1.0, 2.0, 3.0])
    walked = [path.at(second) for second in range(8)]
    assert walked == [1.0, 2.0, 3.0, 3.0, 2.0, 1.0, 1.0, 2.0]


def test_pin_holds_and_unpin_returns_to_the_path() -> None:
    """A pinned price stays; unpinned, it is where it would have been."""
    path = path_of([float(n) for n in range(1, 101)])
    path.pin(10.5)
    assert path.at(40.0) == path.at(10.5) == 11.0
    path.unpin(50.0)
    assert path.at(40.0) == 11.0
    assert path.at(60.0) == 61.0


def test_shock_changes_nothing_before_it() -> None:
    """Candles that ended before a shock stay as they were."""
    path = path_of([float(n) for n in range(1, 1_001)])
    before = path.candles(60, 600.0)[:-1]
    path.shock(2.0, 600.0)
    assert path.candles(60, 600.0)[:-1] == before
    assert path.at(600.0) == 2 * 601.0


@pytest.mark.parametrize("interval_s", [60, 300, 3_600, 86_400])
def test_candles_enclose_the_path_and_are_the_same_whenever_asked(interval_s: int) -> None:
    """Finished candles do not change with time, and enclose open and close."""
    path = path_of([float(100 + n % 7) for n in range(500)])
    now_s = 40 * 86_400.0 + 17.0
    early = path.candles(interval_s, now_s, limit=5)
    late = path.candles(interval_s, now_s + interval_s, limit=6)
    assert late[:4] == early[:4]
    for start_s, opening, high, low, close in early:
        assert start_s % interval_s == 0
        assert low <= min(opening, close) <= max(opening, close) <= high


def test_candles_follow_start_end_and_limit() -> None:
    """Candles are chosen as Binance chooses them."""
    path = path_of([1.0, 2.0])
    starts = [row[0] for row in path.candles(60, 6_000.0, start_s=1_000.0, limit=3)]
    assert starts == [1_020, 1_080, 1_140]
    ends = [row[0] for row in path.candles(60, 6_000.0, end_s=1_100.0, limit=2)]
    assert ends == [1_020, 1_080]
    assert path.candles(60, 6_000.0, start_s=7_000.0) == []
    every = [row[0] for row in path.candles(60, 6_000.0, start_s=0.0, limit=1_000)]
    assert all(b - a == 60 for a, b in pairwise(every))


def test_prices_follow_the_candles_of_a_folder(tmp_path: Path) -> None:
    """With data, every price is one of the candles', and markets suit the last close."""
    plan = CandlePlan(pairs=("ETH/USDT",), timeframe_minutes=15, days=2)
    write_candles(tmp_path, plan)
    candles = generate("ETH/USDT", plan)
    (market,) = markets_in(tmp_path)
    assert market.start_price == candles["close"].iloc[-1]
    api = ExchangeApi([market], tmp_path, 1.0)
    assert api.paths["ETHUSDT"].at(0.0) == candles["open"].iloc[0]
    assert api.paths["ETHUSDT"].at(4.0 * len(candles) - 1) == candles["close"].iloc[-1]
