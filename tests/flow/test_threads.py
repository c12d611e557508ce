"""Threads, forks and a second runtime: Freqtrade's REST server, its workers, `reload_config`."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.records.decision import Decision
from freqtrade_mem0.records.kinds.trade import TradeRecord
from tests.flow.children import a_runtime
from tests.support.samples import TradeStandIn, a_trade, at
from tests.support.session_stage import a_stage, proposal
from tests.support.wait import HANG_S, eventually

pytestmark = pytest.mark.flow

ROOT = Path(__file__).parents[2]


def ours() -> list[str]:
    """Return the names of the threads this package has running."""
    names = (thread.name for thread in threading.enumerate())
    return sorted(name for name in names if name.startswith("freqtrade-mem0"))


def ids_in(folder: Path) -> Counter[str]:
    """Count the ids in a journal."""
    journal = Journal(folder / "mem0")
    found = Counter(record.id for _, record in journal.records())
    assert journal.check() == "ok"
    journal.close()
    return found


@pytest.mark.parametrize("first_to_close", [0, 1])
def test_two_runtimes_in_one_process_share_a_memory(tmp_path: Path, first_to_close: int) -> None:
    """`reload_config` builds the new one before the old one is gone; each record is there once."""
    runtimes = [a_runtime(tmp_path, "") for _ in range(2)]
    for number in range(60):
        for which, runtime in enumerate(runtimes):
            runtime.submit(a_trade(number if number < 20 else number + 100 * which))
    order = runtimes if first_to_close == 0 else runtimes[::-1]
    order[0].close()
    order[1].submit(a_trade(9_999))
    order[1].close()
    found = ids_in(tmp_path)
    assert set(found.values()) == {1}
    expected = (*range(60), *range(120, 160), 9_999)
    assert {a_trade(number).id for number in expected} == set(found)
    assert eventually(lambda: ours() == [])


def test_closing_a_runtime_twice_and_from_several_threads_is_harmless(tmp_path: Path) -> None:
    """Freqtrade's shutdown, Python's exit handler and a signal may all come at once."""
    runtime = a_runtime(tmp_path, "")
    runtime.submit(a_trade(1))
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(runtime.close) for _ in range(8)]:
            done.result(HANG_S)
    runtime.close()
    assert ids_in(tmp_path) == Counter([a_trade(1).id])
    assert eventually(lambda: ours() == [])


def test_rest_workers_close_trades_while_the_bot_decides() -> None:
    """Forced exits come in threads of their own: nothing is lost, doubled or torn."""
    stage = a_stage()
    pairs = [f"COIN{number}/USDT" for number in range(8)]
    trades = {pair: [a_closed_trade(pair, number) for number in range(25)] for pair in pairs}
    together = threading.Barrier(len(pairs) + 2)

    def close_all(pair: str) -> None:
        together.wait(HANG_S)
        for trade in trades[pair]:
            stage.session.trades_closed([trade])
            stage.session.trades_closed([trade])  # the bot's own loop sees it as well

    def decide(hours: float) -> list[float]:
        together.wait(HANG_S)
        return [stage.session.decide(proposal(hours)).stake for _ in range(300)]

    with ThreadPoolExecutor(len(pairs) + 2) as threads:
        closing = [threads.submit(close_all, pair) for pair in pairs]
        deciding = [threads.submit(decide, hours) for hours in (0.5, 500.0)]
        for each in closing:
            each.result(HANG_S)
        early, late = [each.result(HANG_S) for each in deciding]

    written = [entry.id for entry in stage.written(TradeRecord) if isinstance(entry, TradeRecord)]
    assert len(written) == len(set(written)) == 8 * 25
    alone = a_stage()
    alone.session.trades_closed([trade for pair in pairs for trade in trades[pair]])
    assert stage.n_known(at(1_000)) == alone.n_known(at(1_000))
    serial = alone.session.decide(proposal(500.0))
    assert stage.session.decide(proposal(500.0)).stake == serial.stake
    assert set(early) == {alone.session.decide(proposal(0.5)).stake}
    assert all(10.0 <= stake <= 1_000.0 for stake in late)


def test_entries_of_two_threads_keep_their_own_decisions() -> None:
    """The REST server forces an entry in one pair while the bot asks for another."""
    stage = a_stage()
    together = threading.Barrier(4)

    def enter(pair: str) -> list[str]:
        together.wait(HANG_S)
        asked = []
        for number in range(50):
            asked.append(stage.session.decide(proposal(number, pair=pair)).id)
            stage.session.entry_confirmed(pair, "long")
        return asked

    pairs = [f"COIN{number}/USDT" for number in range(4)]
    with ThreadPoolExecutor(4) as threads:
        asked = list(threads.map(enter, pairs))
    placed = [entry for entry in stage.written(Decision) if isinstance(entry, Decision)]
    for pair, ids in zip(pairs, asked, strict=True):
        assert [decision.id for decision in placed if decision.pair == pair] == ids


def test_a_fork_under_a_running_bot_ends_in_peace(tmp_path: Path) -> None:
    """Both processes write on; the child's exit closes nothing of its parent's."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.flow.children", "fork", str(tmp_path), ""],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=HANG_S,
        check=False,
    )
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["0"], "")
    expected = [a_trade(number).id for number in (1, 2, *range(10, 50))]
    assert ids_in(tmp_path) == Counter(expected)


def a_closed_trade(pair: str, number: int) -> TradeStandIn:
    """Return a trade of Freqtrade's that was closed, told from others by its number."""
    trade = TradeStandIn(id=number, pair=pair)
    trade.open_date = trade.open_date.replace(hour=number % 24, minute=number % 60)
    trade.orders[0].order_id = f"dry_run_{pair}-{number}"
    trade.orders[0].order_date = at(number)
    return trade.close(0.01 if number % 2 else -0.01, hours=1 + number / 100)
