"""Patterns as records: found, corrected, withdrawn, and read by no decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.decide.proposal import Proposal
from freqtrade_mem0.insight.patterns.trade import PatternTrade
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.lifecycle.cycle import run_cycle
from freqtrade_mem0.lifecycle.patterns import bring_up_to_date, is_news, patterns_of, refreshed
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.recall.follow import JournalFollower
from freqtrade_mem0.records.base import from_ms
from freqtrade_mem0.records.kinds.pattern import Pattern
from freqtrade_mem0.sizing.registry import policy_for
from tests.support.histories import MONTH_MS, START_MS, Noise, records
from tests.support.samples import BACKTEST, ORIGIN, a_pattern
from tests.support.session_stage import a_stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0.records.kinds.trade import TradeRecord

TAG = {"enter_tag": "tag0"}
END = from_ms(START_MS + 13 * MONTH_MS)


@cache
def trades(size: float = 1.2, seed: int = 1, later_ms: int = 0) -> tuple[TradeRecord, ...]:
    """Return a year of a bot in which entries with one tag are better."""
    noise = Noise(n=500, months=12).history(seed, {("enter_tag", "tag0"): size})
    moved = [
        PatternTrade(
            each.id,
            each.known_ms + later_ms,
            each.open_ms + later_ms,
            each.close_ms + later_ms,
            *each[4:],
        )
        for each in noise
    ]
    found = records(moved)
    return tuple(replace(each, id=f"{later_ms} {each.id}") for each in found)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[MemoryFolder]:
    """A memory without Mem0."""
    folder = MemoryFolder(Settings(mode="local", path=tmp_path, user_id="me"), tmp_path)
    yield folder
    folder.close()


def kept(memory: MemoryFolder) -> list[Pattern]:
    """Return the patterns in the journal."""
    return list(memory.journal.of_kind(Pattern))


def test_the_cycle_finds_what_is_there_and_says_how_much_it_tried(memory: MemoryFolder) -> None:
    """A second cycle finds nothing new and writes nothing."""
    memory.journal.append(trades())

    first = run_cycle(memory, END).counts["patterns"]
    seq = memory.journal.last_seq()
    second = run_cycle(memory, END + timedelta(days=1)).counts["patterns"]

    (pattern,) = kept(memory)
    assert (first["found"], first["withdrawn"], second["found"]) == (1, 0, 0)
    assert first["tested"] == second["tested"] == pattern.cells_tried > 1_000
    assert memory.journal.last_seq() == seq
    assert pattern.conditions == TAG
    own = [each for each in trades() if each.enter_tag == "tag0"]
    assert pattern.occurrence_count == len(own)
    assert pattern.success_rate == sum(t.profit_ratio > 0.0 for t in own) / len(own)
    assert pattern.avg_profit == pytest.approx(sum(t.profit_ratio for t in own) / len(own))
    assert pattern.last_occurrence == max(each.open_date for each in own)
    assert pattern.is_better
    assert "tag0 ended better than the other trades" in pattern.sentence()


def test_a_dry_run_writes_nothing(memory: MemoryFolder) -> None:
    """It says what would be found."""
    memory.journal.append(trades())
    assert run_cycle(memory, END, dry_run=True).counts["patterns"]["found"] == 1
    assert kept(memory) == []


def test_a_category_that_is_switched_off_gets_no_pattern(tmp_path: Path) -> None:
    """Nothing is even looked for."""
    settings = {"mode": "local", "user_id": "me", "categories": {"learning_insights": False}}
    memory = MemoryFolder(Settings.model_validate(settings), tmp_path)
    memory.journal.append(trades())
    assert run_cycle(memory, END).counts["patterns"]["tested"] == 0
    memory.close()


def test_a_pattern_whose_evidence_turned_is_withdrawn_by_a_correction(memory: MemoryFolder) -> None:
    """It stays, says so, and may come back as a new discovery."""
    settings = memory.settings.lifecycle
    memory.journal.append(trades())
    bring_up_to_date(memory.journal, ORIGIN, END, settings)
    (before,) = kept(memory)
    memory.journal.append(trades(-1.2, 2, 13 * MONTH_MS))
    memory.journal.append(trades(-1.2, 3, 26 * MONTH_MS))
    memory.journal.append(trades(-1.2, 4, 39 * MONTH_MS))
    turn = END + timedelta(days=30 * 6)
    seen = [bring_up_to_date(memory.journal, ORIGIN, turn, settings)]
    (after,) = kept(memory)

    assert (after.id, after.is_active, seen[0].n_withdrawn) == (before.id, False, 1)
    assert after.withdrawn_at is not None
    assert after.discovered_at == before.discovered_at < after.withdrawn_at < turn
    assert after.sentence().startswith("Withdrawn pattern")
    assert "Do not rely on it" in after.action_recommendation

    again = bring_up_to_date(memory.journal, ORIGIN, END + timedelta(days=1_200), settings)
    back = patterns_of(memory.journal, ORIGIN)[tuple(TAG.items())]
    assert again.n_found >= 1
    assert (back.is_active, back.is_better, back.withdrawn_at) == (True, False, None)
    assert back.discovered_at > after.withdrawn_at


def test_since_when_a_pattern_is_known_does_not_change(memory: MemoryFolder) -> None:
    """More trades confirm it; they do not make it a new discovery."""
    settings = memory.settings.lifecycle
    memory.journal.append(trades())
    bring_up_to_date(memory.journal, ORIGIN, END, settings)
    (before,) = kept(memory)
    memory.journal.append(trades(1.2, 2, 13 * MONTH_MS))
    bring_up_to_date(memory.journal, ORIGIN, END + timedelta(days=390), settings)
    (after,) = kept(memory)

    assert after.discovered_at == before.discovered_at
    assert after.occurrence_count > before.occurrence_count
    assert after.effect_since is not None
    assert after.effect_since.low > 0.0


@pytest.mark.parametrize("whose", ["backtest", "adopted", "other user", "no evidence"])
def test_only_the_owners_bots_on_this_machine_are_looked_at(
    memory: MemoryFolder, whose: str
) -> None:
    """Not backtests, other machines' trades, other users', or trades that are no evidence."""
    if whose == "adopted":
        memory.journal.adopt(trades())
    elif whose == "no evidence":
        memory.journal.append([replace(each, is_evidence=False) for each in trades()])
    else:
        origin = BACKTEST if whose == "backtest" else replace(ORIGIN, user_id="somebody")
        memory.journal.append([replace(each, origin=origin) for each in trades()])
    assert run_cycle(memory, END).counts["patterns"]["tested"] == 0


def test_patterns_of_another_machine_are_left_alone(memory: MemoryFolder) -> None:
    """Its trades count there; here they say nothing for or against its patterns."""
    memory.journal.adopt([*trades(), a_pattern()])
    assert run_cycle(memory, END).counts["patterns"]["withdrawn"] == 0
    assert [each.is_active for each in kept(memory)] == [True]


def test_a_bot_records_again_what_is_new_or_grew() -> None:
    """Not each small change of its numbers."""
    pattern = a_pattern()
    before = {tuple(pattern.conditions.items()): pattern}

    assert is_news(pattern, {})
    assert is_news(replace(pattern, is_active=False), before)
    assert is_news(replace(pattern, occurrence_count=100), before)
    assert is_news(replace(pattern, known_at=pattern.known_at + timedelta(days=31)), before)
    assert not is_news(replace(pattern, occurrence_count=91, success_rate=0.61), before)


def test_looking_writes_nothing(memory: MemoryFolder) -> None:
    """`refreshed` only says what would change."""
    memory.journal.append(trades())
    seq = memory.journal.last_seq()
    assert len(refreshed(memory.journal, ORIGIN, END, memory.settings.lifecycle).records) == 1
    assert memory.journal.last_seq() == seq


@pytest.mark.parametrize("policy", ["split", "bayes", "kelly"])
def test_no_decision_depends_on_patterns(tmp_path: Path, policy: str) -> None:
    """Stake and reasons are the same to the last bit with and without them."""
    decided = []
    for name in ("with", "without"):
        path = tmp_path / name
        settings = {"mode": "local", "path": path, "user_id": "me", "sizing": {"policy": policy}}
        memory = MemoryFolder(Settings.model_validate(settings), path)
        memory.journal.append(trades())
        if name == "with":
            bring_up_to_date(memory.journal, ORIGIN, END, memory.settings.lifecycle)
            memory.journal.append([a_pattern(2), a_pattern(3, is_active=False, withdrawn_at=END)])
            assert len(list(memory.journal.records(Scope(kind="pattern")))) == 3
        sizing = memory.settings.sizing
        recall = Recall(sizing.levels, sizing.half_life_days, keeps_entries=True)
        JournalFollower(memory.journal, recall, ORIGIN, sizing.prior_discount).begin()
        session = a_stage(recall=recall, policy=policy_for(sizing)).session
        decided.append(
            [
                session.decide(
                    Proposal(
                        pair=f"P{number}/USDT",
                        side="long",
                        enter_tag=f"tag{number}",
                        moment=END + timedelta(hours=number),
                        stake=100.0,
                        min_stake=10.0,
                        max_stake=1_000.0,
                        situation={"volatility": 0.02, "volatility_regime": "calm"},
                    )
                )
                for number in range(5)
            ]
        )
        memory.close()
    assert decided[0] == decided[1]
    assert policy == "split" or {each.multiplier for each in decided[0]} != {1.0}
