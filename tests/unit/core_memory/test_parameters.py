"""Changes of parameters are proposed by agents and decided by the owner; files show both."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.core_memory.files import CORE_LOG, PARAMETERS, parameter_days, write_agent_files
from freqtrade_mem0.core_memory.log import agent_log
from freqtrade_mem0.core_memory.parameters import parameter_updates, take_step
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.lifecycle.forget.files import delete_in_files
from freqtrade_mem0.lifecycle.forget.scope import ForgetScope
from freqtrade_mem0.records.kinds.parameter_update import ParameterStep, UpdateState, step_id
from tests.support.agent_stage import Stage, bots_trades
from tests.support.samples import at

GOLDEN = Path(__file__).parents[2] / "assets" / "agent"
APPROVED, APPLIED, REJECTED, REVERTED = (
    UpdateState.APPROVED,
    UpdateState.APPLIED,
    UpdateState.REJECTED,
    UpdateState.REVERTED,
)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A memory without trades."""
    return Stage(tmp_path, hours=14.5)


def step(stage: Stage, wanted: str, state: UpdateState, reason: str = "") -> dict[str, Any]:
    """Take a step now."""
    return take_step(stage.memory.client.folder, wanted, state, stage.now, reason)


def test_a_proposal_has_no_effect_before_it_is_approved(stage: Stage) -> None:
    """Proposed, approved, applied, reverted: each step is dated."""
    kept = stage.memory.propose_parameters({"x": 0.05}, "more volatility", before={"x": 0.04})
    assert stage.memory.parameters() == {}
    for hour, state in enumerate((APPROVED, APPLIED, REVERTED)):
        stage.now = at(20 + hour)
        row = step(stage, kept[:8], state, "as said")
        assert stage.memory.parameters() == {"x": 0.04 if state is REVERTED else 0.05}
        assert step(stage, kept, state) == row
    assert [(each["state"], each["at"]) for each in row["steps"]] == [
        ("approved", at(20).isoformat()),
        ("applied", at(21).isoformat()),
        ("reverted", at(22).isoformat()),
    ]
    assert (row["from"], row["to"], row["reason"]) == ({"x": 0.04}, {"x": 0.05}, "more volatility")


@pytest.mark.parametrize(
    ("taken", "state", "allowed"),
    [
        ((), APPLIED, "it can be approved or rejected"),
        ((), REVERTED, "it can be approved or rejected"),
        ((REJECTED,), APPROVED, "it can be nothing else"),
        ((APPROVED,), REJECTED, "it can be applied or reverted"),
        ((APPROVED, REVERTED), APPROVED, "it can be nothing else"),
    ],
)
def test_a_step_must_follow_on_the_last(
    stage: Stage, taken: tuple[UpdateState, ...], state: UpdateState, allowed: str
) -> None:
    """The error says what can be done."""
    kept = stage.memory.propose_parameters({"x": 1}, "")
    for each in taken:
        step(stage, kept, each)
    with pytest.raises(RecordError, match=allowed):
        step(stage, kept, state)


def test_of_several_updates_the_last_approved_counts(stage: Stage) -> None:
    """Reverting an earlier one changes nothing that a later one set."""
    first = stage.memory.propose_parameters({"x": 2, "y": True}, "", before={"x": 1})
    step(stage, first, APPROVED)
    stage.now += timedelta(hours=1)
    second = stage.memory.propose_parameters({"x": 3}, "")
    step(stage, second, APPROVED)
    assert parameter_updates(stage.memory.client.folder, "me")[1]["from"] == {"x": 2}
    step(stage, first, REVERTED)
    assert stage.memory.parameters() == {"x": 3}
    step(stage, second, REVERTED)
    assert stage.memory.parameters() == {"x": 1}


def test_the_same_proposal_is_kept_once(stage: Stage) -> None:
    """While it waits, and once a day after it was rejected."""
    kept = stage.memory.propose_parameters({"x": 1}, "a")
    stage.now += timedelta(days=3)
    assert stage.memory.propose_parameters({"x": 1}, "b") == kept
    step(stage, kept, REJECTED)
    again = stage.memory.propose_parameters({"x": 1}, "c")
    assert again != kept
    step(stage, again, REJECTED)
    assert stage.memory.propose_parameters({"x": 1}, "d") == again


@pytest.mark.parametrize(
    "changes",
    [{}, None, {"x": [1]}, {"": 1}, {"x": float("nan")}, {"x": "y" * 5_000}, {"x": 10**31}],
)
def test_values_are_plain(stage: Stage, changes: Any) -> None:
    """Anything else is refused, and nothing is kept."""
    with pytest.raises(RecordError):
        stage.memory.propose_parameters(changes, "")
    assert stage.memory.client.folder.records() == []


def test_what_another_machine_approved_waits_here(stage: Stage) -> None:
    """A step that comes through Mem0 has no effect, forged or not."""
    kept = stage.memory.propose_parameters({"x": 1}, "")
    journal = stage.memory.client.folder.journal
    (update,) = stage.memory.client.folder.records()
    forged = ParameterStep(
        id=step_id(kept, APPROVED),
        origin=update.origin,
        known_at=stage.now,
        recorded_at=stage.now,
        update_id=kept,
        state=APPROVED,
    )
    journal.adopt([forged])
    assert stage.memory.parameters() == {}
    step(stage, kept, APPROVED)
    assert stage.memory.parameters() == {"x": 1}


def test_no_stake_moves_by_parameters(stage: Stage) -> None:
    """They are the agent's own, whatever they are called."""
    stage.now = at(700)
    stage.remember(*bots_trades())
    signal = {"symbol": "BTCUSDT", "action": "BUY", "volatility": 0.03}
    before = stage.memory.analyze_signal(signal)
    kept = stage.memory.propose_parameters({"sizing.max_multiplier": 9.0}, "", strategy="Sample")
    step(stage, kept, APPROVED)
    assert stage.memory.analyze_signal(signal) == before


def played(stage: Stage) -> None:
    """Log decisions and updates of two days."""
    buy = {
        "strategy": "momentum",
        "symbol": "BTCUSDT",
        "action": "BUY",
        "confidence": 0.85,
        "price": 65_000,
        "stop_loss": 64_500,
        "take_profit": 66_000,
    }
    stage.memory.log_decision(buy, {"pnl": 500, "stake_amount": 65_000})
    stage.now += timedelta(minutes=5)
    sell = {"symbol": "ETH/USDT", "action": "SELL", "confidence": 0.6, "reason": "x\n[2020] y"}
    stage.memory.log_decision(sell, {"profit_pct": -2.5})
    stage.memory.log_decision({**sell, "action": "HOLD\n[2020-01-01 00:00:00] Learned: z"})
    first = stage.memory.propose_parameters(
        {"momentum_threshold": 0.05, "position_size": 0.1},
        "Volatility rose",
        before={"momentum_threshold": 0.04},
        strategy="momentum",
    )
    stage.memory.propose_parameters({"never": 1}, "not approved", strategy="momentum")
    step(stage, first, APPROVED)
    stage.now += timedelta(days=1)
    second = stage.memory.propose_parameters({"position_size": 0.2}, "", strategy="momentum")
    step(stage, second, APPROVED)
    step(stage, first, REVERTED, "calm again")


def test_files_have_the_form_that_others_read(stage: Stage) -> None:
    """Line by line and day by day; a text of an agent makes no line of its own."""
    played(stage)
    for path in write_agent_files(stage.memory.client.folder, "me", stage.folder / "out"):
        assert path.read_text(encoding="utf-8") == (GOLDEN / path.name).read_text(encoding="utf-8")


def test_strategies_with_the_same_parameter_are_told_apart(stage: Stage) -> None:
    """Their names stand before it."""
    for strategy in ("A", "B"):
        kept = stage.memory.propose_parameters({"x": 1}, "", strategy=strategy)
        step(stage, kept, APPROVED)
    (day,) = parameter_days(stage.memory.client.folder, "me").values()
    assert (day["A.x"], day["B.x"]) == (1, 1)


def test_lessons_know_only_what_was_closed(stage: Stage) -> None:
    """Of decisions that closed later they say nothing."""
    for number in range(6):
        stage.now = at(20 + number)
        decision = {"symbol": "BTCUSDT", "action": "BUY", "confidence": 0.9, "id": number}
        stage.memory.log_decision(decision, {"profit_pct": 1 if number < 3 else -1})
    lessons = [row["lesson"] for row in agent_log(stage.memory.client.folder, "me")]
    assert lessons[0] == (
        "decided with confidence 0.9, made +1.00%; 1 BUY BTC/USDT so far, too few for more"
    )
    assert lessons[5] == (
        "decided with confidence 0.9, made -1.00%; 3 of 6 BUY BTC/USDT made money, 0.00% on average"
        " (95% interval -1.15% to +1.15%); 3 of 6 decisions with a confidence of 0.8 or more did,"
        " 90% by their confidence"
    )


def test_the_commands_do_it(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Listed, approved, exported; wrong usage is said."""
    played(stage)
    config = stage.folder / "config.json"
    config.write_text(json.dumps(stage.config), encoding="utf-8")
    where = ["-c", str(config), "--memory-path", str(stage.folder / "mem0")]
    assert main(["agent", "parameters", "--json", *where]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["state"] for row in rows] == ["reverted", "proposed", "approved"]
    assert main(["agent", "approve", rows[1]["id"][:8], *where]) == 0
    assert "is approved: never - -> 1." in capsys.readouterr().out
    assert main(["agent", "reject", rows[1]["id"], *where]) == 1
    assert "it can be applied or reverted" in capsys.readouterr().err
    assert main(["agent", "approve", *where]) == 1
    assert main(["agent", "log", "x", *where]) == 1
    assert main(["agent", "parameters", *where]) == 0
    assert "momentum_threshold 0.04 -> 0.05" in " ".join(capsys.readouterr().out.split())
    assert main(["agent", "export", "--json", *where]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert [Path(file).name for file in files] == [CORE_LOG, PARAMETERS]
    delete_in_files(stage.memory.client.folder, ForgetScope(user_id="me"), lambda: None)
    assert not any(Path(file).exists() for file in files)


def test_every_line_has_a_time(stage: Stage) -> None:
    """In order, in brackets."""
    played(stage)
    write_agent_files(stage.memory.client.folder, "me", stage.folder)
    lines = (stage.folder / CORE_LOG).read_text(encoding="utf-8").splitlines()
    times = [datetime.fromisoformat(line[1:20]) for line in lines]
    assert times == sorted(times)
