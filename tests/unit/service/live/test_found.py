"""What a page of memories shows: the newest of what is asked for, and no more than it may."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.client.scoped import Bound
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.service.live.found import has_words, newest, newest_records, record_of
from tests.support.samples import ORIGIN, a_note, a_pattern, a_risk_event, a_trade, at
from tests.support.served import Served, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHER = replace(ORIGIN, run_id="bot-2", strategy="Other")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    """A memory with trades of two bots, a pattern that came early, and a note."""
    with served(tmp_path, user_id="me") as running:
        journal = running.service.memory.journal
        journal.append([a_pattern(1), a_note(1, content="beware of gaps")])
        journal.append([a_trade(n, profit_ratio=n / 1e3) for n in range(1, 40)])
        journal.append([a_trade(n, origin=OTHER) for n in range(50, 60)])
        yield running


def test_the_newest_of_a_kind_are_found_among_many_others(site: Served) -> None:
    """By when they became known, of each run."""
    journal = site.service.memory.journal
    scope = site.service.memory_of(Bound(), "me").scope
    (pattern,) = newest_records(journal, scope(kind="pattern"), 5)
    assert pattern.kind == "pattern"
    found = newest_records(journal, scope(kind="trade"), 12)
    assert [each.known_at for each in found] == [at(n) for n in (*range(59, 49, -1), 39, 38)]
    assert newest_records(journal, scope(kind="risk_event"), 5) == []


def test_conditions_and_categories_are_applied(site: Served) -> None:
    """And a wrong query says what is wrong with it."""
    memory = site.service.memory_of(Bound(), "me")
    found = newest(memory, memory.scope(), "profit_ratio:>0.0355", "", 10)
    assert [each["profit_ratio"] for each in found.memories] == [0.039, 0.038, 0.037, 0.036]
    assert found.is_whole
    notes = newest(memory, memory.scope(), "", "user_preferences", 10)
    assert [each["text"] for each in notes.memories] == ["beware of gaps"]
    with pytest.raises(RecordError, match="nosuch"):
        newest(memory, memory.scope(), "nosuch:1", "", 10)


def test_a_query_with_words_is_a_search() -> None:
    """Conditions alone are none."""
    assert has_words("beware of gaps")
    assert has_words("pair:BTC/USDT gaps")
    assert not has_words("pair:BTC/USDT AND profit:>1")
    assert not has_words("")


def test_one_memory_is_shown_within_reach_alone(site: Served) -> None:
    """A record of another strategy is as if it were not there."""
    event = a_risk_event(1, origin=OTHER)
    site.service.memory.journal.append([event])
    assert record_of(site.service.memory_of(Bound(), "me"), event.id) is not None
    assert record_of(site.service.memory_of(Bound(strategy="Sample"), "me"), event.id) is None
    assert record_of(site.service.memory_of(Bound(), "another"), event.id) is None
