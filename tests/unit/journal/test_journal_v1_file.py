"""A journal as format 1 wrote it, kept for ever: every later version reads it.

`tests/assets/journal-v1.json` says what is in it. Neither file is ever written again.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.journal.journal import FILE_NAME, Journal
from freqtrade_mem0.journal.outbox import Outbox, OutboxState
from freqtrade_mem0.records.codec import to_plain
from tests.unit.samples import a_trade

if TYPE_CHECKING:
    from collections.abc import Iterator

ASSETS = Path(__file__).parents[2] / "assets"


@pytest.fixture
def old_journal(tmp_path: Path) -> Iterator[Journal]:
    """A copy of the old file, opened by the present code."""
    shutil.copy(ASSETS / "journal-v1.sqlite", tmp_path / FILE_NAME)
    journal = Journal(tmp_path)
    yield journal
    journal.close()


@pytest.fixture
def content() -> Any:
    """What the old file holds."""
    return json.loads((ASSETS / "journal-v1.json").read_text(encoding="utf-8"))


def known_keys(expected: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Return what was found without the keys that later versions added."""
    return {key: found[key] for key in expected}


def test_its_records_are_read(old_journal: Journal, content: Any) -> None:
    """Every kind, with the correction in place of what it corrected."""
    records = [(seq, record.kind, to_plain(record)) for seq, record in old_journal.records()]

    assert [(seq, kind) for seq, kind, _ in content["records"]] == [x[:2] for x in records]
    for (_, _, expected), (_, _, found) in zip(content["records"], records, strict=True):
        assert expected == known_keys(expected, found)


def test_its_decisions_are_read(old_journal: Journal, content: Any) -> None:
    """With their reasons, ties and outcomes."""
    lines = list(old_journal.ledger(only_opened=False))

    assert len(content["ledger"]) == len(lines)
    for (expected, trade_id), line in zip(content["ledger"], lines, strict=True):
        assert expected == known_keys(expected, to_plain(line.decision))
        assert trade_id == (line.trade.id if line.trade else None)


def test_its_outbox_is_read(old_journal: Journal, content: Any) -> None:
    """What waited still waits, what was refused is still listed."""
    outbox = Outbox(old_journal)

    assert content["waiting"] == [seq for seq, _ in outbox.pending(100)]
    assert OutboxState(**content["outbox"]) == outbox.state()


def test_it_can_be_written(old_journal: Journal, content: Any) -> None:
    """An upgrade goes on where the old version stopped."""
    known = [record for _, record in old_journal.records()]

    assert old_journal.append([*known, a_trade(99)]) == 1
    assert len(content["records"]) + 1 == len(list(old_journal.records()))
    assert old_journal.check() == "ok"
