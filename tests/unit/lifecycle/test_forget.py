"""Forgetting: no byte is left, whenever it is interrupted, and others keep everything."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.errors import ConfigError, RecordError
from freqtrade_mem0.journal.append import SeenIn
from freqtrade_mem0.journal.chain_check import check_chain
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.lifecycle.forget.places import (
    FILES,
    JOURNAL_TABLES,
    STORE_TABLES,
)
from freqtrade_mem0.lifecycle.forget.scope import ForgetScope
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.run.bot.namesakes import Namesakes
from freqtrade_mem0.views.forgetting import allow_return, forget, planned, unfinished
from tests.support.full_memory import (
    CANARY,
    OTHER,
    WHOSE,
    compressed_with,
    files_with,
    fill,
    fill_folder,
    in_ram,
    in_small_steps,
    open_memory,
    rows_of,
    tables_in,
)
from tests.support.samples import a_note, a_trade

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0.memory_folder import MemoryFolder

NOW = datetime(2026, 11, 28, 6, tzinfo=UTC)
WHOLE = ForgetScope(user_id=WHOSE.user_id)
N_KILLS = 50


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the memory of two users in it."""
    folder = tmp_path_factory.mktemp("full")
    fill_folder(folder)
    return folder


@pytest.fixture
def folder(full: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(full, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def memory(folder: Path) -> Iterator[MemoryFolder]:
    """That memory, opened."""
    opened = open_memory(folder)
    yield opened
    opened.close()


def test_not_a_byte_is_left(memory: MemoryFolder, folder: Path) -> None:
    """In rows, free pages, search index, logs, history, snapshots, names of files."""
    assert len(files_with(folder, CANARY)) == 9
    assert compressed_with(memory, CANARY) > 100
    others = rows_of(memory, OTHER.user_id)
    before = memory.journal.connection.row("SELECT root FROM chain_roots")[0].hex()

    receipt = forget(memory, WHOLE, now=NOW)

    assert files_with(folder, CANARY) == []
    assert compressed_with(memory, CANARY) == 0
    assert receipt["complete"]
    assert set(receipt["probes"].values()) == {0}
    assert len(receipt["probes"]) > 4
    assert receipt["root_before"] == before != receipt["root_after"]
    assert receipt["deleted"]["decisions"] + receipt["deleted"]["old_decisions"] == 91
    assert receipt["deleted"]["blocks"] > 10
    assert receipt["deleted"]["dictionaries"] == 2
    assert receipt["deleted"]["memories in Mem0"] > 15
    assert receipt["deleted"]["history.db"] > 2
    assert rows_of(memory, OTHER.user_id) == others
    assert any("trade database" in each for each in receipt["left"])
    found = check_chain(memory.journal.connection)
    assert found.breaks == []
    assert found.gone["forgotten"] == receipt["deleted"]["evidence"] + 91


class Killed(BaseException):
    """Stands for SIGKILL: nothing after it runs, and what was committed stays.

    `tests/flow/test_forget_killed.py` ends real processes.
    """


def test_killed_at_any_point_and_run_again_nothing_is_left() -> None:
    """The same command does the rest. Meanwhile `doctor` says that it was interrupted."""
    with pytest.MonkeyPatch.context() as patched, in_ram() as ram:
        in_small_steps(patched)
        template, folder = ram / "template", ram / "copy"
        fill_folder(template, n=24)
        shutil.copytree(template, folder)
        memory = open_memory(folder)
        others = rows_of(memory, OTHER.user_id)
        assert memory.journal.connection.rows("SELECT 1 FROM dictionaries WHERE about <> ''")
        passed: list[None] = []
        forget(memory, WHOLE, now=NOW, point=lambda: passed.append(None))
        memory.close()
        assert len(passed) >= N_KILLS
        for kill in range(N_KILLS):
            shutil.rmtree(folder)
            shutil.copytree(template, folder)
            killed_then_run_again(folder, kill * len(passed) // N_KILLS, others)


def killed_then_run_again(folder: Path, at: int, others: dict[str, list[tuple[Any, ...]]]) -> None:
    """Forget up to a point between two steps, then once more, and look."""
    points = iter(range(at + 1))

    def point() -> None:
        if next(points) == at:
            raise Killed

    memory = open_memory(folder)
    with pytest.raises(Killed):
        forget(memory, WHOLE, now=NOW, point=point)
    assert not unfinished(memory)[0]
    memory.close()
    memory = open_memory(folder)
    assert forget(memory, WHOLE, now=NOW + timedelta(hours=1))["complete"]
    assert unfinished(memory)[0]
    assert rows_of(memory, OTHER.user_id) == others, at
    assert check_chain(memory.journal.connection).breaks == []
    memory.close()
    assert files_with(folder, CANARY) == [], at


def test_a_dry_run_changes_nothing_and_says_what_would_go(memory: MemoryFolder) -> None:
    """The counts are those of the receipt."""
    before = rows_of(memory, WHOSE.user_id)
    plan = planned(memory, WHOLE)
    assert rows_of(memory, WHOSE.user_id) == before
    done = forget(memory, WHOLE, now=NOW)["deleted"]
    assert plan["would_delete"]["records"] == done["records"] > 0
    assert plan["would_delete"]["decisions"] == done["decisions"] > 0
    assert plan["would_delete"]["memories in Mem0"] <= done["memories in Mem0"]


@pytest.mark.parametrize(
    ("scope", "goes"),
    [
        (ForgetScope(user_id=WHOSE.user_id, strategy="Plain"), ""),
        (ForgetScope(user_id=WHOSE.user_id, strategy=WHOSE.strategy), "all"),
        (ForgetScope(user_id=WHOSE.user_id, run_id="canary-run"), "run"),
        (ForgetScope(user_id=WHOSE.user_id, run_id="canary-bot", bots_only=True), "bot"),
        (ForgetScope(user_id="nobody"), ""),
    ],
)
def test_a_part_goes_and_the_rest_stays(
    memory: MemoryFolder, scope: ForgetScope, goes: str
) -> None:
    """A strategy, a backtest or a bot; nobody else's and no other run's."""

    def runs() -> set[str]:
        where = Scope(user_id=WHOSE.user_id)
        return {record.origin.run_id for _, record in memory.journal.records(where)}

    others = rows_of(memory, OTHER.user_id)
    forget(memory, scope, now=NOW)
    left = {"all": set(), "run": {"canary-bot"}, "bot": {"canary-run"}}
    assert runs() == left.get(goes, {"canary-bot", "canary-run"})
    stored = {each.run_id for each in memory.backend.scan(filters={"user_id": WHOSE.user_id})}
    assert stored <= left.get(goes, {"canary-bot", "canary-run"})
    assert rows_of(memory, OTHER.user_id) == others


def test_what_was_forgotten_is_not_taken_in_again(memory: MemoryFolder) -> None:
    """Not from Mem0, nor from a trade database; new facts of the same bot are."""
    old = a_trade(3, origin=WHOSE, pair="CANARY/USDT")
    new = a_trade(4, origin=WHOSE, closed_at=NOW + timedelta(hours=2))
    backtest = replace(WHOSE, mode=Mode.BACKTEST, run_id="canary-run")
    again = a_trade(5, origin=backtest, recorded_at=NOW + timedelta(hours=2))
    forget(memory, WHOLE, now=NOW)
    assert memory.journal.append([old, SeenIn(record_id=old.id, database="a-database")]) == 0
    assert (
        memory.journal.adopt([old, a_note(1, origin=WHOSE), replace(again, recorded_at=NOW)]) == 0
    )
    assert memory.journal.append([new, again, a_trade(60, origin=OTHER)]) == 3
    assert allow_return(memory, WHOLE)["may_return"]
    assert memory.journal.append([old]) == 1
    with pytest.raises(RecordError, match="not forgotten"):
        allow_return(memory, WHOLE)


def test_a_running_bot_of_the_user_is_refused(memory: MemoryFolder) -> None:
    """It knows what is to be forgotten; a bot of somebody else does not."""
    theirs = Namesakes(memory.marks, OTHER, 60.0)
    theirs.look("db", datetime.now(UTC).timestamp())
    bot = Namesakes(memory.marks, WHOSE, 60.0)
    bot.look("db", datetime.now(UTC).timestamp())
    with pytest.raises(ConfigError, match="CanaryStrategy live canary-bot of user ann-canary"):
        forget(memory, WHOLE, now=NOW)
    bot.leave()
    assert forget(memory, WHOLE, now=NOW)["complete"]


def test_backups_are_named_or_deleted(memory: MemoryFolder, folder: Path) -> None:
    """They hold what was there when they were made."""
    backup = folder / "mem0_backups" / "freqtrade-mem0-20260101T000000Z.zip"
    backup.parent.mkdir()
    backup.write_bytes(CANARY)
    assert planned(memory, WHOLE)["backups"] == [str(backup)]
    assert f"the backup {backup}" in forget(memory, WHOLE, now=NOW)["left"]
    assert backup.exists()
    assert forget(memory, WHOLE, now=NOW, with_backups=True)["deleted"]["backups"] == 1
    assert not backup.exists()


def test_it_works_without_mem0(tmp_path: Path) -> None:
    """In mode `local` the journal is all there is."""
    memory = open_memory(tmp_path, mode="local")
    fill(memory, WHOSE, "canary")
    assert forget(memory, WHOLE, now=NOW)["complete"]
    memory.close()
    assert files_with(tmp_path, CANARY) == []


def test_every_table_and_file_is_in_the_registry(folder: Path) -> None:
    """Whoever adds one has to say what forgetting does there."""
    own = folder / "mem0"
    journal = Journal(own)
    known = {table.name for table in JOURNAL_TABLES}
    assert tables_in(journal.path) <= known
    assert tables_in(own / "memories.sqlite") <= STORE_TABLES.keys()
    assert tables_in(own / "history.db") <= {"history", "messages"}
    strangers = [
        str(path.relative_to(own))
        for path in own.rglob("*")
        if path.is_file() and not any(path.relative_to(own).match(pattern) for pattern in FILES)
    ]
    assert strangers == []
