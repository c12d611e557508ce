"""A stand-in for Binance's public REST API on loopback: real Freqtrade runs without internet.

    python -m freqtrade_mem0.demo.exchange.server --port 8080 --datadir .demo/data

It has no accounts and takes no orders: Freqtrade's backtests and dry-runs need public data only.
Tests impose prices and outages through `Control`.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections import Counter
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit
from urllib.request import Request, urlopen

from freqtrade_mem0.demo.exchange.endpoints import NOT_FOUND, PublicApi
from freqtrade_mem0.demo.exchange.markets import demo_markets, market_of, markets_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from freqtrade_mem0.demo.exchange.markets import Market
    from freqtrade_mem0.demo.exchange.prices import PricePath

Outage = Literal["refuse", "hang"]
"""`refuse`: every answer is 503. `hang`: the same, but only when the outage is over."""

_HOST = "127.0.0.1"
_CONTROL = "/control/"
_UNAVAILABLE = 503
_CONTROL_TIMEOUT_S = 10.0


class ExchangeStandIn(AbstractContextManager["ExchangeStandIn"]):
    """The stand-in in a thread of this process, from entering the context to leaving it.

    Parameters
    ----------
    markets
        What is traded; `markets_in(datadir)` and `demo_markets()` make them.
    data_dir
        Candles the prices follow (Freqtrade's feather layout); None: seeded random walks.
    port
        TCP port on loopback; 0 takes a free one.
    seconds_per_point
        Wall seconds per point of the price path; four points are one candle of the data.
    clock
        Wall time in epoch seconds.

    Examples
    --------
    >>> with ExchangeStandIn(demo_markets(["BTC/USDT"])) as exchange:
    ...     exchange.control.price("BTC/USDT") > 0
    True
    """

    def __init__(
        self,
        markets: Sequence[Market],
        data_dir: Path | None = None,
        port: int = 0,
        *,
        seconds_per_point: float = 1.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        api = PublicApi(markets, data_dir, seconds_per_point)
        self._server = _Server((_HOST, port), _Service(api, clock))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    @property
    def port(self) -> int:
        """The TCP port it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its address, "http://127.0.0.1:PORT"."""
        return f"http://{_HOST}:{self.port}"

    @property
    def control(self) -> Control:
        """What tests impose on it."""
        return Control(self.url)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.service.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Control:
    """Impose prices and outages on a stand-in, in this or another process, through HTTP.

    Parameters
    ----------
    url
        The stand-in's address, "http://127.0.0.1:PORT".
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def price(self, pair: str) -> float:
        """Return the price of a pair now."""
        return float(self._post("price", pair=pair)["price"])

    def shock(self, pair: str, factor: float) -> None:
        """Multiply the price of a pair by `factor` from now on."""
        self._post("shock", pair=pair, factor=factor)

    def move_to(self, pair: str, price: float) -> None:
        """Move the price of a pair to `price`; from there it goes on along its path."""
        self._post("move_to", pair=pair, price=price)

    def pin(self, pair: str) -> None:
        """Hold the price of a pair where it is."""
        self._post("pin", pair=pair)

    def unpin(self, pair: str) -> None:
        """Let a held price go back to its path."""
        self._post("unpin", pair=pair)

    def outage(self, mode: Outage, seconds: float) -> None:
        """Be out of order for some seconds; 0 ends an outage."""
        self._post("outage", mode=mode, seconds=seconds)

    def stats(self) -> dict[str, int]:
        """Return how often each address was asked for, answered or not."""
        counts: dict[str, int] = self._post("stats")
        return counts

    def _post(self, action: str, **arguments: Any) -> Any:
        request = Request(  # noqa: S310 - always http on loopback
            f"{self._url}{_CONTROL}{action}", json.dumps(arguments).encode(), method="POST"
        )
        with urlopen(request, timeout=_CONTROL_TIMEOUT_S) as response:  # noqa: S310 - as above
            return json.load(response)


class _Service:
    """The state behind the HTTP server: the API, what was imposed, and counts."""

    def __init__(self, api: PublicApi, clock: Callable[[], float]) -> None:
        self.closing = threading.Event()
        self._api = api
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._outage: tuple[Outage, float] = ("refuse", 0.0)

    def get(self, target: str) -> tuple[int, Any]:
        """Answer a GET request, unless there is an outage."""
        address = urlsplit(target)
        with self._lock:
            self._counts[address.path] += 1
            mode, until_s = self._outage
        remaining_s = until_s - self._clock()
        if remaining_s > 0:
            if mode == "hang":
                # Not a sleep: closing the stand-in must not wait for the outage's end.
                self.closing.wait(remaining_s)
            # Without Binance's `code`: ccxt must see an exchange that is away, not a refusal.
            return _UNAVAILABLE, {"msg": "The exchange stand-in is out of order."}
        return self._api.answer(address.path, dict(parse_qsl(address.query)), self._clock())

    def control(self, target: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Do what a test asks for."""
        action = target.removeprefix(_CONTROL)
        if action == "stats":
            with self._lock:
                return 200, dict(self._counts)
        if action == "outage":
            with self._lock:
                self._outage = (body["mode"], self._clock() + float(body["seconds"]))
            return 200, {}
        path = self._api.paths.get(market_of(body.get("pair", "?/?")).symbol)
        if path is None:
            return NOT_FOUND, {"msg": f"The exchange stand-in does not trade {body.get('pair')!r}."}
        return self._impose(action, path, body)

    def _impose(self, action: str, path: PricePath, body: dict[str, Any]) -> tuple[int, Any]:
        now_s = self._clock()
        with self._lock:
            if action == "shock":
                path.shock(float(body["factor"]), now_s)
            elif action == "move_to":
                path.move_to(float(body["price"]), now_s)
            elif action == "pin":
                path.pin(now_s)
            elif action == "unpin":
                path.unpin(now_s)
            elif action != "price":
                return NOT_FOUND, {"msg": f"The exchange stand-in can not {action!r}."}
        return 200, {"price": path.at(now_s)}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], service: _Service) -> None:
        super().__init__(address, _Handler)
        self.service = service


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._send(*self.server.service.get(self.path))

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length) or b"{}")
        self._send(*self.server.service.control(self.path, body))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Stay silent: a bot asks several times per second."""

    def _send(self, status: int, answer: Any) -> None:
        payload = json.dumps(answer, separators=(",", ":")).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)
        except (BrokenPipeError, ConnectionResetError):
            # The client gave up waiting, which an outage is meant to provoke.
            self.close_connection = True


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; print the address when ready."""
    parser = argparse.ArgumentParser(prog="python -m freqtrade_mem0.demo.exchange.server")
    parser.add_argument("--port", type=int, default=0, help="TCP port on loopback (0: a free one)")
    parser.add_argument("--datadir", type=Path, help="feather candles the prices follow")
    parser.add_argument("--pairs", nargs="+", help="pairs to trade (default: those in --datadir)")
    parser.add_argument(
        "--seconds-per-point",
        type=float,
        default=1.0,
        help="wall seconds per point of the price path; four points are one candle (default: 1.0)",
    )
    chosen = parser.parse_args(arguments)
    if chosen.pairs is None:
        markets = demo_markets() if chosen.datadir is None else markets_in(chosen.datadir)
    else:
        markets = demo_markets(chosen.pairs)
    with ExchangeStandIn(
        markets, chosen.datadir, chosen.port, seconds_per_point=chosen.seconds_per_point
    ) as exchange:
        sys.stdout.write(f"exchange stand-in on {exchange.url} with {len(markets)} markets\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
