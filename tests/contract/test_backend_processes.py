"""Several processes on one store, and processes that are killed while they write."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

from freqtrade_mem0.backends.sqlite.store import SqliteStore
from tests.support.forked_python import ForkedPython, run_forked
from tests.support.wait import HANG_S

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """
import sys
from freqtrade_mem0.backends.sqlite.store import SqliteStore

path, worker, n_memories = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = SqliteStore(path)
for n in range(n_memories):
    memory = {"user_id": "me", "worker": worker, "n": n, "data": f"number {n} of {worker}"}
    store.insert([[1.0, n / 1e6]], [memory], [f"{worker}-{n}"])
    print(f"{worker}-{n}", flush=True)
    if n % 10 == 0:
        assert store.count({"worker": worker}) == {(): n + 1}
        store.search("", [1.0, 0.0], 5, {"user_id": "me"})
store.close()
"""


def start_writer(path: Path, worker: str, n_memories: int) -> subprocess.Popen[str]:
    """Start a process that inserts memories one by one and prints each id once it is stored."""
    return ForkedPython(
        [sys.executable, "-c", WRITER, str(path), worker, str(n_memories)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_processes_share_a_file(tmp_path: Path) -> None:
    """Four processes create, write and read one file at once: no error, nothing lost."""
    path = tmp_path / "memories.sqlite"
    writers = [start_writer(path, f"w{n}", 100) for n in range(4)]

    ends = [writer.communicate(timeout=HANG_S) for writer in writers]

    assert [(writer.returncode, err) for writer, (_, err) in zip(writers, ends, strict=True)] == [
        (0, "")
    ] * 4
    store = SqliteStore(path)
    assert store.count({}, ["worker"]) == {(f"w{n}",): 100 for n in range(4)}
    assert len(store.keyword_search("w2", top_k=None)) == 100
    store.close()


VISITOR = """
import sys
from freqtrade_mem0.backends.sqlite.store import SqliteStore

store = SqliteStore(sys.argv[1])
print(store.list_ids())
store.close()
"""


def visit(path: Path) -> str:
    """Let another process open the file, read the ids and close it."""
    command = [sys.executable, "-c", VISITOR, str(path)]
    said: str = run_forked(command, text=True, check=True).stdout
    return said.strip()


def test_opening_a_file_again_leaves_its_locks_alone(tmp_path: Path) -> None:
    """A second store on the file in this process opens at once and drops none of its locks.

    Closing any descriptor of a file drops all locks that the process holds on it; a visitor would
    then take itself for the last user and delete the log in which this process goes on writing.
    """
    path = tmp_path / "memories.sqlite"
    first = SqliteStore(path)
    first.insert([[1.0, 0.0]], [{}], ["a"])

    with first._file.writing():  # a write that has not ended yet
        second = SqliteStore(path)
        assert second.list_ids() == ["a"]
    assert visit(path) == "['a']"
    first.insert([[1.0, 0.0]], [{}], ["b"])

    assert visit(path) == "['a', 'b']"
    second.close()
    first.close()


def test_what_was_acknowledged_survives_sigkill(tmp_path: Path) -> None:
    """Killed at a random instant, round after round, the file keeps all it acknowledged, once."""
    path = tmp_path / "memories.sqlite"
    instants = random.Random(7)
    acknowledged: list[str] = []
    for turn in range(6):
        writer = start_writer(path, f"t{turn}", 100_000)
        assert writer.stdout is not None
        acknowledged += [writer.stdout.readline() for _ in range(instants.randint(1, 60))]
        writer.send_signal(signal.SIGKILL)
        acknowledged += writer.stdout.readlines()
        writer.communicate(timeout=HANG_S)

    whole = {line.strip() for line in acknowledged if line.endswith("\n")}
    store = SqliteStore(path)
    stored = store.list_ids()
    assert whole - set(stored) == set()
    assert len(stored) == len(set(stored)) <= len(whole) + 6
    assert len(store.keyword_search("number", top_k=None)) == len(stored)
    store.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
