"""Kill processes that record and deliver at random instants, and count what is lost or doubled.

Run `python benchmarks/bench_kills.py --runs 200`; it prints JSON. One memory per backend lives
through all of its kills. A process records trades through a bot's writer and delivers them in its
background thread; it tells each record's id once the record is committed - from then on it is
acknowledged - and is ended by SIGKILL after up to `--longest-s` seconds. In the end one more
process delivers what waits, and everything is counted: in the journal, by its own file, and in
Mem0, by the backend and, for the servers, by what they hold themselves.

Backends: `local` (the journal alone), `embedded`, and on loopback `server` (Mem0's REST server
over the real `mem0.Memory`) and `platform` (a stand-in that answers as the platform's API does).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from freqtrade_mem0.delivery.push import delivery_of

if TYPE_CHECKING:
    from freqtrade_mem0.memory_folder import MemoryFolder

ROOT = Path(__file__).parents[1]
BACKENDS = ("local", "embedded", "server", "platform")
NUMBERS_PER_RUN = 100_000
RECORD_EVERY_S = 0.01
FINAL_DELIVERY_S = 1_800.0
KEY = "m0-loopback"


def main() -> None:
    """Run all that was asked for and print what was counted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=200, help="Kills per backend.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest-s", type=float, default=1.0, help="Longest life of a process.")
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=list(BACKENDS))
    parser.add_argument("--forge", nargs=3, metavar="X", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if arguments.forge:
        forge(*arguments.forge)
        return
    results = {
        backend: measure(backend, arguments.runs, arguments.seed, arguments.longest_s)
        for backend in arguments.backends
    }
    print(json.dumps(results, indent=2))


def measure(backend: str, n_runs: int, seed: int, longest_s: float) -> dict[str, Any]:
    """Kill so many processes on one memory, deliver the rest, and count."""
    chance = random.Random(seed)
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as name, a_server(backend, Path(name)) as server:
        folder = Path(name) / "user_data"
        url = "" if server is None else server.url
        acknowledged: list[str] = []
        command = [sys.executable, __file__, "--forge", backend, str(folder), url]
        environ = os.environ | {"M0_API_KEY": KEY, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ
        ) as process:
            orders, reports = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)
            for run in range(n_runs):
                orders.write(f"{run} {chance.uniform(0.0, longest_s)}\n")
                orders.flush()
                acknowledged += json.loads(reports.readline())
            orders.close()
        os.environ["M0_API_KEY"] = KEY
        counted = count_all(open_store(backend, folder, url), set(acknowledged), server)
    return {
        "kills": n_runs,
        "acknowledged": len(acknowledged),
        **counted,
        "seconds": round(time.monotonic() - began_s, 1),
    }


def count_all(store: MemoryFolder, acknowledged: set[str], server: Any) -> dict[str, Any]:
    """Deliver what waits and count what is missing or there twice."""
    in_journal = Counter(record.id for _, record in store.journal.records())
    counted: dict[str, Any] = {
        "journal_is": store.journal.check(),
        "lost_in_journal": len(acknowledged - set(in_journal)),
        "doubled_in_journal": sum(n - 1 for n in in_journal.values()),
    }
    if store.delivers:
        counted["waited_after_the_last_kill"] = store.outbox.state().pending
        delivery_of(store).drain(FINAL_DELIVERY_S)
        in_mem0 = Counter(memory.id for memory in store.backend.scan(filters={"user_id": "me"}))
        n_held = sum(in_mem0.values()) if server is None else n_in(server)
        counted |= {
            "still_waiting": store.outbox.state().pending,
            "refused": store.outbox.state().dead,
            "lost_in_mem0": len(acknowledged - set(in_mem0)),
            "doubled_in_mem0": n_held - len(in_mem0),
        }
    store.close()
    return counted


def forge(backend: str, folder: str, url: str) -> None:
    """Load everything once, then fork a process per line of input and kill it when its time is up.

    Importing Mem0 takes seconds; forks have it loaded, so that their short lives are spent at work.
    """
    open_store(backend, Path(folder), url)  # imports; opens nothing
    preload(backend)
    for line in sys.stdin:
        run, life_s = line.split()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            record_and_deliver(backend, Path(folder), url, int(run) * NUMBERS_PER_RUN, writing)
        os.close(writing)
        time.sleep(float(life_s))
        os.kill(child, signal.SIGKILL)
        with os.fdopen(reading) as pipe:
            told = pipe.read()
        os.waitpid(child, 0)
        whole = told.rsplit("\n", 1)[0].split()  # the last line may be cut off
        print(json.dumps(whole), flush=True)


def record_and_deliver(backend: str, folder: Path, url: str, first: int, told: int) -> None:
    """Record trades one after another and deliver them, until somebody ends this process."""
    from freqtrade_mem0.journal.writer import JournalWriter
    from tests.support.samples import a_decision, a_trade, opened

    store = open_store(backend, folder, url)
    writer = JournalWriter(store.journal, background=True)
    delivery = delivery_of(store)
    if store.delivers:
        delivery.start()
    for number in count(first):
        decision, trade = a_decision(number), a_trade(number)
        writer.submit(decision, opened(decision, trade), trade)
        if writer.flush(FINAL_DELIVERY_S):
            os.write(told, f"{trade.id}\n".encode())
        delivery.wake()
        time.sleep(RECORD_EVERY_S)


def open_store(backend: str, folder: Path, url: str) -> MemoryFolder:
    """Return the memory as settings would open it."""
    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.memory_folder import MemoryFolder

    block: dict[str, Any] = {"user_id": "me", "mode": backend}
    block["delivery"] = {"batch_size": 10, "retry_s": 0.1, "max_retry_s": 1}
    if url:
        block |= {"host": url, "timeout_s": 60}
    return MemoryFolder(Settings.model_validate(block), folder)


def preload(backend: str) -> None:
    """Import what a process of this backend needs."""
    import tests.support.samples  # noqa: F401

    if backend == "embedded":
        import freqtrade_mem0.backends.in_process.backend
    elif backend == "server":
        import freqtrade_mem0.backends.remote.rest_store
    elif backend == "platform":
        import freqtrade_mem0.backends.modes.platform  # noqa: F401


def a_server(backend: str, folder: Path) -> AbstractContextManager[Any]:
    """Return the server a backend needs, on loopback."""
    if backend == "server":
        from tests.servers.mem0_rest_server import RestServer

        return cast("AbstractContextManager[Any]", RestServer(folder / "server", key=KEY))
    if backend == "platform":
        from tests.servers.mem0_platform import PlatformServer

        return cast("AbstractContextManager[Any]", PlatformServer(key=KEY))
    return nullcontext(None)


def n_in(server: Any) -> int:
    """Return how many memories of the user a server itself holds."""
    if hasattr(server, "texts"):
        n_most = 10_000_000
        found = server.memory.get_all(filters={"user_id": "me"}, top_k=n_most)["results"]
        return len(found)
    return sum(1 for item in server.items.values() if item["user_id"])


if __name__ == "__main__":
    main()
