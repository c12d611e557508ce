"""An epoch that only says stakes says those of a backtest, to the last bit."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from freqtrade.persistence import LocalTrade

from freqtrade_mem0.config.sizing import SizingSettings
from freqtrade_mem0.decide.guarded import guarded_policy
from freqtrade_mem0.decide.proposal import Proposal
from freqtrade_mem0.host.backtest_state import BacktestLocks, BacktestTrades
from freqtrade_mem0.insight.closed_entry import ClosedEntry
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.recall.index.entry_list import EntryList
from freqtrade_mem0.recall.index.history import EntryReader
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.records.from_trade import END_OF_DATA
from freqtrade_mem0.run.backtest import BacktestSession
from freqtrade_mem0.run.epoch import EpochSession
from tests.support.real_trades import a_backtests_trades
from tests.support.samples import BACKTEST, NOTED, START, a_trade
from tests.support.session_stage import a_setup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from freqtrade_mem0.run.epoch import Ask

N_ENTRIES = 400
SIZING = SizingSettings()


@pytest.fixture(autouse=True)
def _own_trades() -> Iterator[None]:
    """Leave Freqtrade's lists as they were."""
    with a_backtests_trades():
        yield


@dataclass(kw_only=True)
class Traded:
    """A trade of a backtest, with what memory reads of it."""

    pair: str
    trade_direction: str
    is_short: bool
    open_date: datetime
    enter_tag: str = "dip"
    close_date: datetime | None = None
    close_profit: float | None = None
    exit_reason: str = ""
    id: int = 0
    is_open: bool = False
    orders: list[Any] = field(default_factory=list)


def session(kind: type[BacktestSession], sizing: SizingSettings = SIZING) -> BacktestSession:
    """Return a session of an epoch, with the default policy."""
    return kind(
        a_setup(origin=BACKTEST, policy=guarded_policy(sizing)),
        submit=lambda _: None,
        now=lambda: NOTED,
        trades=BacktestTrades(),
        locks=BacktestLocks(),
        is_recorded=False,
    )


def epoch(dice: random.Random, ask: Callable[[Proposal], None]) -> None:
    """Ask about the entries of an epoch, three trades a day; some close in the same moment."""
    LocalTrade.reset_trades()
    still_open: list[Traded] = []
    for number in range(N_ENTRIES):
        moment = START + timedelta(hours=8 * (number // 2))
        for trade in [each for each in still_open if each.close_date <= moment]:  # type: ignore[operator]
            still_open.remove(trade)
            LocalTrade.bt_trades.append(trade)
        pair, side = f"{number % 2}/USDT", dice.choice(["long", "short"])
        volatility = dice.choice([None, 0.01, 0.02, 0.05])
        momentum = None if volatility is None else dice.gauss(0.0, 4.0)
        features = {"volatility": volatility, "momentum": momentum}
        asked = Proposal(
            pair=pair,
            side=side,
            enter_tag="dip",
            moment=moment,
            stake=100.0,
            min_stake=dice.choice([None, 10.0, 99.0]),
            max_stake=dice.choice([101.0, 1_000.0]),
            situation={name: value for name, value in features.items() if value is not None},
            free_slots=lambda _: 3.0,
            volatility_and_momentum=(volatility, momentum),
        )
        ask(asked)
        if dice.random() < 0.1:  # Freqtrade, or the strategy, refuses it
            continue
        taken = Traded(pair=pair, trade_direction=side, is_short=side == "short", open_date=moment)
        taken.close_date = moment + timedelta(hours=8 * dice.randrange(5))
        taken.close_profit = dice.gauss(0.0, 0.05)
        taken.exit_reason = END_OF_DATA if dice.random() < 0.05 else "roi"
        still_open.append(taken)


def ask_of(asked: Proposal) -> Ask:
    """Return a proposal as an epoch takes it."""
    call = {"pair": asked.pair, "side": asked.side, "current_time": asked.moment}
    call["max_stake"] = asked.max_stake
    return call, asked.moment_ms, asked.stake, asked.movement(), asked.min_stake


@pytest.mark.parametrize("seed", range(6))
def test_an_epoch_says_the_stakes_of_a_backtest(seed: int) -> None:
    """In one epoch after the other, with trades that close together and entries that fail."""
    dice = random.Random(seed)
    plain, brief = session(BacktestSession), session(EpochSession)
    assert isinstance(brief, EpochSession)
    stakes: set[float] = set()

    def ask(asked: Proposal) -> None:
        expected = plain.answer(replace(asked, at_ms=None)).stake
        plain.entry_confirmed(asked.pair, asked.side)
        slots = asked.free_slots
        assert slots is not None
        brief.learn_closed()
        found = brief.stake(ask_of(asked), slots)[0]
        assert found == expected
        stakes.add(found)

    for _ in range(2):
        epoch(dice, ask)
    assert len(stakes) > 50


def test_a_trade_without_a_result_is_named_and_holds_up_no_stake(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As in a backtest."""
    brief = session(EpochSession)
    assert isinstance(brief, EpochSession)
    call = {"pair": "0/USDT", "side": "long", "current_time": START, "max_stake": 1_000.0}
    asked = call, to_ms(START), 100.0, (0.01, 0.0), None
    LocalTrade.reset_trades()
    brief.learn_closed()
    brief.stake(asked, lambda _: 3.0)
    broken = Traded(pair="0/USDT", trade_direction="long", is_short=False, open_date=START)
    broken.close_date = START
    LocalTrade.bt_trades.append(broken)
    brief.learn_closed()
    assert brief.stake(asked, lambda _: 3.0)[0] == 100.0
    assert len(caplog.records) == 1


def test_only_the_default_policy_can_say_stakes_alone() -> None:
    """Another policy needs what this session does not know."""
    with pytest.raises(TypeError, match="bayes"):
        session(EpochSession, SizingSettings(policy="bayes"))


@pytest.mark.parametrize("seed", range(6))
def test_a_list_of_entries_reads_as_a_recall(seed: int) -> None:
    """Also where trades come late or in the same millisecond, and moments go back."""
    dice = random.Random(seed)
    recall, entries = Recall(("pair",), 365.0), EntryList(lambda trade: trade.id)
    readers = recall.entries(EntryReader()), entries.entries(EntryReader())
    first: list[Any] = []
    second: list[Any] = []
    for number in range(150):
        late = dice.random() < 0.2
        closed = START + timedelta(hours=number // 3 - late * dice.randrange(20))
        trade = a_trade(number, closed_at=closed, profit_ratio=0.25, situation={})
        recall.add(trade)
        numbers = to_ms(trade.known_at), to_ms(trade.open_date), 0.25, 1.0, 0.0, 0.0, False, None
        entries.add(ClosedEntry(*numbers), trade)
        if number == 100:
            recall.clear()
            entries.clear()
            readers = recall.entries(EntryReader()), readers[1]
        now_ms = to_ms(closed + timedelta(hours=dice.randrange(-5, 5)))
        for read_on, known in zip(readers, (first, second), strict=True):
            n_kept, new, is_all = read_on(now_ms)
            known[n_kept:] = new
            assert is_all
        assert first == second
