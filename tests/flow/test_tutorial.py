"""The tutorial, typed from top to bottom in one new folder; only the exchange is a stand-in."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.demo.candles import CandlePlan, write_candles
from freqtrade_mem0.demo.exchange.markets import markets_in
from freqtrade_mem0.demo.exchange.server import ExchangeStandIn
from freqtrade_mem0.demo.freqtrade_config import exchange_block
from freqtrade_mem0.demo.freqtrade_run import child_environment
from tests.flow.harness import free_port
from tests.support.containers import services, words
from tests.support.doc_commands import Typed, blocks, typed
from tests.support.forked_python import ForkedPython
from tests.support.wait import HANG_S, eventually, repeated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.flow

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
MODULES = {"freqtrade": "freqtrade", "freqtrade-mem0": "freqtrade_mem0.cli.main"}
BY_HAND = {
    "python3.11 -m venv .venv",
    ". .venv/bin/activate",
    'pip install ".[service]"',
    "mkdir trading",
    "cd trading",
}
"""How people come to a folder where the programs are; tests/unit/test_wheel.py does it."""

ENDLESS = {"trade": "Changing state to: RUNNING", "serve": "is served at"}
"""Commands that people end by Ctrl-C, and what shows that they have started."""

ELSEWHERE = {"demo"}
"""Has a test of its own."""

IN_PROCESSES = {"compare", "serve", "wrap"}
"""Commands of ours that run in a process of their own; the others are called, which is faster."""


def lines() -> Iterator[str]:
    """Yield the lines that are typed, without the strategy and the printed example."""
    for block in blocks(PAGE.read_text(encoding="utf-8")):
        kept = [line.strip() for line in block.splitlines() if line.strip()]
        if not kept[0].startswith(("{", "from ", "class ", "long ")):
            yield from kept


def steps() -> Iterator[Typed]:
    """Yield the commands, in order."""
    for line in lines():
        step = typed(line)
        assert step is not None or line in BY_HAND, line
        if step is not None:
            yield step


def config_of_the_page() -> dict[str, Any]:
    """Return the config that the page says to write."""
    found = re.search(
        r"^```json\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found is not None
    config: dict[str, Any] = json.loads(found[1])
    return config


def run(step: Typed, folder: Path, variables: Mapping[str, str] | None = None) -> str:
    """Type a command and return what it printed; end it where it does not end by itself."""
    log = folder.parent / "printed.txt"
    own = {"COLUMNS": "200", "MEM0_PORT": str(free_port()), "PYTHONDONTWRITEBYTECODE": "1"}
    # A container's start is a real one; the folder is the one this process is in.
    is_forked = step.program == "freqtrade" and variables is None
    start = ForkedPython if is_forked else subprocess.Popen
    with log.open("wb") as printed:
        process = start(
            [sys.executable, "-m", MODULES[step.program], *step.arguments],
            env=child_environment() | own | dict(variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
    try:
        started = ENDLESS.get(step.arguments[0])
        if started is not None:
            eventually(lambda: started in log.read_text() or process.poll() is not None)
            if step.arguments[0] == "serve":
                health = f"http://127.0.0.1:{own['MEM0_PORT']}/health"
                repeated(lambda: httpx.get(health), httpx.TransportError)
            process.send_signal(signal.SIGINT)
        code = process.wait(HANG_S)
    finally:
        process.kill()
        process.wait()
    text = log.read_text()
    # Freqtrade ends with 130 where Ctrl-C comes before its first loop.
    assert code == 0 or (code == 130 and step.arguments[0] == "trade"), (step.line, text[-4_000:])
    assert started is None or started in text, text
    return text


def test_the_tutorial_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command succeeds, in order; a backtest is remembered, and `why` explains a stake."""
    folder = tmp_path / "trading"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")
    config = config_of_the_page()
    pairs = tuple(config["exchange"]["pair_whitelist"])
    candles = folder / "user_data" / "data" / config["exchange"]["name"]
    plan = CandlePlan(pairs=pairs, timeframe_minutes=5, days=8)
    write_candles(tmp_path / "candles", plan)
    said = {}
    with ExchangeStandIn(markets_in(tmp_path / "candles"), tmp_path / "candles") as exchange:
        config["exchange"] = exchange_block(exchange.url, pairs)
        for step in steps():
            name = step.arguments[0]
            if name == "download-data":  # the stand-in has no past
                write_candles(candles, plan)
            elif step.program == "freqtrade" or name in IN_PROCESSES:
                said[name] = run(step, folder)
            elif name not in ELSEWHERE:
                assert main(step.arguments) == 0, (step.line, capsys.readouterr())
                said[name] = capsys.readouterr().out
            if name == "create-userdir":
                text = json.dumps(config)
                (folder / "user_data" / "config.json").write_text(text, encoding="utf-8")
        _the_bot_as_its_container_starts_it(folder)
    assert "remembered in Mem0" in said["backtesting"]
    assert "a stake of 100 USDT" in said["why"]
    assert "loss" in said["search"]
    assert "Memory is in order." in said["doctor"]
    assert (folder / "compare.html").is_file()
    assert (folder / "report.html").is_file()
    assert "What memory did" in said["report"]
    assert (folder / "user_data" / "mem0" / "journal.sqlite").is_file()


def _the_bot_as_its_container_starts_it(folder: Path) -> None:
    """Its PostgreSQL is away, and the bot runs; it writes to `user_data` alone."""
    bot = services("docker-compose.yml", {"MEM0_DB_PASSWORD": "s3cret"})["bot"]
    home, before = folder.parent / "home", sorted(folder.iterdir())
    home.mkdir()
    away = {"DATABASE_URL": "postgresql://mem0:s3cret@127.0.0.1:9/mem0", "HOME": str(home)}
    user_data = str(folder / "user_data")
    program, *arguments = words(bot["command"].replace("/freqtrade/user_data", user_data))
    run(Typed(bot["command"], program, tuple(arguments)), folder, bot["environment"] | away)
    assert list(home.iterdir()) == []
    assert sorted(folder.iterdir()) == before
