"""A bot that starts reads the journal in columns, and knows what reading row by row tells."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from freqtrade_mem0.journal import own_records
from freqtrade_mem0.journal.evidence import checksums, read
from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.own_records import OwnRecords
from freqtrade_mem0.journal.revoked import Revoked, revoke
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.recall import fill as page_fill
from freqtrade_mem0.recall.follow import JournalFollower
from freqtrade_mem0.recall.index import bulk
from freqtrade_mem0.records.base import Mode
from tests.property.test_evidence_round_trip import bits, flipped, unusual
from tests.property.test_record_round_trip import numbers, trades, words
from tests.support.samples import ORIGIN, START, a_retraction, a_risk_event, a_trade

if TYPE_CHECKING:
    import pytest

    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.kinds.trade import TradeRecord

LEVELS = ("pair", "side", "regime", "hour", "pair*regime")
SISTER = replace(ORIGIN, run_id="its sister")
LIVE = replace(ORIGIN, run_id="live", mode=Mode.LIVE)

usual = st.builds(
    a_trade,
    st.integers(0, 9),
    side=st.sampled_from(["long", "short"]),
    pair=st.sampled_from(["ETH/USDT", "BTC/USDT"]),
    is_evidence=st.sampled_from([True, True, False]),
    situation=st.fixed_dictionaries(
        {},
        optional={
            "regime": st.sampled_from(["calm", "wild"]) | numbers,
            "regime_bucket": st.sampled_from(["low", ""]),
            "hour": st.sampled_from([1.0, 2.5]) | words,
            "volatility": numbers | words,
            "momentum": numbers,
        },
    ),
)
noted = st.lists(
    st.tuples(
        usual | usual | unusual | trades,
        st.sampled_from([ORIGIN, SISTER, LIVE]),
        st.sampled_from(["own", "own", "from Mem0", "taken back", "with a text for an id"]),
    ),
    min_size=1,
    max_size=8,
)
damage = st.lists(
    st.tuples(
        st.integers(0, 7),
        st.sampled_from(["facts", "known_ms", "said", "checksum", "pair", "scope"]),
        st.integers(0),
    ),
    max_size=2,
)


def fill(journal: Journal, what: list[tuple[TradeRecord, Origin, str]]) -> None:
    """Note trades, with other records between them."""
    for number, (trade, origin, how) in enumerate(what):
        own_id = "sixteen letters." if how == "with a text for an id" else trade.id
        record = replace(trade, origin=origin, id=own_id)
        (journal.adopt if how == "from Mem0" else journal.append)([record])
        if how == "taken back":
            journal.append([a_retraction(record.id, origin=record.origin)])
        journal.append([a_risk_event(number)])


def spoil(journal: Journal, damaged: list[tuple[int, str, int]]) -> None:
    """Flip a bit of some rows, each given by its number, a column and the bit's place."""
    with closing(sqlite3.connect(journal.path)) as sqlite:
        for number, column, place in damaged:
            query = f"SELECT seq, {column} FROM evidence WHERE facts != '' LIMIT 1 OFFSET ?"  # noqa: S608
            for seq, value in sqlite.execute(query, [number]).fetchall():
                changed = flipped(value, place)
                sqlite.execute(
                    f"UPDATE evidence SET {column} = ? WHERE seq = ?",  # noqa: S608
                    [changed, seq],
                )
        sqlite.commit()


def left_behind(journal: Journal, origin: Origin, *, in_columns: bool) -> list[object]:
    """Return all that a bot's recall consists of after it has read the journal."""
    recall = Recall(LEVELS, 30.0)
    follower = JournalFollower(journal, recall, origin, 0.5)
    (follower.begin if in_columns else follower.run)()
    recall.take_in_all()
    state = recall.state()
    rows = list(state.pages(state.journal_rows()))
    if not rows:  # nothing is noted of groups in which nothing is
        return [len(recall), state.asked_ms > 0]
    return [len(recall), rows, state.journal_sums(), [key for key, *_ in state.groups]]


@settings(max_examples=30)
@given(noted, damage, st.sampled_from([ORIGIN, LIVE]), st.booleans())
def test_it_knows_what_reading_row_by_row_tells(
    what: list[tuple[TradeRecord, Origin, str]],
    damaged: list[tuple[int, str, int]],
    origin: Origin,
    is_revoked: bool,
) -> None:
    """Bit for bit; of damaged rows it leaves out the same, and says so of the same."""
    with TemporaryDirectory() as folder, ExitStack() as small:
        for module, name, bound in (
            (read, "_LARGE_PAGE_ROWS", 4),
            (read, "_FEW_ROWS", 8),
            (bulk, "PAGE_ROWS", 3),
            (page_fill, "N_REMEMBERED", 2),
            (checksums, "_MOST_TEXTS", 4),
            (checksums, "_DENSE", 3),
        ):
            small.enter_context(patch.object(module, name, bound))
        journal = Journal(Path(folder))
        fill(journal, what)
        if is_revoked:
            whose = {"user_id": SISTER.user_id, "run_id": SISTER.run_id, "strategy": ""}
            revoke(journal, Revoked(**whose, since=START, revoked_at=START))
        spoil(journal, damaged)
        row_by_row = left_behind(journal, origin, in_columns=False)
        set_aside = {(each.id, each.why) for each in journal.set_aside()}
        with journal.connection.write() as sqlite:
            sqlite.execute("DELETE FROM set_aside WHERE source = 'journal'")

        assert left_behind(journal, origin, in_columns=True) == row_by_row
        assert {(each.id, each.why) for each in journal.set_aside()} == set_aside
        journal.close()


def everything(journal: Journal) -> list[object]:
    """Return all evidence, floats as their bits, and the ids of the rows that say nothing."""
    unreadable: list[str] = []
    items = list(journal.evidence.items(Scope(), left_out=unreadable.append))
    told = [
        (seq, *bits(item), item.recorded_at, item.said, item.unknown, item.said_without_execution)
        if isinstance(item, TradeEvidence)
        else (seq, item)
        for seq, item in items
    ]
    own = [each.id for each in OwnRecords(journal, ORIGIN).trades()]
    return [told, unreadable, own]


@settings(max_examples=30)
@given(noted, damage)
def test_trades_are_what_they_are_by_themselves(
    what: list[tuple[TradeRecord, Origin, str]], damaged: list[tuple[int, str, int]]
) -> None:
    """Pages that are read in columns give the same, in the same order, as row by row."""
    with TemporaryDirectory() as folder:
        journal = Journal(Path(folder))
        fill(journal, what)
        spoil(journal, damaged)
        row_by_row = everything(journal)
        with (
            patch.object(read, "_MANY_TRADES", 0),
            patch.object(read, "PAGE_ROWS", 3),
            patch.object(own_records, "PAGE_ROWS", 3),
        ):
            assert everything(journal) == row_by_row
        journal.close()


def test_no_trade_is_read_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is damaged: features in all forms, and times with microseconds."""
    journal = Journal(tmp_path)
    features: dict[str, float | str] = {"regime": "calm", "rsi": 48.1234, "trend": 1 / 3}
    journal.append([a_trade(n, origin=SISTER, situation=features) for n in range(5)])
    closed = START.replace(microsecond=1_234)
    journal.append([a_trade(7, origin=SISTER, closed_at=closed, decision_id="0" * 36)])
    monkeypatch.setattr(read, "unpacked_trade", None)
    monkeypatch.setattr(read, "_MANY_TRADES", 1)
    recall = Recall(LEVELS, 30.0)
    JournalFollower(journal, recall, ORIGIN, 0.5).begin()

    assert len(recall) == len(list(journal.evidence.trades(Scope()))) == 6
