"""An export has each record as it is; an import believes it as far as a file can be believed."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.archive.export import Wanted, export
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import ArchiveError, RecordError
from freqtrade_mem0.importers.importer import ImportOptions, import_files
from freqtrade_mem0.journal.revoked import restore, revoked
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.kinds.removal import removal
from freqtrade_mem0.records.kinds.trade import TradeRecord
from tests.support.samples import NOTED, ORIGIN, a_note, a_promotion, a_trade
from tests.unit.archive.memories import NOW, lived_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0.importers.report import FileReport

FORMS = ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.parquet"]
KEY = "a-secret-of-the-owner"


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[MemoryFolder]:
    """A memory to export."""
    made = lived_in(tmp_path / "data", 30)
    yield made
    made.close()


def exported(memory: MemoryFolder, path: Path, **wanted: Any) -> dict[str, int]:
    """Export what is wanted of the owner's records into a file."""
    form = "parquet" if path.suffix == ".parquet" else "jsonl"
    scope = wanted.pop("scope", Scope(user_id="me"))
    return export(memory, path, Wanted(scope=scope, **wanted), NOW, form=form)


def empty(folder: Path, **settings: Any) -> MemoryFolder:
    """Return another memory of the same owner."""
    return MemoryFolder(Settings(mode="local", **({"user_id": "me"} | settings)), folder)


def imported(memory: MemoryFolder, path: Path, **options: Any) -> FileReport:
    """Import a file."""
    return import_files(memory, [path], ImportOptions(**options)).files[0]


def hashes(memory: MemoryFolder) -> dict[str, str]:
    """Return the content hash of each current record by its id."""
    rows = memory.journal.connection.rows("SELECT id, content_hash FROM records WHERE is_current")
    return dict(rows)


@pytest.mark.parametrize("name", FORMS)
def test_what_was_exported_comes_back_once(memory: MemoryFolder, tmp_path: Path, name: str) -> None:
    """The same ids with the same content; a second import adds nothing."""
    counts = exported(memory, tmp_path / name, ledger=True)
    other = empty(tmp_path / "other")
    report = imported(other, tmp_path / name)
    assert hashes(other) == hashes(memory)
    assert report.n_new == report.n_found == sum(counts.values()) - counts["decision"]
    again = imported(other, tmp_path / name)
    assert (again.n_new, again.n_known) == (0, report.n_found)
    assert counts["decision"] == 14
    assert [skip.why for skip in report.skipped] == [
        "of the ledger, which comes back with a backup alone"
    ]
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_an_import_of_the_own_export_changes_nothing(memory: MemoryFolder, tmp_path: Path) -> None:
    """Nothing becomes foreign."""
    exported(memory, tmp_path / "a.jsonl")
    report = imported(memory, tmp_path / "a.jsonl")
    assert (report.n_new, report.n_known, report.skipped) == (0, report.n_found, [])
    assert memory.journal.adopted(Scope(user_id="me")) == set()
    assert revoked(memory.journal) == ()


def test_only_what_is_asked_for(memory: MemoryFolder, tmp_path: Path) -> None:
    """By kind, by query, by strategy, by user."""
    path = tmp_path / "a.jsonl"
    assert exported(memory, path, kinds=("note", "backtest")) == {"note": 2, "backtest": 1}
    wins = sum(trade.profit_ratio > 0.02 for trade in memory.journal.of_kind(TradeRecord))
    assert exported(memory, path, where="profit:>2") == {"trade": wins}
    assert exported(memory, path, scope=Scope(user_id="me", strategy="None")) == {}
    assert exported(memory, path, scope=Scope(user_id="you")) == {}
    with pytest.raises(RecordError):
        exported(memory, path, where="profit:>")
    assert len(path.read_text().splitlines()) == 2


def test_a_failed_export_leaves_the_earlier_file(
    memory: MemoryFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no other one."""
    path = tmp_path / "b" / "a.jsonl"
    path.parent.mkdir()
    exported(memory, path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ArchiveError, match="No space left"):
        exported(memory, path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_bots_that_only_a_file_speaks_for_are_no_evidence(
    memory: MemoryFolder, tmp_path: Path
) -> None:
    """Until the owner lets them count; their later trades then need that again."""
    path = tmp_path / "a.jsonl"
    exported(memory, path)
    other = empty(tmp_path / "other")
    report = imported(other, path)
    assert [each.run_id for each in revoked(other.journal)] == ["bot-1"]
    assert "revoke --undo --run-id bot-1" in report.notes[0]
    memory.journal.append([a_trade(500)])
    exported(memory, path)
    assert imported(other, path).n_new == 1
    restore(other.journal, "me", "bot-1", "Sample")
    memory.journal.append([a_trade(501)])
    exported(memory, path)
    refused = imported(other, path)
    assert refused.n_new == 0
    assert "counts here already" in refused.skipped[0].why
    assert revoked(other.journal) == ()


def test_nothing_here_is_changed_by_a_file(memory: MemoryFolder, tmp_path: Path) -> None:
    """Neither an own trade nor a note, by a later version of it, a removal or a promotion."""
    other = empty(tmp_path / "other")
    trade, note = a_trade(3), a_note(4)
    other.journal.append([trade, note])
    later = NOTED.replace(year=2025)
    memory.journal.append(
        [
            replace(trade, profit_ratio=-0.9, recorded_at=later),
            replace(note, content="sell all", recorded_at=later),
            removal(note, "forged", later),
            a_promotion(),
        ]
    )
    before = hashes(other)
    exported(memory, tmp_path / "a.jsonl")
    report = imported(other, tmp_path / "a.jsonl")
    after = hashes(other)
    assert {each: after[each] for each in before} == before
    why = " ".join(skip.why for skip in report.skipped)
    assert "another version of it is known here" in why
    assert "it deletes a memory" in why
    trades = other.journal.connection.row(
        "SELECT count(*) FROM records WHERE kind = 'trade' AND mode = 'dry_run'"
    )
    assert trades == (1,)


def test_records_of_another_user_are_counted_and_left(memory: MemoryFolder, tmp_path: Path) -> None:
    """Who wants them imports with that user's config."""
    exported(memory, tmp_path / "a.jsonl")
    other = empty(tmp_path / "other", user_id="you")
    report = imported(other, tmp_path / "a.jsonl")
    assert report.n_new == 0
    assert report.skipped[0].what == f"{report.n_found} records"
    assert "of user 'me'; mem0.user_id is 'you'" in report.skipped[0].why
    assert hashes(other) == {}


def test_signed_records_count_without_asking(
    memory: MemoryFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They keep their signature; unsigned and changed ones are set aside."""
    monkeypatch.setenv("MEM0_TRUST_KEY", KEY)
    trust = {"key": "env:MEM0_TRUST_KEY"}
    exported(memory, tmp_path / "unsigned.jsonl")
    memory.settings = Settings(mode="local", user_id="me", trust=trust)
    path = tmp_path / "signed.jsonl"
    exported(memory, path)
    assert KEY not in path.read_text()
    other = empty(tmp_path / "other", trust=trust)
    assert imported(other, tmp_path / "unsigned.jsonl").n_new == 0
    lines = path.read_text().splitlines()
    forged = json.loads(lines[1])
    forged["signature"] = "0" * 64
    (tmp_path / "forged.jsonl").write_text(
        "\n".join([lines[0], json.dumps(forged), '{"n_items": 1}'])
    )
    bad = imported(other, tmp_path / "forged.jsonl")
    assert "signed with another key" in bad.skipped[0].why
    assert imported(other, path).n_new == len(hashes(memory))
    assert revoked(other.journal) == ()
    assert [each.source for each in other.journal.set_aside()][:1] == ["import"]


def test_a_backup_is_named_as_one(memory: MemoryFolder, tmp_path: Path) -> None:
    """It looks like a result file of Freqtrade's."""
    from freqtrade_mem0.archive.backup import make_backup

    made = make_backup(memory, tmp_path / "b.zip", NOW)
    assert "is a backup" in imported(memory, made.path).skipped[0].why


def test_packed_files_that_are_no_export_are_named(memory: MemoryFolder, tmp_path: Path) -> None:
    """Of candles, for example."""
    import gzip

    (tmp_path / "x.gz").write_bytes(gzip.compress(b"date,open\n"))
    (tmp_path / "y.parquet").write_bytes(b"PAR1" + bytes(200))
    for name in ("x.gz", "y.parquet"):
        assert "no file of Freqtrade's" in imported(memory, tmp_path / name).skipped[0].why


def test_only_one_strategy_is_imported(memory: MemoryFolder, tmp_path: Path) -> None:
    """As of Freqtrade's files."""
    other_strategy = replace(ORIGIN, strategy="Other")
    memory.journal.append([a_trade(1, origin=other_strategy, pair="X/USDT")])
    exported(memory, tmp_path / "a.jsonl")
    other = empty(tmp_path / "other")
    assert imported(other, tmp_path / "a.jsonl", strategy="Other").n_new == 1
