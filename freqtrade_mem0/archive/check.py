"""Checks a backup: restores it into a temporary folder, opens it with our code, and asks it."""

from __future__ import annotations

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from freqtrade_mem0.archive.answers import answers_of, settings_for
from freqtrade_mem0.archive.container import ENVELOPE, JOURNAL, STORE, open_backup
from freqtrade_mem0.archive.manifest import Manifest
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import ArchiveError, Mem0Error
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.sqlite_files.connecting import connect
from freqtrade_mem0.sqlite_files.opening import make_folder
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freqtrade_mem0.archive.container import Progress

_N_READ = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup that was made, or checked.

    Parameters
    ----------
    path
        The file.
    bytes
        Its size.
    manifest
        What it says about itself.
    n_compared
        Decisions of the restored copy that were the same as before.
    not_compared
        Why decisions could not be compared, or were not the same; "" where they were.
    """

    path: Path
    bytes: int
    manifest: Manifest
    n_compared: int
    not_compared: str = ""


def verify_backup(path: Path, progress: Progress = lambda _: None) -> Backup:
    """Restore a backup into a temporary folder and ask it; raise `ArchiveError` if it is not whole.

    The temporary folder is beside the file, or where that can not be written to, the system's.
    """
    beside = path.parent if os.access(path.parent, os.W_OK | os.X_OK) else None
    try:
        with TemporaryDirectory(dir=beside, prefix=".freqtrade-mem0-check-") as work:
            return checked(path, Path(work), progress)
    except (OSError, sqlite3.Error) as error:
        raise ArchiveError(f"{path} could not be checked: {error}.") from error


def checked(path: Path, work: Path, progress: Progress) -> Backup:
    """Unpack a backup into a new folder `restored`, open it with our own code, and compare.

    Raises
    ------
    ArchiveError
        It is damaged. Other decisions are no damage: another version, or the last digits of
        another processor, may be the reason.
    """
    manifest, unpack = open_backup(path)
    folder = work / "restored"
    make_folder(folder)

    if ENVELOPE in manifest.files:  # beside the folder, so that what is in it can be read
        unpack(ENVELOPE, work / ENVELOPE, progress)

    def restore(names: Iterable[str]) -> None:
        for name in names:
            unpack(name, folder / name, progress)
            with _in_use(path):
                _check_file(folder / name)

    with ThreadPoolExecutor(1) as beside:  # the others, while the journal is asked
        others = beside.submit(restore, set(manifest.files) - {JOURNAL, ENVELOPE})
        restore([JOURNAL])
        with _in_use(path):
            n_compared, not_compared = _ask(manifest, folder)
        others.result()
    with _in_use(path):
        _check_memories(manifest, folder)
    return Backup(
        path=path,
        bytes=path.stat().st_size,
        manifest=manifest,
        n_compared=n_compared,
        not_compared=not_compared,
    )


@contextmanager
def _in_use(path: Path) -> Iterator[None]:
    """Say of errors in unpacked files what they mean."""
    try:
        yield
    except (Mem0Error, sqlite3.Error) as error:
        raise ArchiveError(
            f"{path.name} can be unpacked, but not used: {str(error).rstrip('.')}. If it was just "
            "made, the memory itself is damaged: run 'freqtrade-mem0 salvage'."
        ) from error


def counts_of(store: MemoryFolder) -> dict[str, int]:
    """Return how many records of each kind there are, and how many decisions."""
    counts: dict[str, int] = {}
    for (kind, _, _), n in store.journal.counts().items():
        counts[kind] = counts.get(kind, 0) + n
    (n_decisions,) = store.journal.connection.row("SELECT count(*) FROM decisions")
    return {"records": sum(counts.values()), "decisions": n_decisions, **counts}


def n_memories(path: Path) -> int:
    """Return how many memories a file of the embedded store has; 0 where there is none."""
    if not path.exists():
        return 0
    with closing(connect(path)) as sqlite:
        n: int = sqlite.execute("SELECT count(*) FROM memories").fetchone()[0]
    return n


def _check_file(path: Path) -> None:
    with closing(connect(path)) as sqlite:
        words = sqlite.execute("PRAGMA integrity_check(1)").fetchall()
        if path.name == STORE:  # the index of words has a check of its own
            sqlite.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    if words != [("ok",)]:
        raise ArchiveError(f"{path.name} is damaged: {words[0][0]}")


def _ask(manifest: Manifest, folder: Path) -> tuple[int, str]:
    """Open a restored memory and compare what it says; return how many decisions were the same."""
    answers = manifest.answers
    store = MemoryFolder(Settings(mode="local", path=folder), folder)
    try:
        counts = {**counts_of(store), "memories": manifest.counts.get("memories", 0)}
        if counts != manifest.counts:
            raise ArchiveError(f"it has {counts}, not {manifest.counts}")
    finally:
        store.close()
    try:
        settings = settings_for(answers.settings, manifest.user_id, folder)
    except ValueError:
        return 0, "this version does not have the settings that it decided with"
    store = MemoryFolder(settings, folder)
    try:
        if answers_of(store) == (answers.n, answers.sha256):
            return answers.n, ""
    finally:
        store.close()
    return 0, (
        f"they are not the same as in version {answers.version} on the machine that made it. The "
        "files are, byte for byte"
    )


def _check_memories(manifest: Manifest, folder: Path) -> None:
    """Count the restored memories, and read some of them with our own code."""
    n = n_memories(folder / STORE)
    if n != manifest.counts.get("memories", 0):
        found = counted(n, "memory", "memories")
        raise ArchiveError(f"{STORE} has {found}, not {manifest.counts.get('memories', 0)}")
    if not manifest.has_own_store:
        return
    store = MemoryFolder(Settings(path=folder, user_id=manifest.user_id), folder)
    try:
        scanned = store.backend.scan(filters={"user_id": manifest.user_id})
        for memory in islice(scanned, _N_READ):
            again = store.backend.get(memory.id)
            if again is None or again.text != memory.text:
                raise ArchiveError(f"memory {memory.id} is not found")
    finally:
        store.close()
