"""The exchange stand-in as an HTTP server on loopback.

    python -m freqtrade_mem0.demo.exchange.server --port 8080 --datadir .demo/data

Backtests and dry-runs need its public data; a live bot has an account under its API key, with a
deposit of play money.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from freqtrade_mem0.demo.exchange.api import ExchangeApi
from freqtrade_mem0.demo.exchange.control import CONTROL_PREFIX, Control, ControlledApi
from freqtrade_mem0.demo.exchange.markets import demo_markets, markets_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from freqtrade_mem0.demo.exchange.markets import Market

_HOST = "127.0.0.1"


class ExchangeStandIn(AbstractContextManager["ExchangeStandIn"]):
    """The stand-in in a thread of this process, from entering the context to leaving it.

    Parameters
    ----------
    markets
        What is traded; `markets_in(datadir)` and `demo_markets()` make them.
    data_dir
        Candles that the prices follow (Freqtrade's feather layout); None for seeded random walks.
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
        api = ExchangeApi(markets, data_dir, seconds_per_point)
        self._server = _Server((_HOST, port), ControlledApi(api, clock))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    @property
    def port(self) -> int:
        """The TCP port."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The address, "http://127.0.0.1:PORT"."""
        return f"http://{_HOST}:{self.port}"

    @property
    def control(self) -> Control:
        """Imposes prices and outages on it."""
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
        self._server.api.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], api: ControlledApi) -> None:
        super().__init__(address, _Handler)
        self.api = api


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        if self.path.startswith(CONTROL_PREFIX):
            self._send(*self.server.api.control(self.path, json.loads(self._body() or "{}")))
        else:
            self._answer()

    def _answer(self) -> None:
        key = self.headers.get("X-MBX-APIKEY", "")
        self._send(*self.server.api.answer(self.path, self.command, self._body(), key))

    def _body(self) -> str:
        return self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Log nothing: a bot asks several times per second."""

    def _send(self, status: int, answer: Any) -> None:
        payload = json.dumps(answer, separators=(",", ":")).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)
        except (BrokenPipeError, ConnectionResetError):
            # The client stopped waiting, which is the purpose of an outage.
            self.close_connection = True


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; print the address when ready."""
    parser = argparse.ArgumentParser(prog="python -m freqtrade_mem0.demo.exchange.server")
    parser.add_argument("--port", type=int, default=0, help="TCP port on loopback (0: a free one)")
    parser.add_argument("--datadir", type=Path, help="feather candles that the prices follow")
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
