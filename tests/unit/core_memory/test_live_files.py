"""The files of agents' memory as things happen: each line once, whenever a process is killed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.core_memory import live_files
from freqtrade_mem0.core_memory.files import CORE_LOG, PARAMETERS, core_log_lines, write_whole
from freqtrade_mem0.core_memory.live_files import LiveFiles
from freqtrade_mem0.journal.marks import Marks
from freqtrade_mem0.lifecycle.cycle import run_cycle
from freqtrade_mem0.lifecycle.forget.files import delete_in_files
from freqtrade_mem0.lifecycle.forget.scope import ForgetScope
from tests.support.agent_stage import Stage
from tests.support.samples import a_trade, at
from tests.unit.core_memory.test_parameters import GOLDEN, played

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


LIVE = GOLDEN / "core_memory_updates.live.txt"
"""The log as it happened: in the order in which things became known."""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A memory without trades, whose files are written as things happen."""
    return Stage(tmp_path, hours=14.5, agents={"write_files": True})


def text_of(stage: Stage, name: str = CORE_LOG) -> str:
    """Return a file's text."""
    return (stage.memory.client.folder.folder / name).read_text(encoding="utf-8")


def lines_of(stage: Stage) -> list[str]:
    """Return the lines of the log as the journal has them, in no order."""
    return sorted(core_log_lines(stage.memory.client.folder, "me"))


def live(stage: Stage, **how: Any) -> LiveFiles:
    """Return the files as another process has them."""
    return LiveFiles(stage.memory.client.folder, "me", **how)


def test_they_have_the_form_that_others_read(stage: Stage) -> None:
    """Line by line as they happen, and the same as an export."""
    played(stage)
    live(stage).update()
    assert text_of(stage) == LIVE.read_text(encoding="utf-8")
    assert text_of(stage, PARAMETERS) == (GOLDEN / PARAMETERS).read_text(encoding="utf-8")
    assert sorted(text_of(stage).splitlines()) == lines_of(stage)


def test_nothing_is_written_unless_it_is_asked_for(tmp_path: Path) -> None:
    """By default."""
    stage = Stage(tmp_path)
    stage.memory.log_decision({"symbol": "BTCUSDT", "action": "BUY"})
    assert not (stage.memory.client.folder.folder / CORE_LOG).exists()


def test_every_call_appends(stage: Stage) -> None:
    """A decision at once, its outcome when it is known; several processes take turns."""
    others = [live(stage) for _ in range(2)]
    sizes = []
    for number in range(12):
        stage.now += timedelta(hours=1)
        decision = {"symbol": "BTCUSDT", "action": "BUY", "id": number}
        stage.memory.log_decision(decision, {"profit_pct": number - 5} if number % 2 else None)
        others[number % 2].update()
        sizes.append(len(text_of(stage)))
    assert sizes == sorted(set(sizes))
    assert sorted(text_of(stage).splitlines()) == lines_of(stage)


def test_a_corrected_outcome_is_another_line(stage: Stage) -> None:
    """What was written stays; what is said again without a change is not written."""
    said = {"symbol": "BTCUSDT", "action": "BUY", "id": 1}
    stage.memory.log_decision(said, {"profit_pct": 5})
    stage.memory.log_decision(said, {"profit_pct": 5, "note": "again"})
    before = text_of(stage)
    stage.remember(
        a_trade(1, pair="BTC/USDT", open_date=at(14.6), closed_at=at(16), profit_ratio=-0.01)
    )
    stage.now = at(17)
    stage.memory.log.resolve()
    live(stage).update()
    assert text_of(stage).startswith(before)
    new = text_of(stage)[len(before) :].splitlines()
    assert new[0].endswith("P&L: -1.00% - Closed position at a loss (corrected)")
    assert len(new) == 2


class Killed(BaseException):
    """The process ends here."""


def killed_at(patch: pytest.MonkeyPatch, step: int) -> None:
    """Let the process end before its `step`-th write to a mark or a file; a write may be torn."""
    left = iter(range(step, -1, -1))
    append, set_mark = LiveFiles._append, Marks.set

    def counted() -> bool:
        return next(left, 1) == 0

    def torn(self: LiveFiles, text: bytes) -> None:
        if counted():
            append(self, text[: len(text) // 2])
            raise Killed
        append(self, text)

    def marked(self: Marks, name: str, value: dict[str, Any]) -> None:
        if counted():
            raise Killed
        set_mark(self, name, value)

    def written(path: Path, text: str) -> None:
        if counted():
            raise Killed
        write_whole(path, text)

    patch.setattr(LiveFiles, "_append", torn)
    patch.setattr(Marks, "set", marked)
    patch.setattr(live_files, "write_whole", written)


@pytest.mark.parametrize("step", range(8))
def test_a_killed_process_leaves_no_line_twice_or_lost(stage: Stage, step: int) -> None:
    """The next one completes the file, byte by byte as without a kill."""
    files = live(stage)
    files.is_on = False
    stage.memory._files = files
    played(stage)
    with pytest.MonkeyPatch.context() as patch:
        killed_at(patch, step)
        try:
            live(stage).update()
        except Killed:
            pass
        else:
            assert step >= 5
    live(stage).update()
    assert text_of(stage) == LIVE.read_text(encoding="utf-8")
    assert text_of(stage, PARAMETERS) == (GOLDEN / PARAMETERS).read_text(encoding="utf-8")


def test_full_files_are_kept_up_to_a_bound(stage: Stage) -> None:
    """Together they have every line in order, until the oldest goes."""
    stage.memory._files = live(stage, largest=400)
    for number in range(60):
        stage.now += timedelta(hours=1)
        stage.memory.log_decision({"symbol": "BTCUSDT", "action": f"BUY{number}"})
    folder = stage.memory.client.folder.folder
    names = sorted(path.name for path in folder.glob(f"{CORE_LOG}*"))
    assert names == [CORE_LOG, *(f"{CORE_LOG}.{n}" for n in range(1, 6))]
    texts = [text_of(stage, name) for name in (*names[:0:-1], CORE_LOG)]
    lines = "".join(texts).splitlines()
    assert lines == lines_by_time(stage)[-len(lines) :]
    assert all(len(text) < 600 for text in texts)


def lines_by_time(stage: Stage) -> list[str]:
    """Return the lines of the log as the journal has them."""
    return core_log_lines(stage.memory.client.folder, "me")


def test_deleted_files_are_written_anew(stage: Stage) -> None:
    """Also after a part of the memory was forgotten."""
    played(stage)
    folder = stage.memory.client.folder
    delete_in_files(folder, ForgetScope(user_id="me", strategy="momentum"), lambda: None)
    assert not (folder.folder / CORE_LOG).exists()
    live(stage).update()
    assert text_of(stage) == LIVE.read_text(encoding="utf-8")


def test_what_an_export_left_is_put_aside(stage: Stage) -> None:
    """The first lines do not go into a file that may have them."""
    path = stage.memory.client.folder.folder / CORE_LOG
    stage.memory.initialize()
    path.write_text("of an export\n", encoding="utf-8")
    Marks(stage.memory.client.folder.journal).set("agent_files me", {})
    stage.memory.log_decision({"symbol": "BTCUSDT", "action": "BUY"})
    assert text_of(stage, f"{CORE_LOG}.1") == "of an export\n"
    assert sorted(text_of(stage).splitlines()) == lines_of(stage)


def test_one_process_at_a_time_writes(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one does nothing meanwhile, and says so."""
    stage.memory.log_decision({"symbol": "BTCUSDT", "action": "BUY"})
    found: list[bool] = []

    def meanwhile(_: LiveFiles) -> None:
        monkeypatch.undo()
        found.append(live(stage).update())

    monkeypatch.setattr(LiveFiles, "_update", meanwhile)
    assert live(stage).update()
    assert found == [False]


@pytest.fixture(autouse=True)
def _clean(stage: Stage) -> Iterator[None]:
    yield
    stage.memory.close()


def test_maintain_fills_in_outcomes_and_writes_the_files(stage: Stage) -> None:
    """Where neither an agent nor a bot runs; a dry run only counts."""
    stage.memory._files.is_on = False
    stage.memory.log_decision({"symbol": "BTCUSDT", "action": "BUY"})
    stage.remember(a_trade(1, pair="BTC/USDT", open_date=at(14.6), closed_at=at(16)))
    folder = stage.memory.client.folder
    assert run_cycle(folder, at(17), dry_run=True).counts["outcomes"] == 1
    assert not (folder.folder / CORE_LOG).exists()
    assert run_cycle(folder, at(17)).counts["outcomes"] == 1
    assert run_cycle(folder, at(17)).counts["outcomes"] == 0
    assert "P&L: +1.00% - Closed position successfully" in text_of(stage)
