"""The facts of a report: what happened in its time, what memory did, and the worth of a bot."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.journal.sized_trades import sized_trades
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.run.bot.namesakes import Namesakes
from freqtrade_mem0.views.report import report
from freqtrade_mem0.views.runs import runs
from freqtrade_mem0.views.worth import worth
from tests.support.bot_ledger import a_ledger
from tests.support.reported import BOT, DAYS, NOW, N, fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WEEK = NOW - timedelta(days=7)
OWNER = Scope(user_id=BOT.user_id)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[MemoryFolder]:
    """Give a memory with one bot."""
    opened = MemoryFolder(Settings(mode="local"), tmp_path)
    fill(opened)
    yield opened
    opened.close()


def test_a_week_of_a_bot(memory: MemoryFolder) -> None:
    """Trades, profit, events and effects are those since then; the worth is of all trades."""
    (bot,) = report(memory, OWNER, NOW, WEEK)["bots"]
    recent = [each for each in sized_trades(memory.journal, OWNER) if each.trade.known_at >= WEEK]
    happened, did = bot["happened"], bot["memory"]

    assert happened["n_closed"] == len(recent) == round(N * 7 / DAYS)
    assert happened["n_won"] == sum(each.trade.profit_ratio > 0.0 for each in recent)
    assert happened["profit_abs"] == pytest.approx(sum(each.profit_abs or 0.0 for each in recent))
    assert [each["type"] for each in happened["risk_events"]] == ["trigger_win_rate"]
    assert len(happened["patterns"]) == 1
    ratios = [each.trade.profit_ratio for each in recent]
    assert happened["best"]["profit_ratio"] == max(ratios)
    assert happened["worst"]["profit_ratio"] == min(ratios)
    assert did["effect"] == pytest.approx(sum(each.effect for each in recent))
    assert did["n_raised"] + did["n_cut"] <= did["n_sized"] == len(recent)
    effects = [abs(each["effect"]) for each in did["largest"]]
    assert effects == sorted(effects, reverse=True)[:5]
    assert bot["worth"][0]["n_trades"] == N


def test_open_positions_and_refused_entries(memory: MemoryFolder) -> None:
    """What has no closed trade yet is open, as far as memory knows; a veto is no position."""
    (bot,) = report(memory, OWNER, NOW, WEEK)["bots"]
    assert [(each["pair"], each["stake"]) for each in bot["open"]] == [("ETH/USDT", 125.0)]
    assert bot["n_refused"] == 1
    (later,) = report(memory, OWNER, NOW, NOW)["bots"]
    assert (len(later["open"]), later["n_refused"], later["happened"]["n_closed"]) == (1, 0, 0)


def test_what_is_wrong_names_one_command_each(memory: MemoryFolder) -> None:
    """A missing backup and an alarm of a trigger are wrong; what was looked at is named."""
    found = report(memory, OWNER, NOW, WEEK)
    assert {each["what"]: each["do"] for each in found["wrong"]} == {
        "backups": "freqtrade-mem0 backup",
        "drift": "freqtrade-mem0 drift",
    }
    assert "delivery" in found["checked"]
    quiet = report(memory, OWNER, NOW, NOW)
    assert "drift" in quiet["checked"]


def test_a_bot_that_runs_is_said_to_run(memory: MemoryFolder) -> None:
    """A sign of the last minutes is one of a running bot."""
    scope = replace(OWNER, modes=[Mode.DRY_RUN])
    assert [each["is_running"] for each in runs(memory, scope, NOW)] == [False]
    Namesakes(memory.marks, BOT, 60.0).look("database", NOW.timestamp())
    assert [each["is_running"] for each in runs(memory, scope, NOW)] == [True]
    assert report(memory, OWNER, NOW, WEEK)["bots"][0]["is_running"]


def test_shadow_and_applied_stakes_are_judged_apart(memory: MemoryFolder) -> None:
    """A bot that was in shadow mode first has two findings, and profits to the cent."""
    start = NOW - timedelta(days=300)
    memory.journal.append(a_ledger(40, days=100, seed=9, origin=BOT, start=start, applied=False))
    applied, shadow = worth(memory, OWNER)
    assert (applied["applied"], shadow["applied"]) == (True, False)
    assert (applied["n_trades"], shadow["n_trades"]) == (N, 40)
    for each in (applied, shadow):
        difference = each["profit_with"] - each["profit_without"]
        assert difference == pytest.approx(each["effect"]["value"])
    profits = {
        False: sum(t.profit_abs or 0.0 for t in sized_trades(memory.journal, OWNER)
                   if t.sized and not t.sized.applied),
        True: sum(t.profit_abs or 0.0 for t in sized_trades(memory.journal, OWNER)
                  if t.sized and t.sized.applied),
    }  # fmt: skip
    assert applied["profit_with"] == pytest.approx(profits[True])
    assert shadow["profit_without"] == pytest.approx(profits[False])


def test_bots_are_not_mixed(memory: MemoryFolder) -> None:
    """Another bot, and another user's, have lines of their own, or none."""
    other = replace(BOT, run_id="bot-2")
    memory.journal.append(a_ledger(5, days=3, origin=other, start=NOW - timedelta(days=3)))
    stranger = replace(BOT, user_id="somebody else")
    memory.journal.append(a_ledger(5, days=3, origin=stranger, start=WEEK, seed=3))
    bots = report(memory, OWNER, NOW, WEEK)["bots"]
    assert [(each["run_id"], each["n_closed_ever"]) for each in bots] == [
        ("bot-2", 5),
        ("bot-1", N),
    ]
    assert {each["finding"] for each in bots[0]["worth"]} == {"too_little_data"}


def test_an_empty_memory_has_no_bot(tmp_path: Path) -> None:
    """Nothing is made up where nothing happened."""
    empty = MemoryFolder(Settings(mode="local"), tmp_path)
    assert report(empty, OWNER, NOW, WEEK)["bots"] == []
    assert runs(empty, OWNER, NOW) == []
    empty.close()


def test_without_a_time_a_bot_has_its_last_week_and_a_backtest_all_of_it(tmp_path: Path) -> None:
    """The trades of a backtest may have closed years ago."""
    with closing(MemoryFolder(Settings(mode="local"), tmp_path)) as memory:
        run = replace(BOT, mode=Mode.BACKTEST, run_id="run")
        memory.journal.append(a_ledger(40, days=100, origin=run, start=NOW - timedelta(days=900)))
        assert report(memory, OWNER, NOW)["bots"][0]["happened"]["n_closed"] == 40
        fill(memory)
        found = report(memory, OWNER, NOW)
        assert found["since"] == WEEK.isoformat()
        assert found["bots"][0]["happened"]["n_closed"] == round(N * 7 / DAYS)
