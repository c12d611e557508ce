"""Rules are proposed by anybody, approved by the owner of this machine, and end when retired."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.core_memory.rules import (
    acting_rules,
    append_step,
    find_rule,
    note_active,
    reach,
    rules,
    take_rule_step,
)
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.kinds.rule import Rule, RuleState, RuleStep, rule_step_id
from freqtrade_mem0.run.bot.agents import AgentUpkeep
from tests.support.agent_stage import Stage, bots_trades
from tests.support.samples import ORIGIN, at
from tests.support.session_stage import a_stage, proposal

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.records.base import Record

APPROVED, REJECTED, RETIRED = RuleState.APPROVED, RuleState.REJECTED, RuleState.RETIRED
RULE: dict[str, Any] = {
    "strategy": "Sample",
    "when": ["rsi < 40"],
    "scale": 0.5,
    "note": "falling knives",
}


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A memory without trades."""
    return Stage(tmp_path, hours=14.5)


def step(stage: Stage, wanted: str, state: RuleState, **how: Any) -> dict[str, Any]:
    """Take a step as the owner, now."""
    folder = stage.memory.client.folder
    life = find_rule(folder, wanted)
    assert life is not None
    return take_rule_step(folder, life, state, stage.now, **how)


def tried(stage: Stage, wanted: str) -> None:
    """Note a trial."""
    journal = stage.memory.client.folder.journal
    rule = journal.record_of(Rule, wanted)
    assert rule is not None
    append_step(journal, rule, RuleState.TRIED, stage.now, by="compare", reason="x")


def n_acting(stage: Stage) -> int:
    """Return how many rules act now."""
    return len(acting_rules(stage.memory.client.folder.journal, ORIGIN, stage.now))


def test_a_rule_lives_by_dated_steps(stage: Stage) -> None:
    """Proposed, tried, approved, taken up by a bot, retired; and approved again."""
    kept = stage.memory.propose_rule(RULE)
    journal = stage.memory.client.folder.journal
    assert n_acting(stage) == 0
    tried(stage, kept)
    stage.now = at(20)
    assert step(stage, kept[:8], APPROVED, reason="looks right")["state"] == "approved"
    assert step(stage, kept, APPROVED) == step(stage, kept, APPROVED)
    assert n_acting(stage) == 1
    assert [note_active(journal, ORIGIN, at(21)) for _ in range(2)] == [1, 0]
    stage.now = at(30)
    row = step(stage, kept, RETIRED)
    assert n_acting(stage) == 0
    assert [(each["state"], each["by"]) for each in row["steps"]] == [
        ("tried", "compare"),
        ("approved", "owner"),
        ("active", "bot-1"),
        ("retired", "owner"),
    ]
    assert row["steps"][1]["at"] == at(20).isoformat()
    assert row["steps"][1]["evidence"]  # the trial
    stage.now = at(40)
    step(stage, kept, APPROVED)
    spans = [(each.since, each.until) for each in acting_rules(journal, ORIGIN)]
    assert spans[0] == (at(20), at(30))
    assert spans[1][0] == at(40)
    assert note_active(journal, ORIGIN, at(41)) == 1


@pytest.mark.parametrize(
    ("taken", "state", "message"),
    [
        ((), APPROVED, "was not tried"),
        ((), RETIRED, "it can be tried or approved or rejected"),
        ((APPROVED,), REJECTED, "it can be tried or retired"),
    ],
)
def test_a_step_must_follow_on_the_last(
    stage: Stage, taken: tuple[RuleState, ...], state: RuleState, message: str
) -> None:
    """The error says what can be done."""
    kept = stage.memory.propose_rule(RULE)
    for each in taken:
        step(stage, kept, each, untried=True)
    with pytest.raises(RecordError, match=message):
        step(stage, kept, state)


def test_an_untried_rule_says_so_for_ever(stage: Stage) -> None:
    """In the reason of its approval."""
    kept = stage.memory.propose_rule(RULE)
    row = step(stage, kept, APPROVED, reason="I know", untried=True)
    assert row["steps"][0]["reason"] == "not tried. I know"


def test_the_same_rule_is_kept_once(stage: Stage) -> None:
    """Whoever proposes it, in whatever order and form; another effect is another rule."""
    when = ["rsi < 40", "weekday in Sat, Sun"]
    kept = stage.memory.propose_rule({**RULE, "when": when})
    same = {"weekday": ["Sat", "Sun"], "rsi": "< 40"}
    assert stage.memory.propose_rule({**RULE, "when": same, "note": "other words"}) == kept
    assert stage.memory.propose_rule({**RULE, "when": when, "scale": 0.6}) != kept
    assert rules(stage.memory.client.folder, "me")[0]["note"] == "falling knives"


@pytest.mark.parametrize(
    "change",
    [
        {"strategy": None},
        {"strategy": "manual"},
        {"when": ["rsi"]},
        {"evidence": "x"},
        {"data_until": "yesterday"},
        {"code": "import os"},
    ],
)
def test_a_wrong_proposal_is_refused(stage: Stage, change: dict[str, Any]) -> None:
    """And nothing is kept."""
    with pytest.raises(RecordError):
        stage.memory.propose_rule({**RULE, **change})
    assert stage.memory.client.folder.records() == []


def test_data_are_as_new_as_the_newest_evidence(stage: Stage) -> None:
    """Whatever is said."""
    stage.now = at(700)
    trades = bots_trades(5)
    stage.remember(*trades)
    stage.memory.propose_rule({**RULE, "data_until": "2024-01-01", "evidence": [trades[3].id]})
    (rule,) = stage.memory.client.folder.journal.of_kind(Rule)
    assert rule.seen_until == trades[3].known_at
    stage.memory.propose_rule({**RULE, "scale": 0.7})
    (_, other) = stage.memory.client.folder.journal.of_kind(Rule)
    assert other.seen_until == at(700)


def test_what_another_machine_approved_waits_here(stage: Stage) -> None:
    """A step that comes through Mem0 or from a file has no effect, forged or not."""
    kept = stage.memory.propose_rule(RULE)
    (rule,) = stage.memory.client.folder.records()
    forged: Record = RuleStep(
        id=rule_step_id(kept, APPROVED, stage.now, "owner"),
        origin=rule.origin,
        known_at=stage.now,
        recorded_at=stage.now,
        rule_id=kept,
        state=APPROVED,
        by="owner",
    )
    stage.memory.client.folder.journal.adopt([forged])
    stage.now += timedelta(hours=1)
    assert n_acting(stage) == 0
    assert rules(stage.memory.client.folder, "me")[0]["state"] == "proposed"


def test_nobody_changes_a_rule_that_was_approved(stage: Stage) -> None:
    """A rule that came from elsewhere and is approved here; its origin corrects it later."""
    kept = stage.memory.propose_rule(RULE)
    journal = stage.memory.client.folder.journal
    (rule,) = journal.of_kind(Rule)
    with Stage(stage.folder / "here").memory as here:
        journal = here.client.folder.journal
        journal.adopt([rule])
        life = find_rule(here.client.folder, kept)
        assert life is not None
        take_rule_step(here.client.folder, life, APPROVED, stage.now, untried=True)
        assert len(acting_rules(journal, ORIGIN)) == 1
        journal.adopt([replace(rule, scale=9.0, recorded_at=at(99))])
        assert acting_rules(journal, ORIGIN) == []


def test_what_a_rule_would_have_applied_to_is_counted(stage: Stage) -> None:
    """And a feature that no trade has is named: it never fires."""
    stage.now = at(700)
    trades = bots_trades()
    stage.remember(*trades)
    journal = stage.memory.client.folder.journal
    stage.memory.propose_rule({**RULE, "when": ["rsi < 40", "pair == BTC/USDT"]})
    stage.memory.propose_rule({**RULE, "when": ["rsii < 40", "hour >= 0"]})
    first, second = journal.of_kind(Rule)
    n = sum(trade.situation["rsi"] < 40 and trade.pair == "BTC/USDT" for trade in trades)  # type: ignore[operator]
    assert reach(journal, first) == {"trades": 60, "applies_to": n, "unknown": {}}
    assert reach(journal, second) == {"trades": 60, "applies_to": 0, "unknown": {"rsii": ["rsi"]}}


def test_an_agent_is_answered_as_a_bot_would_stake(stage: Stage) -> None:
    """An approved rule is in the multiplier; a proposed one is not."""
    stage.now = at(700)
    stage.remember(*bots_trades())
    signal = {"symbol": "BTCUSDT", "action": "BUY", "rsi": 30.0, "volatility": 0.03}
    before = stage.memory.analyze_signal(signal)
    kept = stage.memory.propose_rule(RULE)
    assert stage.memory.analyze_signal(signal) == before
    step(stage, kept, APPROVED, untried=True)
    stage.now += timedelta(seconds=1)
    found = stage.memory.analyze_signal(signal)
    assert found["multiplier"] == pytest.approx(before["multiplier"] / 2, rel=1e-3)
    assert any("falling knives" in text for text in found["reasons"])


def test_a_running_bot_takes_up_what_was_approved(stage: Stage) -> None:
    """And drops what was retired, at the next look."""
    folder, bot = stage.memory.client.folder, a_stage()
    kept = stage.memory.propose_rule({**RULE, "strategy": "Sample"})
    upkeep = AgentUpkeep(bot.session, folder)
    found = []
    for hour, state in ((15, None), (16, APPROVED), (18, RETIRED)):
        stage.now = at(hour)
        if state is not None:
            step(stage, kept, state, untried=True)
        upkeep.run(at(hour + 0.5))
        found.append(bot.session.decide(proposal(hour + 1.0)).multiplier)
    assert found == [1.0, 0.5, 1.0]
    assert [each["state"] for each in rules(folder, "me")[0]["steps"]] == [
        "approved",
        "active",
        "retired",
    ]


def test_the_commands_do_it(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Proposed from a file, listed, approved, retired; what is wrong is said."""
    stage.memory.initialize()
    config, file = stage.folder / "config.json", stage.folder / "rules.json"
    config.write_text(json.dumps(stage.config), encoding="utf-8")
    where = ["-c", str(config), "--memory-path", str(stage.folder / "mem0")]
    file.write_text(json.dumps([RULE, {**RULE, "scale": 99}]), encoding="utf-8")
    assert main(["agent", "propose", str(file), *where]) == 1
    assert "scale is the rule's factor" in capsys.readouterr().err
    file.write_text(json.dumps([RULE, {**RULE, "scale": None, "veto": True}]), encoding="utf-8")
    assert main(["agent", "propose", str(file), "--json", *where]) == 0
    kept, veto = json.loads(capsys.readouterr().out)["ids"]
    assert main(["agent", "approve", kept[:12], *where]) == 1
    assert "was not tried" in capsys.readouterr().err
    assert main(["agent", "approve", kept[:12], "--untried", *where]) == 0
    said = capsys.readouterr()
    assert f"The rule {kept[:8]} of Sample is approved: x0.5 where rsi < 40." in said.out
    assert "nothing shows what it would have done" in said.err
    assert main(["agent", "approve", veto, "--untried", *where]) == 0
    assert "no entry is refused" in capsys.readouterr().err
    assert main(["agent", "apply", kept, *where]) == 1
    assert "is for parameters" in capsys.readouterr().err
    assert main(["agent", "revert", kept, *where]) == 0
    assert main(["agent", "retire", "nothing", *where]) == 1
    capsys.readouterr()
    assert main(["agent", "rules", "--json", *where]) == 0
    assert [row["state"] for row in json.loads(capsys.readouterr().out)] == ["retired", "approved"]
    assert main(["agent", "rules", *where]) == 0
    assert "falling knives" in " ".join(capsys.readouterr().out.split())
