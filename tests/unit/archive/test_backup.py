"""A backup is whole, private and compared before it gets its name, or there is none."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from freqtrade_mem0.archive import container
from freqtrade_mem0.archive.backup import make_backup
from freqtrade_mem0.archive.check import verify_backup
from freqtrade_mem0.archive.restore import restore_backup
from freqtrade_mem0.errors import ArchiveError, Mem0Error
from tests.support.samples import a_note
from tests.support.wait import HANG_S
from tests.unit.archive.memories import LIMITED, NOW, content_of, lived_in, python

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freqtrade_mem0.memory_folder import MemoryFolder

WRITER = """
import sys, itertools
from pathlib import Path
from freqtrade_mem0.journal.journal import Journal
from tests.support.samples import a_decision, a_trade, opened
journal, start = Journal(Path(sys.argv[1])), int(sys.argv[2])
print("ready", flush=True)
for number in itertools.count(start):
    decision, trade = a_decision(number), a_trade(number, profit_ratio=number % 7 / 100)
    journal.append([decision, trade, opened(decision, trade)])
"""

MAKER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from freqtrade_mem0.archive.backup import make_backup
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.memory_folder import MemoryFolder
folder, target = map(Path, sys.argv[1:3])
memory = MemoryFolder(Settings(mode="local", user_id="me", path=folder), folder)
print("ready", flush=True)
print(make_backup(memory, target, datetime(2026, 11, 28, tzinfo=UTC)).path)
"""


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[MemoryFolder]:
    """A memory without Mem0 behind it."""
    made = lived_in(tmp_path / "data")
    yield made
    made.close()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a backup of a small memory."""
    folder = tmp_path_factory.mktemp("good")
    made = lived_in(folder / "data", 12)
    path = make_backup(made, folder / "b.zip", NOW).path
    made.close()
    return path.read_bytes()


def test_a_restored_backup_says_and_decides_the_same(tmp_path: Path) -> None:
    """Records, ledger, decisions and the memories in Mem0."""
    memory = lived_in(tmp_path / "data", mode="embedded")
    n_memories = memory.backend.count(filters={"user_id": "me"})
    made = make_backup(memory, tmp_path / "b.zip", NOW)
    before = content_of(memory.folder)
    memory.close()
    restored = restore_backup(made.path, tmp_path / "other", NOW)
    assert content_of(tmp_path / "other") == before
    assert made.n_compared == restored.backup.n_compared == 34
    assert restored.kept is None
    again = lived_in(tmp_path / "again", 2, mode="embedded")
    again.close()
    restore_backup(made.path, again.folder, NOW, replaces=True)
    assert again.backend.count(filters={"user_id": "me"}) == n_memories
    again.close()


def test_it_is_one_private_file_that_any_tool_opens(memory: MemoryFolder, tmp_path: Path) -> None:
    """Named after the time, mode 0600, nothing beside it, a manifest with counts."""
    folder = tmp_path / "backups"
    folder.mkdir()
    made = make_backup(memory, folder, NOW)
    assert [path.name for path in folder.iterdir()] == ["freqtrade-mem0-20261128T050301Z.zip"]
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    with ZipFile(made.path) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read(container.MANIFEST))
    assert manifest["counts"] == {
        "records": 81,
        "decisions": 29,
        "memories": 0,
        "backtest": 1,
        "note": 2,
        "retraction": 1,
        "trade": 77,
    }


def test_no_secret_is_in_it(
    memory: MemoryFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the key of signatures nor that of the platform."""
    monkeypatch.setenv("MEM0_TRUST_KEY", "canary-of-the-trust-key")
    monkeypatch.setenv("M0_API_KEY", "canary-of-the-platform")
    trust = memory.settings.trust.model_copy(update={"key": "env:MEM0_TRUST_KEY"})
    memory.settings = memory.settings.model_copy(update={"trust": trust, "mode": "platform"})
    made = make_backup(memory, tmp_path / "b.zip", NOW)
    with ZipFile(made.path) as archive:
        assert not any(b"canary" in archive.read(name) for name in archive.namelist())
    assert "deliver --again" in made.manifest.not_in_it[1]


def test_an_existing_file_is_never_replaced(memory: MemoryFolder, tmp_path: Path) -> None:
    """Whatever it is; two backups of one second in a folder get two names."""
    taken = tmp_path / "b.zip"
    taken.write_text("mine")
    with pytest.raises(ArchiveError, match="exists already"):
        make_backup(memory, taken, NOW)
    assert taken.read_text() == "mine"
    paths = [make_backup(memory, tmp_path, NOW).path.name for _ in range(2)]
    assert paths == [
        "freqtrade-mem0-20261128T050301Z.zip",
        "freqtrade-mem0-20261128T050301Z-2.zip",
    ]


def test_backups_beside_four_writers_all_restore(tmp_path: Path) -> None:
    """Each is one moment of the memory: no decision without what was written with it."""
    memory = lived_in(tmp_path / "data")
    writers = [python(WRITER, memory.folder, start) for start in range(1_000, 5_000, 1_000)]
    assert [each.stdout and each.stdout.readline() for each in writers] == ["ready\n"] * 4
    (tmp_path / "b").mkdir()
    made = [make_backup(memory, tmp_path / "b", NOW) for _ in range(4)]
    for writer in writers:
        writer.kill()
        writer.communicate(timeout=HANG_S)
    memory.close()
    for number, each in enumerate(made):
        restored = restore_backup(each.path, tmp_path / f"r{number}", NOW)
        assert restored.backup.n_compared == each.n_compared > 0
        with closing(sqlite3.connect(tmp_path / f"r{number}" / "journal.sqlite")) as sqlite:
            (n_loose,) = sqlite.execute(
                "SELECT count(*) FROM decisions WHERE trade_id IS NOT NULL"
                " AND trade_id NOT IN (SELECT id FROM records)"
            ).fetchone()
        assert n_loose == 0
    counts = [each.manifest.counts["records"] for each in made]
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


def test_two_backups_at_once(memory: MemoryFolder, tmp_path: Path) -> None:
    """Both are whole, each has a name of its own."""
    folder = tmp_path / "b"
    folder.mkdir()
    makers = [python(MAKER, memory.folder, folder) for _ in range(2)]
    paths = {each.communicate(timeout=HANG_S)[0].split()[-1] for each in makers}
    assert len(paths) == 2
    assert all(verify_backup(Path(path)).n_compared for path in paths)
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("seed", range(4))
def test_a_kill_leaves_no_half_backup(memory: MemoryFolder, tmp_path: Path, seed: int) -> None:
    """What has the name of a backup is one; the next backup removes the rest."""
    folder = tmp_path / "b"
    folder.mkdir()
    maker = python(MAKER, memory.folder, folder)
    assert maker.stdout is not None
    maker.stdout.readline()
    time.sleep(random.Random(seed).uniform(0.0, 0.4))
    maker.send_signal(signal.SIGKILL)
    maker.communicate(timeout=HANG_S)
    for path in folder.glob("*.zip"):
        verify_backup(path)
    for rest in folder.glob(".freqtrade-mem0-*"):
        os.utime(rest, (1, 1))
    make_backup(memory, folder, NOW)
    assert all(path.suffix == ".zip" for path in folder.iterdir())


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999, 1.0])
def test_a_disk_that_takes_no_more_leaves_nothing(
    memory: MemoryFolder, tmp_path: Path, share: float
) -> None:
    """Files may only be so large: a plain sentence, no file, and the memory goes on."""
    memory.journal.append(
        [a_note(n, content=random.Random(n).randbytes(9_000).hex()) for n in range(100, 200)]
    )
    with memory.journal.connection.read() as sqlite:
        sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    folder = tmp_path / "b"
    folder.mkdir()
    limit = int(share * memory.journal.path.stat().st_size)
    maker = python(f"{LIMITED}{MAKER}", memory.folder, folder, limit)
    out, errors = maker.communicate(timeout=HANG_S)
    if share == 1.0:
        assert verify_backup(Path(out.split()[-1])).n_compared > 0
        return
    assert "ArchiveError: No backup was made" in errors
    assert "the memory is unchanged" in errors
    assert list(folder.iterdir()) == []
    memory.journal.append([a_note(500)])


@pytest.mark.parametrize("nth", range(3))
def test_a_full_disk_at_each_sync_leaves_nothing(
    memory: MemoryFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    """Some file systems say only then that there is no space."""
    folder, real, calls = tmp_path / "b", os.fsync, iter(range(100))
    folder.mkdir()

    def full(descriptor: int) -> None:
        if next(calls) == nth:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ArchiveError, match="No space left on device"):
        make_backup(memory, folder, NOW)
    assert [path.name for path in folder.iterdir() if path.suffix != ".zip"] == []


def test_a_damaged_memory_is_not_backed_up(memory: MemoryFolder, tmp_path: Path) -> None:
    """It would be found out when it is needed."""
    with memory.journal.connection.read() as sqlite:
        sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    memory.close()
    with memory.journal.path.open("r+b") as file:
        file.seek(-6_000, os.SEEK_END)
        file.write(b"\xff" * 5_000)
    with pytest.raises(Mem0Error, match="salvage"):
        make_backup(memory, tmp_path / "b.zip", NOW)
    assert not (tmp_path / "b.zip").exists()


def test_every_changed_byte_is_noticed(good: bytes, tmp_path: Path) -> None:
    """A bit anywhere: in the data, in the zip's own structures, in the hash at the end."""
    path, chance = tmp_path / "b.zip", random.Random(1)
    places = [*range(64), *range(len(good) - 160, len(good))]
    for place in places + chance.sample(range(len(good)), 60):
        changed = bytearray(good)
        changed[place] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        with pytest.raises(ArchiveError):
            verify_backup(path)
    assert [each.name for each in tmp_path.iterdir()] == ["b.zip"]


def test_what_is_no_whole_backup_is_refused_in_a_sentence(good: bytes, tmp_path: Path) -> None:
    """Cut, continued, empty, another file, a folder, none."""
    path = tmp_path / "b.zip"
    for content, words in [
        (good[: len(good) // 2], "is damaged"),
        (good[:-1], "is damaged"),
        (good + b"x", "is damaged"),
        (good[:200], "is damaged"),
        (b"", "is no backup"),
        (b"SQLite format 3\x00" * 50, "is no backup"),
    ]:
        path.write_bytes(content)
        with pytest.raises(ArchiveError, match=words):
            verify_backup(path)
    with pytest.raises(ArchiveError, match="can not be read"):
        verify_backup(tmp_path)
    with pytest.raises(ArchiveError, match="can not be read"):
        verify_backup(tmp_path / "none.zip")


def forged(good: bytes, path: Path, changes: dict[str, Any], **extra: bytes) -> Path:
    """Write a backup with another manifest and further files, with a hash at its end that fits."""
    source = path.with_suffix(".good")
    source.write_bytes(good)
    with ZipFile(source) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files[container.MANIFEST]) | changes
    files |= {container.MANIFEST: json.dumps(manifest).encode(), **extra}
    with path.open("w+b") as file:
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            archive.comment = container._COMMENT + b"0" * 64
            for name, content in files.items():
                archive.writestr(name, content)
        digest = container._digest_before_the_end(file)
        file.seek(-64, os.SEEK_END)
        file.write(digest)
    return path


def test_a_forged_backup_is_refused(good: bytes, tmp_path: Path) -> None:
    """Of a later format, with files outside of the folder, with other hashes, sizes or answers."""
    path = tmp_path / "b.zip"
    whole = json.loads(ZipFile(_written(tmp_path / "good.zip", good)).read(container.MANIFEST))
    packed = whole["files"]["journal.sqlite"]
    outside = {"bytes": 1, "sha256": "0" * 64}
    cases: list[tuple[dict[str, Any], dict[str, bytes], str]] = [
        ({"format": 2}, {}, "reads up to 1"),
        ({}, {"../evil.sqlite": b"x"}, "holds files"),
        ({"files": {**whole["files"], "../evil": outside}}, {"../evil": b"x"}, "is no backup"),
        ({"files": {"journal.sqlite": packed | {"bytes": 10}}}, {}, "not what the manifest says"),
        ({"files": {"journal.sqlite": packed | {"sha256": "0" * 64}}}, {}, "not what the manifest"),
        ({"counts": whole["counts"] | {"records": 3}}, {}, "it has"),
        ({"files": 3}, {}, "no manifest"),
    ]
    for changes, extra, words in cases:
        forged(good, path, changes, **extra)
        with pytest.raises(ArchiveError, match=words):
            verify_backup(path)
        with pytest.raises(ArchiveError, match=words):
            restore_backup(path, tmp_path / "to", NOW)
        assert not (tmp_path / "to").exists()
    assert not (tmp_path.parent / "evil.sqlite").exists()


def test_other_decisions_are_said_and_do_not_stop_a_restore(good: bytes, tmp_path: Path) -> None:
    """Another version or processor may decide differently; the bytes are what was backed up."""
    whole = json.loads(ZipFile(_written(tmp_path / "good.zip", good)).read(container.MANIFEST))
    for change, words in [
        ({"sha256": "0" * 64}, "byte for byte"),
        ({"settings": {"sizing": 3}}, "does not have the settings"),
        ({"version": "0.0.1"}, ""),
    ]:
        path = forged(good, tmp_path / "b.zip", {"answers": whole["answers"] | change})
        assert words in verify_backup(path).not_compared
        done = restore_backup(path, tmp_path / "to", NOW, replaces=True)
        assert words in done.backup.not_compared


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_journal_of_a_later_version_is_refused(tmp_path: Path) -> None:
    """Also where the form of the backup is known."""
    memory = lived_in(tmp_path / "data", 12)
    made = make_backup(memory, tmp_path / "b.zip", NOW)
    memory.close()
    with ZipFile(made.path) as archive:
        archive.extract("journal.sqlite", tmp_path)
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as sqlite:
        sqlite.execute("PRAGMA user_version = 999")
    later = (tmp_path / "journal.sqlite").read_bytes()
    packed = container.hash_of(tmp_path / "journal.sqlite")
    files = {"journal.sqlite": {"bytes": packed.bytes, "sha256": packed.sha256}}
    path = forged(
        made.path.read_bytes(), tmp_path / "f.zip", {"files": files}, **{"journal.sqlite": later}
    )
    with pytest.raises(ArchiveError, match="journal format 999"):
        restore_backup(path, tmp_path / "to", NOW)


def test_a_memory_that_can_only_be_read_is_backed_up(memory: MemoryFolder, tmp_path: Path) -> None:
    """Another user's, or on a read-only disk."""
    memory.close()
    memory.folder.chmod(0o500)
    try:
        made = make_backup(memory, tmp_path / "b.zip", NOW)
    finally:
        memory.folder.chmod(0o700)
    assert made.n_compared > 0
