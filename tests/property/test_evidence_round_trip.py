"""Evidence gives back all that a stake can depend on, bit for bit, and notices each change."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.journal.evidence.numbers import Shorts, long, short
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.journal.verify import verify
from freqtrade_mem0.records.base import record_id
from freqtrade_mem0.records.codec import content_hash
from freqtrade_mem0.records.execution import Execution
from freqtrade_mem0.records.told import Told
from tests.property.test_record_round_trip import numbers, ratios, times, trades, words
from tests.support.samples import a_trade

if TYPE_CHECKING:
    from freqtrade_mem0.journal.evidence.trade import TradeEvidence
    from freqtrade_mem0.records.kinds.trade import TradeRecord

FIELDS = (
    *("id", "origin", "known_at", "recorded_at", "pair", "side", "enter_tag", "exit_reason"),
    *("open_date", "close_date", "is_evidence", "stop_sold_part", "decision_id"),
)

unusual = st.builds(
    a_trade,
    pair=words,
    side=words,
    known_at=times,
    is_evidence=st.booleans(),
    stop_sold_part=st.booleans(),
    decision_id=st.builds(record_id, words),
    told=st.none() | st.builds(Told, unknown=st.lists(words, max_size=2).map(tuple)),
    execution=st.none() | st.just(Execution(entry_rate=1.5)),
    situation=st.dictionaries(words, ratios.map(lambda x: float(f"{x:.6g}")) | words, max_size=15),
    profit_ratio=ratios,
)


def bits(trade: TradeRecord | TradeEvidence) -> list[object]:
    """Return what stakes depend on, floats as their bits, features in their order."""
    situation = [
        (name, value.hex() if isinstance(value, float) else value)
        for name, value in trade.situation.items()
    ]
    return [*(getattr(trade, name) for name in FIELDS), trade.profit_ratio.hex(), situation]


@given(st.lists(trades | unusual, min_size=1, max_size=5, unique_by=lambda trade: trade.id))
def test_a_trade_comes_back(noted: list[TradeRecord]) -> None:
    """From a table that other processes fill, too."""
    with TemporaryDirectory() as folder:
        journal, other = Journal(Path(folder)), Journal(Path(folder))
        found: dict[str, TradeEvidence] = {}
        for trade in noted:
            other.append([trade])
            found |= {each.id: each for each in journal.evidence.trades(Scope())}
        assert verify(journal.connection).bad == {}
        journal.close()
        other.close()
    for trade in noted:
        assert bits(trade) == bits(found[trade.id])
        assert content_hash(trade).startswith(found[trade.id].said)
        assert found[trade.id].unknown == (trade.told.unknown if trade.told else ())


@given(numbers | ratios.map(lambda value: float(f"{value:.6g}")) | st.integers(-9999, 9999))
def test_short_numbers_are_the_same_numbers(number: float) -> None:
    """Or have no short form."""
    brief = short(float(number))

    assert brief is None or long(brief).hex() == float(number).hex()


@given(
    st.lists(numbers | ratios.map(lambda value: float(f"{value:.6g}")) | st.floats(-1e9, 1e9)),
    st.lists(numbers | st.integers(-9999, 9999)),
)
def test_many_numbers_are_as_short_as_one(values: list[float], others: list[float]) -> None:
    """Also zeros with a sign, and those that were not named before."""
    shorts = Shorts([*values, 0.0, -0.0])

    asked = [*values, *others, 0.0, -0.0, 1200.0, 2.0**26, 1e22, 5e-324]
    assert [shorts[each] for each in asked] == [short(float(each)) for each in asked]


def test_the_features_of_a_market_are_short() -> None:
    """Six digits are."""
    for value in (0.0123457, -1.5, 45_000.1, 0.333333, 1e-7, 0.0):
        assert short(value) is not None


@given(unusual, st.integers(0), st.sampled_from(["facts", "known_ms", "recorded_ms", "said", "id"]))
def test_no_changed_row_counts(trade: TradeRecord, place: int, column: str) -> None:
    """A flipped bit in any column, or in a word or scope that the row names."""
    with TemporaryDirectory() as folder:
        journal = Journal(Path(folder))
        journal.append([trade])
        with closing(sqlite3.connect(journal.path)) as sqlite:
            (value,) = sqlite.execute(f"SELECT {column} FROM evidence").fetchone()  # noqa: S608
            sqlite.execute(f"UPDATE evidence SET {column} = ?", [flipped(value, place)])  # noqa: S608
            sqlite.commit()
        assert list(journal.evidence.trades(Scope())) == []
        assert len(verify(journal.connection).bad) == 1
        journal.close()


@given(unusual, st.sampled_from(["words SET word", "scopes SET run_id", "scopes SET strategy"]))
def test_no_changed_text_counts(trade: TradeRecord, what: str) -> None:
    """Texts stand apart from the rows that use them."""
    with TemporaryDirectory() as folder:
        journal = Journal(Path(folder))
        journal.append([trade])
        with closing(sqlite3.connect(journal.path)) as sqlite:
            column = what.rsplit(maxsplit=1)[-1]
            sqlite.execute(f"UPDATE {what} = {column} || 'x'")
            sqlite.commit()
        assert list(journal.evidence.trades(Scope())) == []
        assert len(verify(journal.connection).bad) == 1
        journal.close()


def flipped(value: bytes | int, place: int) -> bytes | int:
    """Return a value with one bit changed."""
    if isinstance(value, int):
        return value ^ 1 << place % 30
    at = place % len(value)
    return value[:at] + bytes([value[at] ^ 1 << place % 8]) + value[at + 1 :]
