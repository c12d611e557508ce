"""Outcomes are found from what is new, each trade once, and nothing is written of what is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.core_memory.outcomes import Outcomes
from freqtrade_mem0.errors import JournalError
from freqtrade_mem0.records.kinds.agent_decision import AgentDecision
from freqtrade_mem0.records.kinds.agent_outcome import AgentOutcome
from tests.support.agent_stage import Stage
from tests.support.samples import a_retraction, a_trade, at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BUY = {"symbol": "BTCUSDT", "action": "BUY"}


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A memory without trades, at 00:00 of its second day."""
    return Stage(tmp_path, hours=24.0)


def a_fill(number: int, opened: float, closed: float) -> Any:
    """Return a bot's trade of the pair that `BUY` is about."""
    return a_trade(number, pair="BTC/USDT", closed_at=at(closed), open_date=at(opened))


def outcomes_of(stage: Stage) -> list[AgentOutcome]:
    """Return all outcomes in the journal."""
    return list(stage.memory.client.folder.journal.of_kind(AgentOutcome))


def test_a_look_finds_what_came_since(stage: Stage) -> None:
    """A trade that closes later, a decision that is logged later, in any order."""
    journal = stage.memory.client.folder.journal
    outcomes = Outcomes(journal, "me")
    first = stage.memory.log_decision({**BUY, "id": 1})
    assert outcomes.resolve(stage.now, journal.append) == 0
    stage.remember(a_fill(1, 24.2, 27))
    assert outcomes.resolve(at(27), journal.append) == 1
    assert outcomes.resolve(at(27), journal.append) == 0
    stage.remember(a_fill(2, 30.2, 33))
    assert outcomes.resolve(at(33), journal.append) == 0
    stage.now = at(34)
    later = stage.memory.log.log({**BUY, "id": 2, "timestamp": at(30).isoformat()})
    assert outcomes.resolve(at(34), journal.append) == 1
    assert [each.decision_id for each in outcomes_of(stage)] == [first, later]


def test_a_trade_is_the_outcome_of_one_decision_for_ever(stage: Stage) -> None:
    """A decision that is logged after the trade was used gets none, also from a new process."""
    journal = stage.memory.client.folder.journal
    stage.memory.log_decision({**BUY, "id": 1})
    stage.remember(a_fill(1, 24.2, 27))
    assert Outcomes(journal, "me").resolve(at(27), journal.append) == 1
    stage.memory.log.log({**BUY, "id": 2})
    assert Outcomes(journal, "me").resolve(at(27), journal.append) == 0


def test_what_could_not_be_written_is_found_again(stage: Stage) -> None:
    """Nothing is lost when the journal fails once."""
    journal = stage.memory.client.folder.journal
    outcomes = Outcomes(journal, "me")
    stage.memory.log_decision(BUY)
    outcomes.resolve(stage.now, journal.append)
    stage.remember(a_fill(1, 24.2, 27))

    def fail(_: Sequence[AgentOutcome]) -> None:
        raise JournalError("full")

    with pytest.raises(JournalError):
        outcomes.resolve(at(27), fail)
    assert outcomes.resolve(at(27), journal.append) == 1


def test_a_decision_that_is_gone_has_no_outcome(stage: Stage) -> None:
    """It was taken back after it was read."""
    journal = stage.memory.client.folder.journal
    outcomes = Outcomes(journal, "me")
    kept = stage.memory.log_decision(BUY)
    outcomes.resolve(stage.now, journal.append)
    (decision,) = journal.of_kind(AgentDecision)
    stage.remember(a_retraction(kept, origin=decision.origin))
    stage.remember(a_fill(1, 24.2, 27))
    assert outcomes.resolve(at(27), journal.append) == 0
    assert outcomes_of(stage) == []
