"""A memory whose old bodies were archived comes back from backups and exports as it is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from freqtrade_mem0.archive.backup import make_backup
from freqtrade_mem0.archive.export import Wanted, export
from freqtrade_mem0.archive.restore import restore_backup
from freqtrade_mem0.importers.importer import import_files
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.lifecycle.cycle import run_cycle
from tests.support.samples import NOTED
from tests.unit.archive.memories import NOW, content_of, lived_in
from tests.unit.importers.result_files import a_store

if TYPE_CHECKING:
    from pathlib import Path


def test_archived_bodies_come_along(tmp_path: Path) -> None:
    """Decisions are those of the memory before it was aged; each record has its content."""
    memory = lived_in(tmp_path / "data", mode="embedded")
    decides = content_of(memory.folder)[2]
    report = run_cycle(memory, NOTED + timedelta(days=800), pause=lambda _: None)
    assert report.counts["journal"]["records_archived"] > 50
    aged = content_of(memory.folder)
    made = make_backup(memory, tmp_path / "b.zip", NOW)
    restore_backup(made.path, tmp_path / "restored", NOW)
    assert content_of(tmp_path / "restored") == aged
    assert aged[2] == decides
    path = tmp_path / "a.jsonl"
    n_exported = sum(export(memory, path, Wanted(scope=Scope(user_id="me")), NOW).values())
    other = a_store(tmp_path / "other", user_id="me")
    done = import_files(other, [path]).files[0]
    assert (done.n_new, done.skipped) == (n_exported, [])
    assert sorted(dict(other.journal.records()).values(), key=str) == sorted(
        dict(memory.journal.records()).values(), key=str
    )
    memory.close()
    other.close()
