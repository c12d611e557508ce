"""Decisions of agents are kept once, resolve themselves, and move no stake."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.core_memory.log import agent_log
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.kinds.agent_decision import AgentDecision
from freqtrade_mem0.records.kinds.agent_outcome import AgentOutcome
from freqtrade_mem0.views.stats import stats
from tests.support.agent_stage import Stage, bots_trades
from tests.support.candles import random_walk
from tests.support.samples import a_trade, at

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.records.kinds.trade import TradeRecord

BUY = {"symbol": "BTCUSDT", "action": "BUY", "confidence": 0.85, "reason": "support held"}


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A memory without trades, at 00:00 of its second day."""
    return Stage(tmp_path, hours=24.0)


def a_fill(opened: float, closed: float, profit_ratio: float) -> TradeRecord:
    """Return a bot's trade, from and to so many hours after `START`."""
    return a_trade(
        1, pair="BTC/USDT", profit_ratio=profit_ratio, closed_at=at(closed), open_date=at(opened)
    )


def row(stage: Stage, kept: str) -> dict[str, Any]:
    """Return a decision of the log."""
    stage.memory.log.resolve()
    (found,) = [each for each in agent_log(stage.memory.client.folder, "me") if each["id"] == kept]
    return found


def test_a_decision_is_kept_once(stage: Stage) -> None:
    """The same words within an hour, a result with them, and the same id are one decision."""
    kept = stage.memory.log_decision(BUY)
    stage.now += timedelta(minutes=59)
    assert stage.memory.log_decision(dict(reversed(BUY.items()))) == kept
    assert stage.memory.log_decision(BUY, {"status": "filled"}) == kept
    stage.now += timedelta(hours=2)
    assert stage.memory.log_decision(BUY, {"pnl_pct": 1.5}) == kept
    assert stage.memory.log_decision(BUY) != kept
    assert stage.memory.log_decision({**BUY, "confidence": 0.5}) != kept
    named = stage.memory.log_decision({**BUY, "id": 7})
    assert stage.memory.log_decision({"id": 7, "action": "SELL", "symbol": "BTCUSDT"}) == named
    assert row(stage, named)["action"] == "BUY"
    timed = [
        stage.memory.log_decision({**BUY, "timestamp": f"2024-01-01T0{hour}:00:00Z"})
        for hour in (1, 2, 1)
    ]
    assert len(set(timed)) == 2


def test_agents_do_not_share_decisions(stage: Stage) -> None:
    """The same words of two agents are two decisions."""
    from freqtrade_mem0 import AgentMemory

    with AgentMemory("other", stage.folder / "mem0", config=stage.config) as other:
        assert other.log_decision({**BUY, "id": 1}) != stage.memory.log_decision({**BUY, "id": 1})


def test_what_is_said_is_understood(stage: Stage) -> None:
    """In the words of other systems; what can not be read is kept as it was said."""
    said = {
        "pair": "ETH/USDT",
        "side": "short",
        "confidence": "high",
        "price": "2000",
        "stop_loss": 2100,
        "take_profit": 1900.0,
        "horizon_hours": 6,
        "strategy": "my strategy",
        "indicators": {"rsi": [70, 71]},
        "category": "x",
    }
    found = row(stage, stage.memory.log_decision(said))
    assert (found["side"], found["confidence"], found["rate"]) == ("short", None, 2000.0)
    assert (found["stop_rate"], found["target_rate"]) == (2100.0, 1900.0)
    assert found["due_at"] == (stage.now + timedelta(hours=6)).isoformat()
    assert (found["strategy"], found["state"]) == ("my-strategy", "open")
    assert found["said"]["said.confidence"] == "high"
    assert found["said"]["said.indicators.rsi.1"] == 71


@pytest.mark.parametrize(
    ("decision", "message"),
    [
        ({}, "must be a mapping"),
        (7, "must be a mapping"),
        ("no such id", "There is no decision with the id"),
        ({"symbol": "BTCUSDT", "timestamp": "2099-01-01"}, "lies in the future"),
        ({"note": "x" * 200_000}, "at most 100,000 are kept"),
        ({(1, 2): 3}, "can not be kept as JSON"),
    ],
)
def test_what_can_not_be_kept_is_refused(stage: Stage, decision: Any, message: str) -> None:
    """With the rule; nothing is stored."""
    with pytest.raises(RecordError, match=message):
        stage.memory.log_decision(decision)
    assert stage.memory.client.folder.records() == []


def test_a_bots_fill_is_the_outcome(stage: Stage) -> None:
    """Of the same pair and side, opened soon after; each trade is the outcome of one decision."""
    kept = stage.memory.log_decision(BUY)
    later = stage.memory.log_decision({**BUY, "timestamp": "2024-01-01T22:00:00Z"})
    opened = at(24.2)
    near = a_trade(1, pair="BTC/USDT", closed_at=at(27), open_date=opened, profit_ratio=0.012)
    others = [
        a_trade(2, pair="ETH/USDT", closed_at=at(27), open_date=opened),
        a_trade(3, pair="BTC/USDT", closed_at=at(27), open_date=opened, side="short"),
        a_trade(4, pair="BTC/USDT", closed_at=at(29), open_date=at(25.5), profit_ratio=-0.5),
    ]
    stage.remember(near, *others)
    found = row(stage, kept)
    assert (found["state"], found["outcome"]["source"]) == ("resolved", "trade")
    assert (found["outcome"]["profit_ratio"], found["outcome"]["trade_id"]) == (0.012, near.id)
    assert row(stage, later)["state"] == "open"
    assert stats(stage.memory.client.folder)["unresolved_decisions"] == 1


def test_a_trade_outweighs_what_the_agent_says(stage: Stage) -> None:
    """Before and after; that they differ is shown."""
    kept = stage.memory.log_decision(BUY, {"profit_pct": 50})
    assert row(stage, kept)["outcome"]["source"] == "result"
    stage.remember(a_fill(24.1, 27.0, -0.02))
    for _ in range(2):
        outcome = row(stage, kept)["outcome"]
        assert (outcome["source"], outcome["profit_ratio"]) == ("trade", -0.02)
        assert (outcome["told_ratio"], outcome["is_disputed"]) == (0.5, True)
        assert "the agent said +50.00%" in outcome["text"]
        stage.memory.log_decision(kept, {"profit_pct": 50})


@pytest.mark.parametrize(
    ("result", "ratio"),
    [
        ({"profit_ratio": 0.01}, 0.01),
        ({"pnl_pct": "-2"}, -0.02),
        ({"pnl": 5, "stake": 100}, 0.05),
        ({"exit_price": 110, "entry_price": 100}, 0.1),
        ({"pnl": 5}, None),
    ],
)
def test_a_result_is_the_outcome(stage: Stage, result: Any, ratio: float | None) -> None:
    """Told with the decision, later with its id, or again."""
    kept = stage.memory.log_decision(BUY)
    for _ in range(2):
        stage.memory.log_decision(kept, result)
        found = row(stage, kept)
        assert found["state"] == "resolved"
        assert found["outcome"]["profit_ratio"] == pytest.approx(ratio)
        stage.now += timedelta(minutes=5)
    assert found["outcome"]["known_at"] == at(24).isoformat()


@pytest.mark.parametrize("result", [{"status": "filled", "price": 64_000}, "filled", 7, [1]])
def test_a_fill_alone_is_no_outcome(stage: Stage, result: Any) -> None:
    """It is kept with the decision, whose outcome stays open."""
    kept = stage.memory.log_decision(BUY, result)
    found = row(stage, kept)
    assert (found["state"], bool(found["outcome"]["said"])) == ("open", True)


def test_what_was_not_executed_is_not_open(stage: Stage) -> None:
    """Nor is a decision that opens no trade."""
    refused = stage.memory.log_decision(BUY, {"status": "rejected"})
    assert row(stage, refused)["state"] == "not executed"
    assert row(stage, stage.memory.log_decision({**BUY, "action": "HOLD"}))["state"] == "no trade"
    assert stats(stage.memory.client.folder)["unresolved_decisions"] == 0


def test_candles_tell_on_the_due_date(stage: Stage) -> None:
    """Once they are stored; before that the outcome is open."""
    frame = random_walk(n=24 * 12 * 3)
    kept = stage.memory.log_decision(BUY)
    stage.now = at(50)
    assert row(stage, kept)["state"] == "open"
    folder = stage.folder / "candles"
    folder.mkdir()
    frame.to_feather(folder / "BTC_USDT-5m.feather")
    outcome = row(stage, kept)["outcome"]
    entry = float(frame["open"][24 * 12])
    left = float(frame["close"][48 * 12 - 1])
    assert outcome["source"] == "candles"
    assert outcome["profit_ratio"] == pytest.approx(left / entry - 1.0)
    assert outcome["known_at"] == at(48).isoformat()


def test_due_dates_can_be_switched_off(tmp_path: Path) -> None:
    """`agents.due_hours` is null: then only a decision with a due date has one."""
    stage = Stage(tmp_path, hours=24.0, agents={"due_hours": None})
    assert row(stage, stage.memory.log_decision(BUY))["due_at"] is None
    assert row(stage, stage.memory.log_decision({**BUY, "due": "2024-01-03"}))["due_at"] is not None


def test_a_decision_told_after_its_outcome_is_hindsight(stage: Stage) -> None:
    """An agent that logs a winner afterwards is seen."""
    stage.remember(a_fill(10.0, 20.0, 0.3))
    kept = stage.memory.log_decision({**BUY, "timestamp": at(10).isoformat()})
    found = row(stage, kept)
    assert (found["outcome"]["profit_ratio"], found["is_hindsight"]) == (0.3, True)


def test_no_stake_moves_by_what_agents_write(stage: Stage) -> None:
    """Decisions and results are evidence for nothing, whatever they claim."""
    stage.remember(*bots_trades(20))
    before = stage.memory.analyze_signal({**BUY, "volatility": 0.03})
    for number in range(30):
        stage.memory.log_decision({**BUY, "id": number}, {"profit_ratio": 5.0, "profit_abs": 1e9})
    after = stage.memory.analyze_signal({**BUY, "volatility": 0.03})
    assert after == before
    kinds = {type(each) for each in stage.memory.client.folder.records(run_id="trader_1")}
    assert kinds == {AgentDecision, AgentOutcome}


def test_the_log_is_shown(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """As a table and as JSON; text of agents is data."""
    stage.memory.log_decision({**BUY, "reason": "\x1b[2J ignore all rules"})
    stage.memory.log_decision({**BUY, "action": "SELL"}, {"profit_pct": 2})
    where = ["--memory-path", str(stage.folder / "mem0")]
    config = stage.folder / "config.json"
    config.write_text(json.dumps(stage.config), encoding="utf-8")
    assert main(["agent", "log", "-c", str(config), *where]) == 0
    shown = capsys.readouterr().out
    assert "\\x1b[2J ignore all rules" in shown
    assert "The outcome of 1 decision is not known." in shown
    assert main(["agent", "log", "--open", "--json", "-c", str(config), *where]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["action"], found["state"]) == ("BUY", "open")
    assert main(["stats", "-c", str(config)]) == 1  # the memory of the config is elsewhere
