"""How long the HTTP service takes to answer: its health, and trades told at a steady rate.

    python -m benchmarks.bench_service [--rate 200] [--seconds 20] [--mode embedded]

A real service in a process of its own, and a client beside it on the same machine that shares its
cores. Trades are sent when they are due, whether or not earlier ones have been answered, and a time
counts from when it was due: a service that stalls does not hide it. Each trade is durable when it
is answered. Beside them `/health` is asked twenty times a second. Prints JSON: milliseconds; and
the processor time of the service for a trade with all it leads to, which a busy machine changes
less.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]

from benchmarks.measuring import ROOT, machine, print_result, quantiles, readable
from freqtrade_mem0.client.scoped import Bound
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.service.file import ServiceFile
from freqtrade_mem0.service.keys import Keys, Role

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

_CONNECTIONS = 16
_HEALTH_RATE = 20
_WARM_UP_S = 2.0


@contextmanager
def running(folder: Path, mode: str) -> Iterator[tuple[int, str, psutil.Process]]:
    """Run a service; give its port, a writer's key, and the process."""
    memory = folder / "mem0"
    block = {"mode": mode, "path": str(memory), "service": {"maintain_hours": None}}
    config = folder / "config.json"
    config.write_text(json.dumps({"mem0": block}), encoding="utf-8")
    file = ServiceFile(memory)
    key = Keys(file).add(Role.WRITER, bound=Bound(user_id="freqtrade"))[1]
    file.close()
    command = [sys.executable, "-m", "freqtrade_mem0.cli.main", "serve", "-c", str(config)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [*command, "--port", "0"], env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None  # noqa: S101 - a pipe, see above
        found = re.search(r":(\d+) \(", process.stderr.readline())
        assert found is not None  # noqa: S101 - it says where it listens
        yield int(found[1]), key, psutil.Process(process.pid)
        process.terminate()


class Connection:
    """One connection that is kept open, for one request at a time."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._head = f"Host: 127.0.0.1\r\nX-API-Key: {key}\r\n"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: object = None) -> dict[str, str]:
        """Send a request; return the answer's JSON."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        content = b"" if body is None else json.dumps(body).encode()
        kind = "Content-Type: application/json\r\n" if content else ""
        head = (
            f"{method} {path} HTTP/1.1\r\n{self._head}{kind}Content-Length: {len(content)}\r\n\r\n"
        )
        writer.write(head.encode() + content)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"content-length: (\d+)", answer, re.IGNORECASE)
        text = await reader.readexactly(int(length[1]) if length else 0)
        if " 200 " not in answer.partition("\r\n")[0]:
            raise RuntimeError(answer + text.decode())
        found: dict[str, str] = json.loads(text)
        return found


async def steadily(
    rate: float, seconds: float, ask: Callable[[int], Awaitable[None]]
) -> list[float]:
    """Ask at a rate; return how long after it was due each answer was there, in milliseconds."""
    began = time.perf_counter()
    times: list[float] = []

    async def one(number: int) -> None:
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await ask(number)
        if number / rate > _WARM_UP_S:
            times.append((time.perf_counter() - due) * 1_000)

    await asyncio.gather(*(one(number) for number in range(round(rate * seconds))))
    return times


async def load(
    port: int, key: str, rate: float, seconds: float
) -> tuple[list[float], list[float], list[str]]:
    """Return the times of trades, those of health, and the ids that were answered."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(_CONNECTIONS):
        free.put_nowait(Connection(port, key))
    answered: list[str] = []

    async def tell(number: int) -> None:
        connection = await free.get()
        trade = {
            "trade_id": f"T{number}",
            "pair": f"C{number % 40}/USDT",
            "side": "long",
            "open_rate": 100.0,
            "close_rate": 100.0 + number % 7 - 3,
            "stake_amount": 50.0,
            "strategy": "Bench",
            "duration_minutes": 30,
        }
        found = await connection.ask("POST", "/api/memory/record-trade", trade)
        answered.append(found["id"])
        free.put_nowait(connection)

    own, turn = Connection(port, key), asyncio.Lock()

    async def health(_: int) -> None:
        async with turn:
            await own.ask("GET", "/health")

    trades, healths = await asyncio.gather(
        steadily(rate, seconds, tell), steadily(_HEALTH_RATE, seconds, health)
    )
    return trades, healths, answered


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--mode", default="embedded", choices=["embedded", "local"])
    asked = parser.parse_args()
    facts = machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running(folder, asked.mode) as (port, key, process):
            before_s = sum(process.cpu_times()[:2])
            trades, healths, answered = asyncio.run(load(port, key, asked.rate, asked.seconds))
            cpu_s = sum(process.cpu_times()[:2]) - before_s
        journal = Journal(folder / "mem0")
        lost = sum(not journal.is_current(each) for each in answered)
        journal.close()
    print_result(
        "service",
        asked=vars(asked),
        figures={
            "record_trade_ms": quantiles(trades),
            "health_ms": quantiles(healths),
            "cpu_ms_per_trade": readable(cpu_s * 1_000 / len(answered)),
            "answered": len(answered),
            "lost": lost,
        },
        goals={"record_trade_ms": "p99 < 20", "health_ms": "p99 < 5", "lost": "0"},
        machine_before=facts,
    )


if __name__ == "__main__":
    main()
