"""What a backtest notes becomes the entries that are written where each stake explains itself."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from freqtrade.persistence import LocalTrade

from freqtrade_mem0.config.sizing import SizingSettings
from freqtrade_mem0.decide.guarded import guarded_policy
from freqtrade_mem0.decide.proposal import Proposal
from freqtrade_mem0.host.backtest_state import BacktestLocks, BacktestTrades
from freqtrade_mem0.journal.append import Opened
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.records.decision import Decision
from freqtrade_mem0.records.from_trade import END_OF_DATA
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.run.backtest import BacktestSession
from freqtrade_mem0.run.noted import NotedSession
from freqtrade_mem0.situation import Candles
from freqtrade_mem0.situation.signals import Signals
from tests.support.candles import TIMEFRAME_S, random_walk
from tests.support.real_trades import a_backtests_trades, close_trade, open_trade
from tests.support.samples import BACKTEST, NOTED, START
from tests.support.session_stage import a_setup, keeping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from freqtrade_mem0.journal.append import Entry
    from freqtrade_mem0.journal.writer import Submitted

N_CANDLES, PAIRS = 900, ("0/USDT", "1/USDT")
STEP = timedelta(seconds=TIMEFRAME_S)


@pytest.fixture(autouse=True)
def _own_trades() -> Iterator[None]:
    """Leave Freqtrade's lists as they were."""
    with a_backtests_trades():
        yield


class Both:
    """The same backtest, explained at each stake and noted."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.plain_entries: list[Entry] = []
        self.notes: list[Submitted] = []
        self.plain = self.session(BacktestSession, keeping(self.plain_entries))
        self.noted = self.session(NotedSession, self.notes.append)
        self.signals = {}
        for number, pair in enumerate(PAIRS):
            frame = random_walk(N_CANDLES, seed=dice.randrange(1_000))
            frame.loc[300 + number : 320, "high"] *= 1.1  # a jump
            frame["enter_long"] = [int(dice.random() < 0.3) for _ in range(N_CANDLES)]
            self.signals[pair] = Signals(Candles(frame), TIMEFRAME_S)

    def session(self, kind: type[Any], submit: Callable[[Submitted], None]) -> Any:
        """Return a session with the default policy."""
        return kind(
            a_setup(origin=BACKTEST, policy=guarded_policy(SizingSettings())),
            submit=submit,
            now=lambda: NOTED,
            trades=BacktestTrades(),
            locks=BacktestLocks(),
        )

    def ask(self, pair: str, side: str, moment: datetime) -> None:
        """Ask both for a stake, which must be the same."""
        now_ms, signals = to_ms(moment), self.signals[pair]
        movement, (situation, jump) = signals.movement(now_ms), signals.at(now_ms)
        call = {"pair": pair, "side": side, "current_time": moment, "entry_tag": "dip"}
        call |= {"max_stake": (most := self.dice.choice([101.0, 1_000.0]))}
        least = self.dice.choice([None, 10.0, 99.0])
        answer = self.plain.answer(
            Proposal(
                pair=pair,
                side=side,
                enter_tag="dip",
                moment=moment,
                stake=100.0,
                min_stake=least,
                max_stake=most,
                situation=situation,
                times_usual_range=jump,
                free_slots=lambda _: 3.0,
                volatility_and_momentum=movement,
            )
        )
        self.noted.learn_closed()
        ask = call, now_ms, 100.0, movement, least
        said = self.noted.stake(ask, lambda _: 3.0)
        self.noted.note(ask, said, None, signals)
        assert said[0] == answer.stake

    def forget(self, pair: str, side: str) -> None:
        """Let both know that the strategy wants no entry any more."""
        self.plain.forget_answer(pair, side)
        self.noted.forget_answer(pair, side)

    def confirm(self, pair: str, side: str) -> None:
        """Let both know that the entry is about to be placed."""
        self.plain.entry_confirmed(pair, side)
        self.noted.confirmed({"pair": pair, "side": side})

    def run(self) -> None:
        """Trade both pairs on both sides; some trades close in the same moment."""
        LocalTrade.reset_trades()
        open_until: dict[Any, datetime] = {}
        for number in range(150, N_CANDLES, 2):
            moment = START + number * STEP
            for trade in [each for each, until in open_until.items() if until <= moment]:
                del open_until[trade]
                rate = trade.open_rate * self.dice.gauss(1.0, 0.03)
                close_trade(trade, rate, moment)
                if self.dice.random() < 0.05:
                    trade.exit_reason = END_OF_DATA
            taken = {trade.pair for trade in open_until}
            for pair in [each for each in PAIRS if each not in taken]:
                side = self.dice.choice(["long", "short"])
                self.ask(pair, side, moment)
                if (chance := self.dice.random()) < 0.2:  # it is not confirmed
                    if chance < 0.1:
                        self.forget(pair, side)
                    continue
                self.confirm(pair, side)
                if self.dice.random() < 0.9:  # else its order is not filled
                    trade = open_trade(pair, number=number, moment=moment, is_short=side == "short")
                    open_until[trade] = moment + self.dice.randrange(1, 9) * STEP
        self.plain.end_run()
        self.noted.end_run()


@pytest.mark.parametrize("seed", range(4))
def test_notes_become_the_entries_of_a_session_that_explains_each_stake(seed: int) -> None:
    """In their order, in one run after the other; asked again, notes give the same."""
    both = Both(random.Random(seed))
    both.run()
    both.run()
    entries: list[Entry] = []
    for note in both.notes:
        keeping(entries)(note)
    assert entries == both.plain_entries
    kinds = {type(entry) for entry in entries}
    assert {Decision, TradeRecord, RiskEvent} <= kinds
    again: list[Entry] = []
    for note in both.notes:
        keeping(again)(note)
    assert again == entries


def test_a_stake_that_can_not_be_explained_takes_no_trade_with_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The decision is missing; its trade is recorded without it, and all others as ever."""
    both = Both(random.Random(0))
    both.run()
    opened = [entry for entry in both.plain_entries if isinstance(entry, Opened)]
    lost_ms, whole = to_ms(opened[0].open_date), Signals.at

    def at(signals: Signals, moment_ms: int) -> Any:
        if moment_ms == lost_ms:
            raise ArithmeticError
        return whole(signals, moment_ms)

    monkeypatch.setattr(Signals, "at", at)
    entries: list[Entry] = []
    for note in both.notes:
        with suppress(ArithmeticError):  # the writer logs it, and goes on with the others
            keeping(entries)(note)
    trades = [
        [entry for entry in those if isinstance(entry, TradeRecord)]
        for those in (both.plain_entries, entries)
    ]
    changed = [(one, other) for one, other in zip(*trades, strict=True) if one != other]
    assert {to_ms(one.open_date) for one, _ in changed} == {lost_ms}
    assert {other.decision_id for _, other in changed} == {None}
    assert "can not be explained" in caplog.text
