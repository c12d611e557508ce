"""How long the pages of the dashboard take, and how large they are, over a large memory.

    python -m benchmarks.bench_dashboard [--trades 1000000] [--memory FOLDER]

A real service in a process of its own. It is asked for each page as a browser asks, with ten
streams of news open beside it. Prints JSON: seconds until the trades are read (once after the start
of a service), their stakes, and the tests against chance, each after the one before; then for each
page the time of an answer and its compressed size; the size of a first
visit with all styles, scripts and the chart library; the memory of the service; and how long it
takes until a trade that is written is told to a page.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil  # type: ignore[import-untyped]

from benchmarks import bench_lifecycle
from benchmarks.measuring import ROOT, machine, print_result, quantiles, readable
from freqtrade_mem0.journal.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOCAL: Mapping[str, Any] = {"mode": "local"}
PAGES = ("/dashboard", "/trades", "/worth", "/situations", "/memory", "/risk", "/agent", "/system")
_STREAMS = 10
_ROUNDS = 5
_ASKS = {"Accept": "text/html", "Accept-Encoding": "zstd, gzip"}
_BUSY = "data-again"
_HOURS = 1.5
"""Between two trades: a million of them end before the year 2200, the latest that a record has."""


@contextmanager
def running(memory: Path, block: Mapping[str, Any] = LOCAL) -> Iterator[tuple[str, psutil.Process]]:
    """Run a service with a config of `"mem0"`; give its address and process."""
    block = {**block, "user_id": "me", "path": str(memory)}
    with tempfile.TemporaryDirectory() as name:
        config = Path(name) / "config.json"
        service = {"service": {"maintain_hours": None}}
        config.write_text(json.dumps({"mem0": block | service}), encoding="utf-8")
        command = [sys.executable, "-m", "freqtrade_mem0.cli.main", "serve", "-c", str(config)]
        with subprocess.Popen(
            [*command, "--port", "0", "--no-auth"],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None  # noqa: S101 - a pipe, see above
            found = re.search(r":(\d+) \(", process.stderr.readline())
            assert found is not None  # noqa: S101 - the sentence has the address
            try:
                yield f"http://127.0.0.1:{found[1]}", psutil.Process(process.pid)
            finally:
                process.terminate()
                process.wait()


def listen(url: str, told: list[float], *, is_stopped: threading.Event) -> None:
    """Note when news come, as a page does, until told to stop."""
    with httpx.Client(timeout=30.0) as client, client.stream("GET", f"{url}/stream") as answer:
        for line in answer.iter_lines():
            if line.startswith("data:"):
                told.append(time.monotonic())
            if is_stopped.is_set():
                return


def first_visit_kb(client: httpx.Client, page: str) -> float:
    """Return the compressed size of a page with all that it loads, in kB."""
    total, text = asked(client, page)
    names = set(re.findall(r'(?:src|href|data-echarts)="(/assets/[^"]+)"', text))
    for name in names:
        with client.stream("GET", name.replace("&amp;", "&"), headers=_ASKS) as answer:
            total += len(b"".join(answer.iter_raw()))
    return readable(total / 1_000)


def asked(client: httpx.Client, page: str) -> tuple[int, str]:
    """Return the compressed size of an answer in bytes, and its text."""
    with client.stream("GET", page, headers=_ASKS) as answer:
        if answer.status_code != 200:
            raise SystemExit(f"{page} answered {answer.status_code}.")
        raw = b"".join(answer.iter_raw())
    plain = httpx.Response(200, headers=answer.headers, content=raw).text
    return len(raw), plain


def until_whole(client: httpx.Client, page: str) -> float:
    """Return how long it takes until a page has everything, in seconds."""
    began_s = time.monotonic()
    while _BUSY in asked(client, page)[1]:
        time.sleep(0.2)
    return readable(time.monotonic() - began_s)


def megabytes(process: psutil.Process) -> float:
    """Return the memory of the service."""
    return readable(process.memory_info().rss / 1e6)


def measured(memory: Path) -> dict[str, Any]:
    """Return the figures of a service over a memory."""
    with running(memory) as (url, process), httpx.Client(base_url=url, timeout=120.0) as client:
        figures: dict[str, Any] = {"megabytes_at_start": megabytes(process)}
        began_s = time.monotonic()
        asked(client, "/situations")
        figures["first_answer_s"] = readable(time.monotonic() - began_s)
        figures["trades_read_after_s"] = until_whole(client, "/situations")
        figures["stakes_read_after_s"] = until_whole(client, "/trades")
        figures["judged_after_s"] = until_whole(client, "/worth")
        stopped = threading.Event()
        told: list[list[float]] = [[] for _ in range(_STREAMS)]
        listeners = [
            threading.Thread(
                target=listen, args=(url, each), kwargs={"is_stopped": stopped}, daemon=True
            )
            for each in told
        ]
        for each in listeners:
            each.start()
        figures["pages"] = {page: one_page(client, page) for page in PAGES}
        figures["megabytes_with_ten_pages"] = megabytes(process)
        figures["news_s"] = news_s(memory, told)
        stopped.set()
    return figures


def one_page(client: httpx.Client, page: str) -> dict[str, Any]:
    """Return the figures of a page that has everything."""
    times, size = [], 0
    for _ in range(_ROUNDS):
        began_s = time.monotonic()
        size, _ = asked(client, page)
        times.append(time.monotonic() - began_s)
    return {
        "s": quantiles(times),
        "kb": readable(size / 1_000),
        "first_visit_kb": first_visit_kb(client, page),
    }


def news_s(memory: Path, told: list[list[float]]) -> float:
    """Return how long after its commit the last page is told of a trade."""
    journal = Journal(memory)
    time.sleep(2.0)
    before = [len(each) for each in told]
    number = int(time.time())
    journal.append(list(bench_lifecycle.entries(number % 100_000, random.Random(number))))
    began_s = time.monotonic()
    while any(len(each) == n for each, n in zip(told, before, strict=True)):
        time.sleep(0.01)
        if time.monotonic() - began_s > 30.0:
            raise SystemExit("The news did not come.")
    journal.close()
    return readable(max(each[-1] for each in told) - began_s)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trades", type=int, default=1_000_000)
    parser.add_argument("--memory", type=Path, help="Folder of a memory that was filled before.")
    options = parser.parse_args()
    facts = machine()
    made = tempfile.TemporaryDirectory() if options.memory is None else nullcontext(options.memory)
    with made as folder:
        memory = Path(folder)
        if options.memory is None:
            bench_lifecycle._HOURS = _HOURS  # noqa: SLF001
            bench_lifecycle.filled(memory, options.trades).close()
            memory /= "mem0"
        figures = measured(memory)
    print_result(
        "dashboard",
        asked={"trades": options.trades},
        figures=figures,
        goals={
            **{f"pages.{page}.s.median": "< 1" for page in PAGES},
            **{f"pages.{page}.first_visit_kb": "< 400" for page in PAGES},
            "megabytes_with_ten_pages": "< 300",
            "news_s": "< 2",
        },
        machine_before=facts,
    )


if __name__ == "__main__":
    main()
