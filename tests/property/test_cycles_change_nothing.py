"""Whatever becomes of bodies, in any order and stopped anywhere: what stakes depend on stays."""

from __future__ import annotations

import itertools
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from zstandard import train_dictionary

from freqtrade_mem0.journal.append import Confirmed
from freqtrade_mem0.journal.bodies.archive import archive_decisions, archive_records
from freqtrade_mem0.journal.bodies.pack import pack
from freqtrade_mem0.journal.brief_writes import BriefWrites
from freqtrade_mem0.journal.chain_check import check_chain
from freqtrade_mem0.journal.compact import shrink, take_out
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.outbox import Outbox
from freqtrade_mem0.journal.verify import verify
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.records.codec import encode
from freqtrade_mem0.records.execution import Execution
from tests.support.known import known
from tests.support.samples import (
    BACKTEST,
    NOTED,
    ORIGIN,
    a_decision,
    a_note,
    a_promotion,
    a_retraction,
    a_risk_event,
    a_trade,
    at,
    opened,
)

if TYPE_CHECKING:
    from freqtrade_mem0.records.kinds.trade import TradeRecord

SISTER = replace(ORIGIN, run_id="sister")
LATER = NOTED + timedelta(days=1)
NUMBERS = st.integers(0, 7)
RATIOS = st.sampled_from([0.01, -0.04, 0.0, 0.1234567890123, -1e-9])
SITUATIONS = st.sampled_from(
    [{}, {"regime": "calm"}, {"regime": "volatile", "volatility": 0.0123457}]
)
HISTORY = (
    *("closed", "closed", "corrected", "retracted", "from Mem0", "from Mem0", "confirmed"),
    *("an event", "a note", "of a backtest", "promoted", "read again", "retracted by Mem0"),
)
CYCLE = ("compressed", "archived", "archived", "sent again", "taken out", "shrunk")
STEPS = st.lists(
    st.tuples(
        st.sampled_from((*HISTORY, *HISTORY, *CYCLE, *CYCLE)),
        *(NUMBERS, RATIOS, SITUATIONS),
        st.none() | st.integers(0, 3),
    ),
    min_size=5,
    max_size=40,
)


class Killed(BaseException):
    """The process ended."""


@cache
def dictionary() -> bytes:
    """Return a dictionary, as a larger journal would train it."""
    samples: list[bytes | bytearray | memoryview[int]] = [
        encode(a_trade(n, profit_ratio=n / 7.0)).encode() for n in range(500)
    ]
    return train_dictionary(4_096, samples, dict_id=40_000).as_bytes()


def prepared(folder: Path) -> Journal:
    """Return a journal with a dictionary."""
    journal = Journal(folder)
    with journal.connection.write() as sqlite:
        sqlite.executemany(
            "INSERT INTO dictionaries (number, about, ratio, body) VALUES (?, ?, 0.2, ?)",
            [(40_000, "records", dictionary()), (40_001, "decisions", dictionary())],
        )
    return journal


def trade(number: int, ratio: float, situation: Any, **changes: Any) -> TradeRecord:
    """Return one of a few trades."""
    return a_trade(
        number,
        profit_ratio=ratio,
        situation=situation,
        execution=Execution(entry_rate=ratio + 2.0) if number % 3 == 0 else None,
        pair=("ETH/USDT", "BTC/USDT")[number % 2],
        **changes,
    )


def happens(journal: Journal, what: str, number: int, ratio: float, situation: Any) -> None:
    """Let something happen to a memory."""
    decision = a_decision(number)
    if what in {"closed", "corrected"}:
        closed = trade(number, ratio, situation, decision_id=decision.id)
        journal.append([decision, opened(decision, closed), closed])
    elif what == "read again":  # from a database, which knows nothing of the entry
        journal.append([replace(trade(number, 0.01, {}), execution=None, recorded_at=LATER)])
    elif what == "retracted":
        journal.append([a_retraction(trade(number, ratio, situation).id)])
    elif what == "retracted by Mem0":
        of_sister = trade(number, ratio, situation, origin=SISTER)
        journal.adopt([a_retraction(of_sister.id, origin=SISTER, recorded_at=LATER)])
    elif what == "from Mem0":
        changes = {"recorded_at": LATER} if number % 2 else {}
        journal.adopt(
            [trade(number, ratio, situation, origin=each, **changes) for each in (ORIGIN, SISTER)]
        )
    elif what == "confirmed":
        journal.append([Confirmed(record_id=trade(number, ratio, situation).id)])
    elif what == "an event":
        journal.append([a_risk_event(number, impact=ratio)])
    elif what == "a note":
        journal.append([a_note(number, content=f"{ratio}")])
    elif what == "of a backtest":
        journal.append([trade(number, ratio, situation, origin=BACKTEST)])
    else:
        journal.append([a_promotion(is_active=number % 2 == 0)])
    outbox = Outbox(journal)
    outbox.delivered([seq for seq, _ in outbox.pending(100)], NOTED)


def ages(journal: Journal, what: str, stop_after: int | None) -> None:
    """Do a part of a cycle; the process is killed after some of its writes."""
    n_writes = itertools.count()

    def pause(_: float) -> None:
        if next(n_writes) == stop_after:
            raise Killed

    writes = BriefWrites(journal, pause)
    end_ms, now = to_ms(at(10_000)), at(10_000)
    outbox = Outbox(journal)
    try:
        if what == "compressed":
            pack(writes, "records", end_ms)
            pack(writes, "decisions", end_ms)
        elif what == "archived":
            archive_records(writes, end_ms)
            archive_decisions(writes, end_ms)
        elif what == "sent again":
            outbox.send_again()
            outbox.delivered([seq for seq, _ in outbox.pending(100)], NOTED)
        elif what == "taken out":
            take_out(writes, now, keep_days=31, alone=True, dry_run=False)
        else:
            shrink(writes, alone=True)
    except Killed:
        pass


@given(STEPS)
def test_what_stakes_depend_on_is_as_without_cycles(steps: list[tuple[Any, ...]]) -> None:
    """Recall, own trades, risk events, priors and outcomes; and the ledger's stakes."""
    with TemporaryDirectory() as one, TemporaryDirectory() as other, ExitStack() as closing:
        aged, plain = prepared(Path(one)), prepared(Path(other))
        closing.callback(aged.close)
        closing.callback(plain.close)
        for what, number, ratio, situation, stop_after in steps:
            if what in CYCLE:
                ages(aged, what, stop_after)
            else:
                happens(aged, what, number, ratio, situation)
                happens(plain, what, number, ratio, situation)
            assert known(aged) == known(plain)
        assert aged.counts() == plain.counts()
        assert [line.decision.stake for line in aged.ledger()] == [
            line.decision.stake for line in plain.ledger()
        ]
        assert aged.check() == "ok"
        assert verify(aged.connection).bad == {}
        assert check_chain(aged.connection).breaks == []
        assert [record for _, record in aged.records()] == [record for _, record in plain.records()]
        with aged.connection.write() as sqlite:
            sqlite.execute("DELETE FROM blocks")
            sqlite.execute("UPDATE records SET body = ''")
        assert known(aged) == known(plain)
