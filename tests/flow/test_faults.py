"""Real processes, real files, real sockets - and what can go wrong with them.

Whatever happens: what was acknowledged is there, once, and whoever waits for Mem0 stops waiting.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.delivery.pull import pull_news
from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.errors import ConfigError, JournalError
from freqtrade_mem0.journal import writer as writer_module
from freqtrade_mem0.journal.journal import FILE_NAME, Journal
from freqtrade_mem0.journal.outbox import Outbox
from freqtrade_mem0.journal.writer import JournalWriter
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.mapping import to_memory
from tests.flow.children import settings_for
from tests.flow.harness import free_port
from tests.flow.scenarios import REMEMBERING, memory_in, trade_records
from tests.servers.mem0_platform import PlatformServer
from tests.support.forked_python import ForkedPython
from tests.support.samples import a_trade
from tests.support.wait import HANG_S, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.flow.conftest import StartBot
    from tests.flow.harness import Backtests

pytestmark = pytest.mark.flow

ROOT = Path(__file__).parents[2]
KEY = "m0-loopback"


@pytest.fixture
def platform() -> Iterator[PlatformServer]:
    """A Mem0 platform on loopback."""
    with PlatformServer(key=KEY) as server:
        yield server


@contextmanager
def child(command: str, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a child of `children.py`; whatever happens, it ends with the block."""
    with ForkedPython(
        [sys.executable, "-m", "tests.flow.children", command, str(folder), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"M0_API_KEY": KEY},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def killed_after(process: subprocess.Popen[str], n_lines: int) -> list[str]:
    """Kill a child when it has printed so many lines; return all it printed."""
    assert process.stdout is not None
    lines = [process.stdout.readline().strip() for _ in range(n_lines)]
    process.send_signal(signal.SIGKILL)
    lines += process.stdout.read().split()
    assert process.wait(HANG_S) == -signal.SIGKILL
    return lines


def a_store(folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> MemoryFolder:
    """Open a memory as the children do."""
    monkeypatch.setenv("M0_API_KEY", KEY)
    return MemoryFolder(settings_for(url), folder)


@contextmanager
def a_small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a file system of this size; skip where this user may not."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],  # noqa: S607
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk can not be mounted by this user")
    try:
        yield folder
    finally:
        # Lazily: a test that failed has files open, and must not leave the disk behind.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607


# --- killed at any instant ---


@pytest.mark.parametrize("seed", range(2))
def test_killed_while_it_records(tmp_path: Path, seed: int) -> None:
    """Decisions, ties, trades, corrections, retractions: what was flushed is there, once."""
    with child("record", tmp_path) as process:
        flushed = killed_after(process, random.Random(seed).randrange(10, 80))
    journal = Journal(tmp_path / "mem0")
    found = Counter(record.id for _, record in journal.records())
    assert set(found.values()) == {1}
    retracted = {a_trade(n - 3).id for n in range(6, len(flushed) + 7, 7)}
    assert set(flushed) - set(found) <= retracted
    decided = [line.decision.trade_id for line in journal.ledger()]
    assert len(decided) == len(set(decided))
    assert set(flushed) <= set(decided)
    assert {record.id for _, record in Outbox(journal).pending(10_000)} == set(found)
    assert journal.check() == "ok"
    journal.close()


@pytest.mark.parametrize("seed", range(2))
def test_killed_while_it_delivers(
    tmp_path: Path, platform: PlatformServer, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Twice in a row; in the end each record is in Mem0 once, and none waits."""
    chance = random.Random(seed)
    store = a_store(tmp_path, platform.url, monkeypatch)
    store.journal.append([a_trade(number) for number in range(1, 51)])
    for _ in range(2):
        n_asked = chance.randrange(1, 15) + len(platform.asked)
        with child("deliver", tmp_path, platform.url) as process:
            assert eventually(lambda n=n_asked: len(platform.asked) >= n)  # type: ignore[misc]
            process.send_signal(signal.SIGKILL)
    assert store.outbox.state().pending > 0
    assert delivery_of(store).drain(HANG_S)
    in_mem0 = Counter(memory.id for memory in store.backend.scan(filters={"user_id": "me"}))
    assert in_mem0 == Counter(a_trade(number).id for number in range(1, 51))
    texts = Counter(
        str(item["metadata"].get("record")) for item in platform.items.values() if item["user_id"]
    )
    assert set(texts.values()) == {1}
    assert store.outbox.state().pending == 0
    store.close()


@pytest.mark.parametrize("seed", range(2))
def test_killed_while_it_syncs(
    tmp_path: Path, platform: PlatformServer, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """The next pull brings the rest; nothing is doubled, nothing is sent back."""
    chance = random.Random(seed)
    writer = a_store(tmp_path / "writer", platform.url, monkeypatch)
    trades = [a_trade(number) for number in range(1, 151)]
    writer.backend.write([to_memory(trade) for trade in trades])
    writer.close()
    with child("sync", tmp_path, platform.url) as process:
        killed_after(process, chance.randrange(2, 6))
    store = a_store(tmp_path, platform.url, monkeypatch)
    before = len(store.records())
    pull_news(store)
    assert 0 < before < 150
    assert {record.id for record in store.records()} == {trade.id for trade in trades}
    assert (len(store.records()), store.outbox.state().pending) == (150, 0)
    assert store.journal.check() == "ok"
    store.close()


# --- Mem0 away, or hanging ---


def test_a_backtest_whose_mem0_refuses_connections_is_the_same_backtest(
    backtests: Backtests,
) -> None:
    """Its trades are those of a run without memory's server; they wait, and the command says so."""
    dead = {"mode": "server", "host": "127.0.0.1", "port": free_port()}
    pauses = {"flush_timeout_s": 3, "retry_s": 0.1, "max_retry_s": 0.1}
    run = backtests.run(
        REMEMBERING, {"enabled": True, "delivery": pauses, **dead}, timerange="20240101-20240104"
    )
    with memory_in(backtests.folder / "user_data", dead) as store:
        records = trade_records(store)
        state = store.outbox.state()
    assert [r.profit_ratio for r in records] == [trade["profit_ratio"] for trade in run.trades]
    assert len(records) > 0
    assert state.pending >= len(records)
    assert state.failures > 0
    assert "Traceback" not in run.log


def test_a_mem0_that_hangs_holds_up_no_bot(
    start_bot: StartBot, platform: PlatformServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It trades, remembers and ends as always; what it noted waits for Mem0 to answer."""
    monkeypatch.setenv("M0_API_KEY", KEY)
    platform.fails("hang")
    mem0 = {"mode": "platform", "host": platform.url, "sync_interval": 1, "timeout_s": 300}
    bot = start_bot(REMEMBERING, {"enabled": True, **mem0})
    bot.force_one_exit()
    with memory_in(bot.userdir, mem0) as store:
        bot.wait_until(lambda: trade_records(store))
        bot.wait_until(lambda: len(platform.asked) > 0)  # it hangs by now
        assert bot.stop() == 130
        assert store.outbox.state().pending > 0
    assert "Traceback" not in bot.log()
    assert "Nothing in the journal is lost." in " ".join(bot.log().split())


def test_closing_while_mem0_hangs_ends_the_process(
    tmp_path: Path, platform: PlatformServer
) -> None:
    """A write that gets no answer is left behind; interpreter and threads go all the same."""
    platform.fails("hang", "POST /v3/memories/add/")
    with child("hang", tmp_path, platform.url) as process:
        assert eventually(lambda: platform.count("POST /v3/memories/add/") > 0)
        output, _ = process.communicate("\n", timeout=HANG_S)
    assert process.returncode == 0
    assert output.split() == ["begins", "closed"]
    journal = Journal(tmp_path / "mem0")
    assert [record.id for _, record in journal.records()] == [a_trade(1).id]
    assert Outbox(journal).state().pending == 1
    journal.close()


# --- the disk ---


def test_a_full_disk_delays_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says what it is; entries wait in memory and are written once there is space."""
    monkeypatch.setattr(writer_module, "RETRY_S", 0.05)
    with a_small_disk(tmp_path / "disk", "600k") as disk:
        journal = Journal(disk)
        journal.append([a_trade(0)])
        fill(disk / "ballast")
        said = r"disk is full\. Free some space and try again\.$"
        with pytest.raises(JournalError, match=said):
            journal.append([a_trade(number) for number in range(5_000)])
        writer = JournalWriter(journal, background=True)
        writer.submit(*(a_trade(number) for number in range(1, 40)))
        assert eventually(lambda: writer.in_trouble)
        assert [record.id for _, record in journal.records()] == [a_trade(0).id]
        (disk / "ballast").unlink()
        assert writer.flush(HANG_S)
        assert not writer.in_trouble
        assert writer.close(HANG_S)
        assert [record.id for _, record in journal.records()] == [
            a_trade(number).id for number in range(40)
        ]
        assert journal.check() == "ok"
        journal.close()


def test_a_disk_that_becomes_read_only_is_named(tmp_path: Path) -> None:
    """What is there can be read, what is new waits; a start on it is refused with a sentence."""
    with a_small_disk(tmp_path / "disk", "2m") as disk:
        journal = Journal(disk)
        journal.append([a_trade(1)])
        journal.close()
        remount(disk, "ro")
        with pytest.raises(JournalError, match="Read-only file system"):
            journal.append([a_trade(2)])
        remount(disk, "rw")
        assert journal.append([a_trade(2)]) == 1
        journal.close()


def test_a_file_that_may_not_be_changed_is_named(tmp_path: Path) -> None:
    """Also for root, whom permissions do not stop: the file has the attribute "immutable"."""
    journal = Journal(tmp_path)
    journal.append([a_trade(1)])
    journal.close()
    path = tmp_path / FILE_NAME
    if subprocess.run(["chattr", "+i", str(path)], check=False).returncode != 0:  # noqa: S607
        pytest.skip("this file system knows no immutable files, or this user may not make any")
    try:
        with pytest.raises(ConfigError, match=r"can not be opened for writing"):
            journal.append([a_trade(2)])
    finally:
        subprocess.run(["chattr", "-i", str(path)], check=True)  # noqa: S607
    assert journal.append([a_trade(2)]) == 1
    journal.close()


@pytest.mark.parametrize("seed", range(4))
def test_a_torn_log_keeps_what_was_written_before(tmp_path: Path, seed: int) -> None:
    """Cut anywhere, as after a loss of power: the first so many records are there, and it works."""
    source = tmp_path / "source"
    code = (
        "import os, sys; from pathlib import Path\n"
        "from freqtrade_mem0.journal.journal import Journal\n"
        "from tests.support.samples import a_trade\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "for n in range(40): journal.append([a_trade(n)])\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(source)], check=True, cwd=ROOT)
    chance = random.Random(seed)
    log = (source / f"{FILE_NAME}-wal").read_bytes()
    counts = []
    for cut in sorted(chance.sample(range(60_000, len(log)), 4)):
        folder = tmp_path / str(cut)
        folder.mkdir()
        shutil.copy(source / FILE_NAME, folder)
        (folder / f"{FILE_NAME}-wal").write_bytes(log[:cut])
        journal = Journal(folder)
        ids = [record.id for _, record in journal.records()]
        assert ids == [a_trade(number).id for number in range(len(ids))]
        assert journal.check() == "ok"
        assert journal.append([a_trade(1_000)]) == 1
        counts.append(len(ids))
        journal.close()
    assert counts == sorted(counts)
    assert counts[-1] > 0


def fill(file: Path) -> None:
    """Write until nothing more can be written."""
    with file.open("wb", buffering=0) as ballast:
        try:
            while ballast.write(bytes(4096)):
                pass
        except OSError:
            return


def remount(disk: Path, how: str) -> None:
    """Make a mounted disk read-only, or writable again."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)  # noqa: S607
