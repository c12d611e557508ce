"""A real dry-run bot for the flow tests."""

from __future__ import annotations

import base64
import json
import re
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from freqtrade_mem0.demo.freqtrade_config import freqtrade_config, write_config
from freqtrade_mem0.demo.freqtrade_run import child_environment, stop, tail
from tests.flow.harness import class_name, free_port, wait_until, write_strategy
from tests.support.forked_python import ForkedPython
from tests.support.wait import HANG_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

T = TypeVar("T")

_USER, _PASSWORD = "flow", "loopback-only"
_PAUSED, _RUNS = "to: STOPPED", "to: RUNNING"
_SWALLOWED = re.compile(
    r"^Exception ignored in[^\n]*\n(?:Traceback[^\n]*\n)?(?:[ \t][^\n]*\n)*KeyboardInterrupt\b",
    flags=re.MULTILINE,
)


class DryRunBot(AbstractContextManager["DryRunBot"]):
    """A real `freqtrade trade --dry-run` process with its REST API on loopback.

    Entering the context starts it and waits until it answers; leaving it ends it. In between it can
    be stopped, killed and started again on the same database.

    Parameters
    ----------
    url
        The stand-in's address.
    folder
        Its user folder, config, database and log.
    pairs
        What it trades.
    strategy_source
        The strategy file.
    mem0
        The `"mem0"` block; None leaves it out.
    config
        Top-level config keys that replace the usual ones.
    """

    def __init__(
        self,
        url: str,
        folder: Path,
        pairs: Sequence[str],
        strategy_source: str,
        mem0: Mapping[str, Any] | None = None,
        **config: Any,
    ) -> None:
        self.folder = folder
        self.userdir = folder / "user_data"
        self._log = folder / "freqtrade.log"
        self._strategy = class_name(strategy_source)
        self._strategies = write_strategy(
            self.userdir / "strategies", self._strategy, strategy_source
        )
        self._port = free_port()
        block = {} if mem0 is None else {"mem0": dict(mem0)}
        self.config = write_config(
            folder / "config.json",
            freqtrade_config(url, pairs, "1m") | self._defaults() | block | config,
        )
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            stop(self._process)

    @property
    def pid(self) -> int:
        """Process id of the running bot."""
        return self._running().pid

    def start(self) -> Self:
        """Start the process and wait until its loop runs.

        Its REST server says that it runs before the bot is whole.
        """
        command = [sys.executable, "-m", "freqtrade", "trade", "--config", str(self.config)]
        command += ["--userdir", str(self.userdir), "--strategy", self._strategy]
        command += ["--strategy-path", str(self._strategies)]
        with self._log.open("ab") as log:
            n_runs = self.log().count(_RUNS)
            self._process = ForkedPython(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=child_environment(),
            )
        self.wait_until(lambda: self.log().count(_RUNS) > n_runs and self._answers())
        return self

    def stop(self, timeout_s: float = HANG_S) -> int:
        """Interrupt it as Ctrl-C does; return its exit code, 130 after an orderly end.

        Its loop is paused before: an interrupt in the middle of Freqtrade's own work with its
        database leaves that in a state of which Freqtrade complains.
        """
        n_paused = self.log().count(_PAUSED)
        self.post("stop")
        self.wait_until(lambda: self.log().count(_PAUSED) > n_paused)
        return self._end(signal.SIGINT, timeout_s)

    def kill(self) -> int:
        """End it at once, without any clean-up of its own (SIGKILL)."""
        return self._end(signal.SIGKILL, HANG_S)

    def get(self, endpoint: str) -> Any:
        """Return the answer of a GET to the REST API, for example "status"."""
        return self._rest("GET", endpoint)

    def post(self, endpoint: str, **body: Any) -> Any:
        """Return the answer of a POST to the REST API."""
        return self._rest("POST", endpoint, body)

    def force_enter(self, pair: str, **body: Any) -> Any:
        """Open a trade by hand; `body` as in Freqtrade's REST API (`side`, `entry_tag`, ...)."""
        return self.post("forceenter", pair=pair, **body)

    def force_exit(self, trade_id: int | str = "all") -> Any:
        """Close a trade, or all of them, by hand.

        At the market: Freqtrade gives up a limit order whose price the market has left, and does
        not ask again.
        """
        return self.post("forceexit", tradeid=str(trade_id), ordertype="market")

    def force_one_exit(self) -> dict[str, Any]:
        """Close an open trade by hand, as soon as there is one; return it as it was.

        Freqtrade refuses where it has closed that trade meanwhile; then another one is taken.
        """

        def forced() -> dict[str, Any] | None:
            for trade in self.open_trades():
                try:
                    self.force_exit(trade["trade_id"])
                except HTTPError as error:
                    if error.code != HTTPStatus.BAD_GATEWAY:
                        raise
                else:
                    return trade
            return None

        trade = self.wait_until(forced)
        assert trade is not None
        return trade

    def open_trades(self) -> list[dict[str, Any]]:
        """Return the open trades whose entry is filled, as the REST API shows them."""
        return [trade for trade in self.get("status") if trade["amount"] and trade["open_rate"]]

    def closed_trades(self) -> list[dict[str, Any]]:
        """Return the closed trades, as the REST API shows them."""
        trades: list[dict[str, Any]] = self.get("trades?limit=500")["trades"]
        return [trade for trade in trades if not trade["is_open"]]

    def come_to_rest(self) -> None:
        """Let it enter no more and wait until it holds nothing.

        An interrupt in the middle of a close leaves Freqtrade's own database half-written, which
        is for the next start to reconcile.
        """
        self.post("stopentry")
        self.wait_until(lambda: not self.get("status"))

    def log(self) -> str:
        """Return all it logged, over restarts."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_until(self, condition: Callable[[], T], timeout_s: float = HANG_S) -> T:
        """`wait_until`, failing at once when the bot has ended, with the end of its log."""

        def asked() -> T:
            code = self._running().poll()
            if code is not None:
                raise AssertionError(f"The bot ended with code {code}:\n{tail(self.log())}")
            return condition()

        return wait_until(asked, timeout_s, why=lambda: tail(self.log()))

    def _defaults(self) -> dict[str, Any]:
        return {
            "bot_name": "flow",
            "initial_state": "running",
            "stake_amount": 100,
            "force_entry_enable": True,
            "db_url": f"sqlite:///{self.folder / 'trades.sqlite'}",
            "internals": {"process_throttle_secs": 1, "heartbeat_interval": 60},
            # An order whose price the market has left would hold up whoever waits for its trade.
            "unfilledtimeout": {"entry": 5, "exit": 5, "unit": "seconds"},
            "api_server": {
                "enabled": True,
                "listen_ip_address": "127.0.0.1",
                "listen_port": self._port,
                "verbosity": "error",
                "jwt_secret_key": "not-a-secret-only-loopback-in-a-test",
                "username": _USER,
                "password": _PASSWORD,
            },
        }

    def _answers(self) -> bool:
        try:
            state: str = self.get("show_config")["state"]
        except URLError:
            return False
        return state == "running"

    def _rest(self, method: str, endpoint: str, body: Mapping[str, Any] | None = None) -> Any:
        token = base64.b64encode(f"{_USER}:{_PASSWORD}".encode()).decode()
        request = Request(
            f"http://127.0.0.1:{self._port}/api/v1/{endpoint}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Basic {token}", "Content-Type": "application/json"},
            method=method,
        )
        with urlopen(request, timeout=HANG_S) as response:
            return json.load(response)

    def _end(self, signal_number: signal.Signals, timeout_s: float) -> int:
        process = self._running()
        n_swallowed = self._n_swallowed()
        process.send_signal(signal_number)

        def has_ended() -> bool:
            nonlocal n_swallowed
            if self._n_swallowed() > n_swallowed:
                n_swallowed += 1
                process.send_signal(signal_number)  # as a person would press Ctrl-C again
            return process.poll() is not None

        wait_until(has_ended, timeout_s, why=lambda: tail(self.log(), 400))
        return process.wait()

    def _n_swallowed(self) -> int:
        """Return how many interrupts came while an object was collected: Python drops those."""
        return len(_SWALLOWED.findall(self.log()))

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "The bot was never started."
        return self._process
