"""Backtests of `freqtrade webserver`: its process lives on, and they are remembered at once."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from freqtrade_mem0.demo.freqtrade_run import child_environment, load_backtest, stop
from freqtrade_mem0.views.stats import stats
from tests.flow.harness import free_port, wait_until
from tests.flow.scenarios import CORE, ENABLED, memories_in_mem0, memory_in, trade_records
from tests.support.wait import HANG_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freqtrade_mem0.demo.freqtrade_run import BacktestJob
    from tests.flow.harness import Backtests

pytestmark = pytest.mark.flow

TAGGED = f'''{CORE}

class Tagged(Mem0Mixin, Core):
    """Freqtrade switches its stop on the exchange off, after it has computed the run id."""

    order_types = {{"entry": "limit", "exit": "limit", "stoploss": "limit",
                   "stoploss_on_exchange": True}}
'''


class Webserver:
    """A running `freqtrade webserver`."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1/"

    def ask(self, method: str, endpoint: str, body: dict[str, Any] | None = None) -> Any:
        """Return the answer of its REST API; None while it does not answer."""
        token = base64.b64encode(b"flow:flow").decode()
        request = Request(
            self._url + endpoint,
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Basic {token}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urlopen(request, timeout=HANG_S) as response:
                return json.load(response)
        except URLError:
            return None

    def backtest(self, timerange: str) -> None:
        """Run a backtest to its end."""
        settings = {"strategy": "Tagged", "timerange": timerange, "enable_protections": False}
        assert self.ask("POST", "backtest", settings) is not None
        done = wait_until(self._ended)
        assert done["status"] == "ended", done

    def _ended(self) -> Any:
        answer = self.ask("GET", "backtest")
        return answer if answer and not answer["running"] and answer["step"] != "" else None


@contextmanager
def webserver(job: BacktestJob) -> Iterator[Webserver]:
    """Start a web server with a job's folders; it is killed in the end."""
    port = free_port()
    config = json.loads(job.config.read_text(encoding="utf-8")) | {
        "export": "trades",
        "datadir": str(job.datadir),
        "strategy_path": str(job.strategy_path),
        "api_server": {
            "enabled": True,
            "listen_ip_address": "127.0.0.1",
            "listen_port": port,
            "verbosity": "error",
            "jwt_secret_key": "not-a-secret-only-loopback-in-a-test",
            "username": "flow",
            "password": "flow",
        },
    }
    job.config.write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "freqtrade", "webserver", "--config", str(job.config)]
    with (job.userdir / "webserver.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--userdir", str(job.userdir), "--datadir", str(job.datadir)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=child_environment(),
        )
    server = Webserver(port)
    try:
        wait_until(lambda: server.ask("GET", "ping"))
        yield server
        process.send_signal(signal.SIGKILL)
    finally:
        stop(process)


def test_backtests_of_the_webserver_are_remembered_at_once(backtests: Backtests) -> None:
    """Two runs in one process: records equal Freqtrade's results while the server still runs."""
    job = backtests.job(TAGGED, ENABLED)
    with webserver(job) as server:
        run_ids = []
        for timerange in ("20240102-20240105", "20240106-20240109"):
            server.backtest(timerange)
            _, trades, run_id = load_backtest(job.userdir, job.strategy)
            run_ids.append(run_id)
            expected = sorted((trade["pair"], trade["profit_abs"]) for trade in trades)
            wait_until(lambda expected=expected: _remembered(job) == expected)  # type: ignore[misc]
    with memory_in(job.userdir) as store:
        kinds = stats(store)["journal"]["by_kind"]
        assert kinds["backtest"] == 2
        assert {record.origin.run_id for record in trade_records(store)} == set(run_ids)
        assert memories_in_mem0(store, kind="trade") == kinds["trade"]


def _remembered(job: BacktestJob) -> list[tuple[str, float]]:
    """Return the trades of the newest run that is complete, in the journal and in Mem0."""
    with memory_in(job.userdir) as store:
        trades = trade_records(store)
        newest = [t for t in trades if t.origin == trades[-1].origin]
        if store.outbox.state().pending:
            return []
    return sorted((trade.pair, trade.profit_abs) for trade in newest)
