"""Which texts say the same, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.lifecycle.likeness import clusters
from freqtrade_mem0.records.base import Category
from freqtrade_mem0.records.kinds.note import Note
from tests.support.aging import by_hand, cycle, deliver, in_mem0, old_note, old_trade, remembering

if TYPE_CHECKING:
    from pathlib import Path

TEXT = (
    "Volatility of the whole market rises sharply whenever the largest exchange reports an outage"
)


@pytest.mark.parametrize(
    "other",
    [
        TEXT,
        TEXT + " again",
        TEXT.replace("sharply", "quickly"),
        TEXT.lower() + ".",
        TEXT.replace(" the largest", " a largest"),
    ],
)
def test_nearly_the_same_words_say_the_same(other: str) -> None:
    """A word more or less, or another spelling, makes no difference."""
    assert clusters([TEXT, "Fees eat small profits on quiet days", other], 0.85) == [[0, 2]]


@pytest.mark.parametrize(
    ("text", "one", "other"),
    [
        ("{} buy when the funding rate of the market is positive", "Never", "Always"),
        ("{} recovers within a day after such a large fall", "ETH/USDT", "BTC/USDT"),
        ("The level of {} has held three times since the beginning of May", "60,000", "58,000"),
        ("Go {} when the two averages cross in a calm market", "long", "short"),
        ("The {} ecosystem attracts most of the money of this month", "SOL", "ADA"),
        ("It is {} worth trading in the first hour of the day", "not", "well"),
        ("{}", "", ""),
        ("{}", "!!", "!!"),
    ],
)
def test_one_telling_word_makes_the_difference(text: str, one: str, other: str) -> None:
    """A number, a name, a not, a direction; and texts without words say nothing."""
    assert clusters([text.format(one), text.format(other)], 0.5) == []


def test_the_threshold_decides() -> None:
    """How near is near enough is a setting."""
    texts = [TEXT, TEXT.replace("the whole market rises", "the entire market rises")]
    assert clusters(texts, 0.95) == []
    assert clusters(texts, 0.5) == [[0, 1]]


def test_the_best_stays_and_names_the_others(tmp_path: Path) -> None:
    """What it names is found in its metadata, in Mem0, too; the records of the others stay."""
    notes = [old_note(f"{TEXT} {word}", 3 + n) for n, word in enumerate(("today", "lately", "now"))]
    memory = remembering(tmp_path, *notes, old_note("Quite another thought about fees", 3))

    report = cycle(memory)

    assert report["pruned"]["by_redundancy"] == 2
    left = in_mem0(memory)
    assert len(left) == 2
    (kept,) = [each for each in notes if each.id in left]
    others = {each.id for each in notes} - {kept.id}
    found = memory.backend.get(kept.id)
    assert found is not None
    assert set(str(found.metadata["stands_for"]).split()) == others
    assert {each.id for each in memory.journal.of_kind(Note)} >= {each.id for each in notes}
    assert cycle(memory)["pruned"]["by_redundancy"] == 0
    memory.close()


def test_owners_strategies_categories_and_names_are_kept_apart(tmp_path: Path) -> None:
    """The same text of another strategy, category or pair is another fact."""
    note = old_note(TEXT, 3)
    strategy = replace(note, id=old_note("b", 1).id, origin=replace(note.origin, strategy="Other"))
    owner = replace(note, id=old_note("c", 1).id, origin=replace(note.origin, user_id="you"))
    category = old_note(TEXT, 3, Category.PORTFOLIO_PATTERNS)
    pair = old_note(TEXT, 3, pair="ETH/USDT")
    memory = remembering(tmp_path, note, strategy, owner, category, pair)
    assert cycle(memory)["pruned"]["by_redundancy"] == 0
    memory.close()


def test_trades_are_never_alike(tmp_path: Path) -> None:
    """Two trades with the same words are two facts."""
    memory = remembering(tmp_path, *(old_trade(n, 0.1) for n in range(5)))
    assert cycle(memory)["pruned"]["by_redundancy"] == 0
    assert len(in_mem0(memory)) == 5
    memory.close()


def test_what_people_wrote_goes_after_a_dry_run_only(tmp_path: Path) -> None:
    """And nothing about the note that stays is changed before."""
    notes = [by_hand(old_note(f"{TEXT}{end}", 3)) for end in ("", ".")]
    memory = remembering(tmp_path, *notes)
    assert cycle(memory)["pruned"]["by_redundancy"] == 0
    assert [memory.journal.record(each.id) for each in notes] == notes
    cycle(memory, dry_run=True)
    assert cycle(memory)["pruned"]["by_redundancy"] == 1
    deliver(memory)
    assert len(in_mem0(memory)) == 1
    memory.close()


def test_little_saved_is_not_worth_it(tmp_path: Path) -> None:
    """`compression_ratio`: a group is pruned only if that leaves so small a share of its bytes."""
    notes = [old_note(f"{TEXT}{end}", 3) for end in ("", ".")]
    memory = remembering(tmp_path, *notes, lifecycle={"compression_ratio": 0.4})
    assert cycle(memory)["pruned"]["by_redundancy"] == 0
    memory.close()
