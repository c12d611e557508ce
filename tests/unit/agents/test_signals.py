"""An agent asks about a signal and gets what a bot's stake would get, or what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.agents import AgentMemory, known
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.views.entries import explain_entry, known_run
from tests.support.agent_stage import Stage, bots_trades
from tests.support.samples import (
    BACKTEST,
    NOTED,
    ORIGIN,
    a_note,
    a_promotion,
    a_retraction,
    a_risk_event,
    a_trade,
    at,
)

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.views.entries import KnownRun

SIGNAL = {
    "symbol": "BTCUSDT",
    "action": "BUY",
    "enter_tag": "dip",
    "situation": {"volatility": 0.02, "trend_regime": "uptrend", "rsi": 30.0},
}


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A memory with the trades of one dry-run bot."""
    stage = Stage(tmp_path)
    stage.remember(*bots_trades())
    return stage


def counted_reads(monkeypatch: pytest.MonkeyPatch) -> list[Scope]:
    """Return a list that grows with every run that is read as a whole."""
    read: list[Scope] = []

    def counted(memory: MemoryFolder, scope: Scope, *, keeps_trades: bool) -> KnownRun:
        read.append(scope)
        return known_run(memory, scope, keeps_trades=keeps_trades)

    monkeypatch.setattr(known, "known_run", counted)
    return read


def test_the_multiplier_is_that_of_a_bots_stake(stage: Stage) -> None:
    """The same code answers `why --now`."""
    found = stage.memory.analyze_signal(SIGNAL)
    same = explain_entry(
        stage.memory.client.folder,
        Scope(user_id="me"),
        stage.now,
        pair="BTC/USDT",
        enter_tag="dip",
        features={"trend_regime": "uptrend"},
    )
    plain = {**SIGNAL, "situation": {"trend_regime": "uptrend"}}
    assert stage.memory.analyze_signal(plain)["multiplier"] == same["multiplier"]
    assert found["multiplier"] != 1.0
    assert found["n_effective"] == pytest.approx(same["n_effective"])
    assert (found["strategy"], found["mode"], found["run_id"]) == ("Sample", "dry_run", "bot-1")


def test_an_answer_has_an_interval_and_losses_first(stage: Stage) -> None:
    """Expectation inside its interval; confidence is the probability of a gain."""
    found = stage.memory.analyze_signal(SIGNAL)
    low, high = found["interval"]
    assert low < found["expected_ratio"] < high
    assert (found["confidence"] > 0.5) == (found["expected_ratio"] > 0.0)
    profits = [each["profit_ratio"] for each in found["nearest_trades"]]
    assert len(profits) == 5
    assert profits == sorted(profits)
    assert {each["pair"] for each in found["nearest_trades"]} == {"BTC/USDT"}
    assert "95% interval" in found["reason"]
    json.dumps(found, allow_nan=False)


def test_nothing_known_is_said(tmp_path: Path) -> None:
    """Without a memory, and of a strategy that has none; nothing is created by asking."""
    stage = Stage(tmp_path)
    found = stage.memory.analyze_signal(SIGNAL)
    assert (found["is_known"], found["multiplier"], found["confidence"]) == (False, 1.0, 0.5)
    assert found["reason"].startswith("Nothing is known: no closed trade is in")
    assert not (tmp_path / "mem0").exists()
    stage.remember(*bots_trades(3))
    other = stage.memory.analyze_signal({**SIGNAL, "strategy": "Sampel"})
    assert (other["is_known"], "Did you mean 'Sample'?" in other["reason"]) == (False, True)


def test_trades_of_later_do_not_count(stage: Stage) -> None:
    """What became known after the moment of the question changes nothing."""
    stage.now = at(300.5)
    found = stage.memory.analyze_signal(SIGNAL)
    early = Stage(stage.folder / "early", hours=300.5)
    early.remember(*bots_trades()[:30])
    assert early.memory.analyze_signal(SIGNAL) == found
    assert all(each["close_date"] < "2024-01-13T12:30" for each in found["nearest_trades"])


def test_accepted_priors_count(tmp_path: Path) -> None:
    """And are among the nearest trades."""
    stage = Stage(tmp_path)
    trades = [replace(each, id=f"p{each.id[1:]}", origin=BACKTEST) for each in bots_trades()]
    stage.remember(*trades)
    stage.remember(a_trade(99, pair="BTC/USDT"))
    alone = stage.memory.analyze_signal(SIGNAL)
    stage.remember(a_promotion())
    found = stage.memory.analyze_signal(SIGNAL)
    assert alone["n_effective"] == pytest.approx(1.0, abs=0.01)
    assert found["n_effective"] > 5.0
    assert len(found["nearest_trades"]) == 5


def test_new_trades_are_seen_at_once(stage: Stage) -> None:
    """A run is followed as the journal gets new rows."""
    before = stage.memory.analyze_signal(SIGNAL)["n_effective"]
    stage.remember(a_trade(70, pair="BTC/USDT"))
    assert stage.memory.analyze_signal(SIGNAL)["n_effective"] > before


def test_what_agents_write_makes_nothing_to_be_read_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run is read once, however many decisions are logged in between."""
    read = counted_reads(monkeypatch)
    for number in range(3):
        stage.memory.analyze_signal(SIGNAL)
        stage.memory.log_decision({**SIGNAL, "id": number}, {"pnl_pct": 1})
    assert len(read) == 1


@pytest.mark.parametrize(
    ("signal", "key", "rule"),
    [
        (None, "signal", "must be a mapping"),
        ([1], "signal", "must be a mapping"),
        ({}, "pair", "must name a pair"),
        ({"symbol": 7, "action": "BUY"}, "pair", "must name a pair"),
        ({"symbol": "??", "action": "BUY"}, "pair", "a pair is written as"),
        ({"symbol": "BTCUSDT", "action": "HOLD"}, "side", "opens no trade"),
        ({"symbol": "BTCUSDT", "action": ["BUY"]}, "side", "must be BUY or LONG"),
        ({"symbol": "BTCUSDT", "side": "upwards"}, "side", "must be BUY or LONG"),
        ({"symbol": "BTCUSDT", "strategy": 4}, "strategy", "must be a text"),
        ({"symbol": "BTCUSDT", "rsi": float("nan")}, "rsi", "must be a finite number"),
        ({"symbol": "BTCUSDT", "rsi": 10**400}, "rsi", "must be a finite number"),
        ({"symbol": "BTCUSDT", "rsi": True}, "rsi", "must be a number or a text"),
        ({"symbol": "BTCUSDT", "features": {"rsl": 1}}, "rsl", "Did you mean 'rsi'?"),
        ({"symbol": "BTCUSDT", "situation": "calm"}, "situation", "must be a mapping"),
        ({"symbol": "BTCUSDT", "actoin": "SELL"}, "actoin", "Did you mean 'action'?"),
    ],
)
def test_nonsense_is_answered_with_what_is_wrong(
    stage: Stage, signal: Any, key: str, rule: str
) -> None:
    """Which key, which rule; it never raises, and the answer is JSON."""
    found = stage.memory.analyze_signal(signal)
    assert any(each["key"] == key and rule in each["rule"] for each in found["problems"])
    if key in ("signal", "pair", "side"):
        assert (found["is_known"], found["multiplier"]) == (False, 1.0)
    json.dumps(found, allow_nan=False)


def test_a_side_that_is_not_said_is_guessed(stage: Stage) -> None:
    """And that is said."""
    found = stage.memory.analyze_signal({"symbol": "BTCUSDT"})
    assert (found["side"], found["guesses"]) == ("long", ["No side is said; long is taken."])


def test_a_market_is_answered_for_each_side(stage: Stage) -> None:
    """That trades of it have; without candles the answer says so."""
    stage.remember(a_trade(80, pair="BTC/USDT", side="short"))
    found = stage.memory.analyze_market({"symbol": "btcusdt", "timeframe": "5m"})
    assert (found["pair"], sorted(found["sides"])) == ("BTC/USDT", ["long", "short"])
    assert "there are no 5m candles" in found["market"]
    assert found["sides"]["long"]["is_known"]
    assert stage.memory.analyze_market("nonsense")["sides"]["long"]["problems"]  # type: ignore[arg-type]


def test_text_of_others_is_data(stage: Stage) -> None:
    """Control characters of tags and signals are shown as codes."""
    stage.remember(a_trade(90, pair="BTC/USDT", enter_tag="\x1b[2Jevil"))
    found = stage.memory.analyze_signal({**SIGNAL, "enter_tag": "\x1b[2Jevil"})
    assert "\x1b" not in json.dumps(found, ensure_ascii=False).replace("\\u001b", "\x1b")


def test_the_clock_is_that_of_now_by_default(tmp_path: Path) -> None:
    """A memory opened without one asks as of this moment."""
    from freqtrade_mem0 import AgentMemory

    with AgentMemory(None, tmp_path, config={"mem0": {"mode": "local"}}) as memory:
        memory.client.folder.journal.append([a_trade(1)])
        found = memory.analyze_signal({"symbol": "ETH/USDT", "action": "BUY"})
    assert found["as_of"] is None or found["as_of"][:4] >= str(datetime.now(UTC).year)


def test_a_run_that_is_followed_answers_as_one_that_is_read_anew(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After trades, stops, corrections, retractions, other bots' trades and rules."""
    other = replace(ORIGIN, run_id="bot-2")
    trades = bots_trades()
    situation: dict[str, float | str] = {"rsi": 40.0, "volatility": 0.03, "trend_regime": "uptrend"}

    def fresh(number: int, **changes: Any) -> Any:
        closed_at = at(600.0 + number)
        return a_trade(100 + number, closed_at=closed_at, situation=situation, **changes)

    news: list[list[Any]] = [
        [fresh(1)],
        [fresh(2, exit_reason="stop_loss", profit_ratio=-0.2), fresh(3, profit_ratio=-0.1)],
        [a_risk_event(1, event_type="range_jump", known_at=at(604), pair="BTC/USDT")],
        [fresh(5, origin=other, profit_ratio=0.3)],
        [replace(trades[3], profit_ratio=0.5, recorded_at=NOTED + timedelta(days=1))],
        [a_retraction(trades[4].id)],
        [a_note(1)],
        [fresh(9)],
    ]
    signal = {"symbol": "BTCUSDT", "action": "BUY", "strategy": "Sample", **situation}
    block: Any = stage.config["mem0"]
    block = {**block, "risk": {"damping": {"enabled": True}}}
    config = {**stage.config, "mem0": block}
    read = counted_reads(monkeypatch)
    folder = stage.folder / "mem0"
    where: dict[str, Any] = {"config": config, "now": lambda: at(700)}
    n_anew = 0
    with AgentMemory("a", folder, **where) as followed:
        followed.analyze_signal(signal)
        for records in news:
            stage.remember(*records)
            found = followed.analyze_signal(signal)
            with AgentMemory("b", folder, **where) as anew:
                n_anew += 1
                assert found == anew.analyze_signal(signal)
    # At first, where another bot is the newest (twice), after the correction and the retraction.
    assert len(read) - n_anew == 5
