"""Whatever stands in the journal or in Mem0, a bot starts, decides, ticks, and closes."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from freqtrade.persistence import init_db
from hypothesis import given, settings
from hypothesis import strategies as st

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.delivery.pull import pull_news
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.recall.priors import load_prior
from freqtrade_mem0.records.mapping import to_memory
from freqtrade_mem0.run.bot.runtime import BotRuntime
from tests.support.hostile_values import anything, extremes, nested
from tests.support.in_memory_mem0 import InMemoryMem0
from tests.support.runs import a_run
from tests.support.samples import (
    NOTED,
    ORIGIN,
    TradeStandIn,
    a_backtest,
    a_decision,
    a_promotion,
    a_retraction,
    a_risk_event,
    a_trade,
    at,
    opened,
)
from tests.support.session_stage import proposal

OWN = Settings(mode="local", user_id="me")
SISTER = replace(ORIGIN, run_id="sister")
RECORDS = [
    *(a_trade(number) for number in (1, 2, 3)),
    *(a_trade(number, origin=SISTER) for number in (4, 5)),
    a_risk_event(6),
    a_retraction(a_trade(3).id),
    a_promotion(),
    a_backtest(),
]
DECISION = a_decision(7)
COLUMNS = {
    "records": [
        *("id", "content_hash", "is_current", "kind", "category", "user_id", "strategy", "mode"),
        *("run_id", "pair", "known_ms", "recorded_ms", "body"),
    ],
    "decisions": ["id", "mode", "pair", "side", "decided_ms", "trade_id", "open_ms", "body"],
    "marks": ["value"],
    "revoked": ["user_id", "strategy", "run_id", "since_ms"],
    "seen": ["database", "record_id"],
}
PLACES = [(table, column) for table, columns in COLUMNS.items() for column in columns]


@pytest.fixture(autouse=True, scope="module")
def _database() -> None:
    """The trade database that Freqtrade has opened for the bot."""
    init_db("sqlite://")


def lives(store: MemoryFolder, folder: Path) -> None:
    """Start a bot on a memory; it decides, records a trade, looks for news, and ends."""
    run = a_run(folder, OWN)
    problems: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: (  # type: ignore[method-assign]
        problems.append(handler.format(record)) if record.exc_info else None
    )
    logging.getLogger("freqtrade_mem0").addHandler(handler)
    try:
        prior = load_prior(store.journal, "me", "Sample", 0.5)
        bot = BotRuntime(run, prior, store, lambda: NOTED, lambda _: None)
        assert 5.0 < bot.session.answer(proposal(10_000.0)).stake < 2_000.0
        bot.entry_confirmed("ETH/USDT", "long")
        trade = TradeStandIn(open_date=at(10_000.0))
        bot.session.entry_filled(trade)
        bot.session.trade_closed(trade.close(0.01))
        bot.tick(at(10_002.0))
        bot._chores._work()
        bot.session.answer(proposal(10_003.0))
        bot.close()
    finally:
        logging.getLogger("freqtrade_mem0").removeHandler(handler)
    assert problems == []


def test_the_session_lives_on_a_good_journal() -> None:
    """Nothing odd: the trial itself finds no fault."""
    with TemporaryDirectory() as folder:
        store = MemoryFolder(OWN, Path(folder))
        store.journal.append([*RECORDS, DECISION, opened(DECISION, RECORDS[0])])  # type: ignore[arg-type]
        lives(store, Path(folder))


@settings(max_examples=400)
@given(st.sampled_from(PLACES), st.integers(0, 20), st.data())
def test_any_value_in_any_column_of_the_journal(
    place: tuple[str, str], number: int, data: st.DataObject
) -> None:
    """One row of a table was written by something else."""
    table, column = place
    with TemporaryDirectory() as folder:
        store = MemoryFolder(OWN, Path(folder))
        store.journal.append([*RECORDS, DECISION, opened(DECISION, RECORDS[0])])  # type: ignore[arg-type]
        lives(store, Path(folder))  # it leaves its marks
        store = MemoryFolder(OWN, Path(folder))
        with store.journal.connection.write() as sqlite:
            sqlite.execute("INSERT INTO revoked VALUES ('me', '', 'sister', 0, 0)")
            sqlite.execute("INSERT INTO seen VALUES ('one', 'two')")
            is_number = column.endswith("_ms") or column == "is_current"
            value: object = data.draw(
                st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-(2**63), 2**63 - 1, 0, 1])
                if is_number
                else st.text(st.characters(codec="utf-8"), max_size=20)
                | (anything | extremes | nested).map(json.dumps)
            )
            key = {"marks": "name", "revoked": "run_id", "seen": "record_id"}.get(table, "seq")
            rows = sqlite.execute(f"SELECT {key} FROM {table} ORDER BY {key}").fetchall()  # noqa: S608
            sqlite.execute(
                f"UPDATE OR IGNORE {table} SET {column} = ? WHERE {key} = ?",  # noqa: S608
                [value, rows[number % len(rows)][0]],
            )
        lives(store, Path(folder))


@settings(max_examples=200)
@given(st.sampled_from(RECORDS), st.data())
def test_any_value_of_any_field_of_any_record_in_mem0(record: Any, data: st.DataObject) -> None:
    """Of each kind that a bot reads at its start."""
    memory = to_memory(record)
    said = json.loads(str(memory.metadata["record"]))
    field = data.draw(st.sampled_from(sorted(said)))
    said[field] = data.draw(anything | extremes)
    mem0 = InMemoryMem0()
    mem0.put(*(to_memory(each) for each in RECORDS if each is not record))
    mem0.put(replace(memory, metadata={**memory.metadata, "record": json.dumps(said)}))
    with TemporaryDirectory() as folder:
        store = MemoryFolder(Settings(user_id="me"), Path(folder))
        store._backend = mem0
        pull_news(store)
        store._backend = None
        lives(store, Path(folder))
