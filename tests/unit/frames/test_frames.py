"""Frames say what the command line says, with the dtypes that are documented."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from freqtrade_mem0 import frames
from freqtrade_mem0.errors import ConfigError, RecordError
from freqtrade_mem0.frames.columns import INSIGHTS, LEDGER, SITUATIONS, TRADES
from freqtrade_mem0.journal.bodies.archive import archive_decisions
from freqtrade_mem0.journal.brief_writes import BriefWrites
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.views import decisions, records
from freqtrade_mem0.views.scope import find_scope
from tests.support.full_memory import OTHER, fill, open_memory
from tests.support.samples import a_decision, a_trade, at, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from freqtrade_mem0.memory_folder import MemoryFolder

BLOCK = {"mem0": {"mode": "local", "user_id": OTHER.user_id}}
FRAMES: dict[str, tuple[Callable[..., pd.DataFrame], dict[str, str]]] = {
    "trades": (frames.trades, dict(TRADES)),
    "ledger": (frames.ledger, dict(LEDGER)),
    "insights": (frames.insights, dict(INSIGHTS)),
    "situations": (frames.situations, dict(SITUATIONS)),
}
EVERY = pytest.mark.parametrize("name", FRAMES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with trades of a bot and of a backtest, corrected and retracted ones among them."""
    folder = tmp_path_factory.mktemp("frames")
    memory = open_memory(folder, OTHER.user_id, mode="local")
    fill(memory, OTHER, "plain", n=40)
    apart = a_trade(50, origin=OTHER, situation={"hour_of_mine": 3.0, "mood": "calm"})
    memory.journal.append([a_decision(50, origin=OTHER), apart])
    memory.close()
    return folder


@pytest.fixture
def memory(folder: Path) -> Iterator[MemoryFolder]:
    """The same, opened."""
    memory = open_memory(folder, OTHER.user_id, mode="local")
    yield memory
    memory.close()


def as_facts(frame: pd.DataFrame, names: list[str]) -> list[dict[str, Any]]:
    """Return rows as the command line's JSON has them."""
    rows = frame[names].astype(object).where(frame[names].notna(), None)
    return [
        {
            str(name): value.isoformat() if hasattr(value, "isoformat") else value
            for name, value in row
        }
        for row in (each.items() for each in rows.to_dict("records"))
    ]


@EVERY
def test_each_column_has_its_dtype(folder: Path, name: str) -> None:
    """Of a filled memory and of a part of it that is empty."""
    read, columns = FRAMES[name]
    full, empty = (read(BLOCK, userdir=folder, pair=pair) for pair in (None, "NO/USDT"))
    assert (len(full) > 0, len(empty)) == (True, 0)
    for frame in (full, empty):
        found = {each: str(frame[each].dtype) for each in columns}
        assert found == columns
        assert list(frame)[: len(columns)] == list(columns)


def test_trades_are_those_of_records(folder: Path, memory: MemoryFolder) -> None:
    """Each once, as it was corrected, and none that was retracted."""
    names = [name for name in TRADES if name not in ("trade_id", "is_evidence")]
    found = as_facts(frames.trades(BLOCK, userdir=folder), ["trade_id", "is_evidence", *names])
    facts = records.records(memory, replace(find_scope(memory), kind="trade"))
    expected = [{"trade_id": each["id"]} | each for each in facts]
    assert len(found) == len(expected) == 80
    by_id = {each["trade_id"]: each for each in expected}
    for row in found:
        assert row == {name: by_id[row["trade_id"]][name] for name in row}


def test_the_ledger_is_that_of_the_command_line(folder: Path, memory: MemoryFolder) -> None:
    """With outcomes, and without them where the trade is open or was never opened."""
    names = [name for name in LEDGER if name not in ("decision_id", "exit_reason", "profit_abs")]
    for only_opened in (True, False):
        found = as_facts(frames.ledger(BLOCK, userdir=folder, only_opened=only_opened), names)
        lines = decisions.ledger(memory, find_scope(memory), only_opened=only_opened)
        assert len(found) == len(lines)
        for row, line in zip(found, lines, strict=True):
            shared = [name for name in names if name in line]
            assert {k: row[k] for k in shared} == {k: line[k] for k in shared}


def test_archived_decisions_are_in_the_ledger(tmp_path: Path) -> None:
    """With the numbers that are kept of them."""
    memory = open_memory(tmp_path, OTHER.user_id, mode="local")
    for number in range(30):
        decision = a_decision(number, origin=OTHER)
        trade = a_trade(number, origin=OTHER, decision_id=decision.id, recorded_at=at(number))
        memory.journal.append([decision, opened(decision, trade), trade])
    before = frames.ledger(BLOCK, userdir=tmp_path)
    writes = BriefWrites(memory.journal, lambda _: None)
    assert archive_decisions(writes, to_ms(at(40))) == 29
    memory.close()
    after = frames.ledger(BLOCK, userdir=tmp_path)
    kept = ["trade_id", "decided_at", "proposed_stake", "multiplier", "stake", "profit_ratio"]
    pd.testing.assert_frame_equal(before[kept], after[kept])


def test_situations_have_a_column_for_each_feature(folder: Path) -> None:
    """Also for features of a strategy's own, which other trades lack."""
    found = frames.situations(BLOCK, userdir=folder)
    own = found[found["hour_of_mine"].notna()]
    assert own[["hour_of_mine", "mood"]].to_numpy().tolist() == [[3.0, "calm"]]
    assert str(found["mood"].dtype) == "category"
    assert list(found["trade_id"]) == list(frames.trades(BLOCK, userdir=folder)["trade_id"])


def test_a_part_is_selected_as_on_the_command_line(folder: Path) -> None:
    """By mode, strategy, pair and the beginning of a run id; a wrong id is said."""
    bots = frames.trades(BLOCK, userdir=folder, mode="live")
    assert set(bots["mode"]) == {"live"}
    assert len(frames.trades(BLOCK, userdir=folder, run_id="plain-r")) == 40
    with pytest.raises(RecordError, match="No run id begins with 'x'"):
        frames.trades(BLOCK, userdir=folder, run_id="x")


def test_the_memorys_own_folder_is_enough(folder: Path) -> None:
    """Where it lies anywhere else; a folder without a memory is named."""
    assert len(frames.trades(BLOCK, path=folder / "mem0")) == 80
    with pytest.raises(ConfigError, match="There is no memory in"):
        frames.trades(BLOCK, path=folder / "elsewhere")


def test_times_are_exact(folder: Path) -> None:
    """To the millisecond, in UTC."""
    first = frames.trades(BLOCK, userdir=folder, mode="live").iloc[0]
    assert first["close_date"] == pd.Timestamp(at(0))
