"""A lost journal comes back from Mem0, and decides as if it had never been lost."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.rebuild import rebuild
from freqtrade_mem0.recall import STRATEGY, Recall
from freqtrade_mem0.store import Store
from freqtrade_mem0.sync import JournalSync
from tests.unit.samples import (
    BACKTEST,
    ORIGIN,
    a_backtest,
    a_note,
    a_promotion,
    a_retraction,
    a_risk_event,
    a_trade,
    at,
)

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from freqtrade_mem0.insight import Moments
    from freqtrade_mem0.records.memory import Memory

SETTINGS = Settings.model_validate({"user_id": "me"})
LEVELS = ("pair", "side", "enter_tag", "regime")


def lost(tmp_path: Path) -> tuple[Store, Store]:
    """Return a memory that was delivered, and the same one after its journal was deleted."""
    store = Store(SETTINGS, tmp_path)
    store.journal.append([a_trade(n, profit_ratio=0.013 * ((n % 7) - 3)) for n in range(1, 60)])
    store.journal.append([a_trade(7, profit_ratio=0.5)])  # corrected
    store.journal.append([a_retraction(a_trade(9).id), a_note(1), a_risk_event(1)])
    store.journal.append([a_trade(100, origin=BACKTEST), a_backtest(), a_promotion()])
    assert store.delivery().drain(60.0)
    before = Store(SETTINGS, tmp_path / "kept")
    before.folder.mkdir(parents=True)
    store.close()
    for file in list(store.folder.glob("journal.sqlite*")):
        file.rename(before.folder / file.name)
    return before, Store(SETTINGS, tmp_path)


def known(store: Store) -> list[Moments]:
    """Return what a dry-run bot would know at a moment, by several groups."""
    recall = Recall(LEVELS, 120)
    JournalSync(store.journal, recall, ORIGIN, 0.5).run()
    keys = recall.keys("ETH/USDT", "long", "dip", {"regime": "calm uptrend"})
    return recall.as_of(at(45), [STRATEGY, *keys])


def test_a_rebuilt_journal_holds_the_same_records(tmp_path: Path) -> None:
    """All kinds, corrections and retractions heeded; nothing is sent again; twice adds nothing."""
    before, after = lost(tmp_path)
    result = rebuild(after)
    originals = {record.id: record for _, record in before.journal.records()}
    assert {record.id: record for _, record in after.journal.records()} == originals
    assert (result.n_read, result.n_new, result.skipped) == (len(originals), len(originals), ())
    assert after.outbox.state().pending == 0
    assert rebuild(after).n_new == 0


def test_a_rebuilt_journal_decides_bit_identically(tmp_path: Path) -> None:
    """Another order of arrival, the same sums."""
    before, after = lost(tmp_path)
    rebuild(after)
    assert known(after) == known(before)
    assert known(after)[0].n > 10.0


def test_what_is_not_ours_in_mem0_is_skipped_and_named(tmp_path: Path) -> None:
    """Another tool's memories do not come into the journal, and stop nothing."""
    _, after = lost(tmp_path)
    after.backend.write([_foreign(after)])
    result = rebuild(after)
    assert len(result.skipped) == 1
    assert "holds no record of ours" in result.skipped[0]


def test_the_command_rebuilds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says how much it found."""
    before, _ = lost(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"mem0": {"user_id": "me"}}))
    assert main(["rebuild", "--userdir", str(tmp_path), "-c", "config.json", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["new"] == len(list(before.journal.records()))


def _foreign(store: Store) -> Memory:
    memory = next(iter(store.backend.scan(filters={"user_id": "me"})))
    return replace(memory, id="00000000-0000-4000-8000-000000000001", metadata={"note": "mine"})
