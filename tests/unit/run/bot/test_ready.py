"""What a bot does before a stake asks for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.decide.account import AccountReader
from freqtrade_mem0.decide.proposal import Proposal
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.run.session import Session
from tests.support import runs
from tests.support.samples import NOTED, OrderStandIn, TradeStandIn, a_trade, at
from tests.support.session_stage import a_stage, proposal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0.run.bot.runtime import BotRuntime


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BotRuntime]:
    """Return a bot's memory without Mem0 and without chores."""
    monkeypatch.setattr("freqtrade_mem0.run.bot.chores.Chores.request", lambda *_, **__: None)
    settings = Settings.model_validate({"mode": "local", "user_id": "me"})
    found = runs.a_bot(runs.a_run(tmp_path, settings), now=lambda: NOTED)
    yield found
    found.close()


def test_a_decision_finds_closed_trades_taken_in(
    bot: BotRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those known as the bot loop began; another one since is taken in by the decision."""
    read: list[int] = []
    own = AccountReader._read

    def reads(self: AccountReader, now_ms: int, volatility: float) -> Any:
        read.append(now_ms)
        return own(self, now_ms, volatility)

    asked = Proposal(
        pair="ETH/USDT",
        side="long",
        enter_tag="dip",
        moment=at(30) + timedelta(seconds=1),
        stake=100.0,
        min_stake=None,
        max_stake=1_000.0,
        situation={"volatility": 0.01},
    )
    bot.session.learn(a_trade(1, closed_at=at(29)))
    bot.tick(at(30))
    bot.make_ready()
    monkeypatch.setattr(AccountReader, "_read", reads)
    assert bot.session.decide(asked).n_effective == pytest.approx(1.0)
    assert read == []
    bot.session.learn(a_trade(2, closed_at=at(30)))
    assert bot.session.decide(asked).n_effective > 1.5
    assert len(read) == 1


def test_a_bot_makes_ready_once_per_loop(bot: BotRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the first of its pairs, as of the beginning of the loop."""
    asked: list[object] = []
    monkeypatch.setattr(Session, "prepare", lambda _, moment: asked.append(moment))
    for moment in (at(1), at(2)):
        bot.tick(moment)
        for _pair in range(3):
            bot.make_ready()
    assert asked == [at(1), at(2)]


@pytest.mark.parametrize("what", ["decision", "loop", "journal", "retraction"])
def test_a_closed_trade_is_learned_before_recall_is_used(what: str) -> None:
    """Not while Freqtrade waits for `order_filled`."""
    stage, trade = a_stage(), TradeStandIn(orders=[OrderStandIn("dry_run_1", "buy")])
    stage.session.trade_closed(trade.close(0.02, hours=5))
    recall = stage.session.recall
    assert len(recall) == 0
    if what == "decision":
        assert stage.session.decide(proposal(6.0)).n_effective == pytest.approx(1.0)
    elif what == "loop":
        stage.session.prepare(at(6))
    elif what == "journal":
        stage.session.learn_closed()
    else:
        (record,) = stage.written(TradeRecord)
        assert isinstance(record, TradeRecord)
        stage.session.retract(record, "it was deleted")
        stage.session.prepare(at(6))
    assert len(recall) == (what != "retraction")
