"""What a cycle does with memories of known ages."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.delivery.pull import pull_news, rebuild
from freqtrade_mem0.lifecycle.cycle import run_cycle
from freqtrade_mem0.lifecycle.tiers import counted, measured
from freqtrade_mem0.records.base import Category
from freqtrade_mem0.records.kinds.removal import removal
from freqtrade_mem0.records.kinds.retraction import retraction
from freqtrade_mem0.records.kinds.summary import TradeSummary
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.records.memory import BLOCK
from freqtrade_mem0.views.records import search
from tests.support.aging import (
    NOW,
    ago,
    by_hand,
    cycle,
    deliver,
    in_mem0,
    old_note,
    old_trade,
    remembering,
)
from tests.support.in_memory_mem0 import InMemoryMem0
from tests.support.samples import a_risk_event

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Record

KEEPS_ALL = {"lifecycle": {"min_relevance_score": 0}}
DAYS = {
    Category.MARKET_CONDITIONS: 7,
    Category.STRATEGY_PERFORMANCE: 30,
    Category.RISK_PROFILE: 60,
    Category.PORTFOLIO_PATTERNS: 365,
    Category.LEARNING_INSIGHTS: 365,
}


def summaries(memory: MemoryFolder) -> list[TradeSummary]:
    """Return the current summaries."""
    return list(memory.journal.of_kind(TradeSummary))


def test_nothing_happens_before_a_cycle_runs(tmp_path: Path) -> None:
    """A young memory stays as it is, and so does an old one that nobody maintains."""
    memory = remembering(tmp_path, old_trade(1, 0.5), old_trade(2, 400))
    assert len(in_mem0(memory)) == 2
    assert cycle(memory)["after"]["hot"]["memories"] == 1
    memory.close()


@pytest.mark.parametrize("category", DAYS)
def test_a_category_is_kept_for_its_days(tmp_path: Path, category: Category) -> None:
    """Just before the end it is there, just after it is not; the record stays in the journal."""
    days = DAYS[category]
    young = old_note("still young", days - 0.1, category)
    old = old_note("too old now", days + 0.1, category)
    memory = remembering(tmp_path, young, old, **KEEPS_ALL)

    report = cycle(memory)

    assert set(in_mem0(memory)) == {young.id}
    assert report["pruned"]["by_age"] == 1
    assert memory.journal.record(old.id) == old
    assert [each.id for each in memory.local.scan(filters={})] == [young.id]
    memory.close()


@pytest.mark.parametrize("days", [None, 5])
def test_the_config_says_how_long(tmp_path: Path, days: float | None) -> None:
    """Null keeps for ever, also against relevance; a number replaces the default."""
    note = old_note("a market observation", 6, Category.MARKET_CONDITIONS)
    older = old_note("another one, much older", 600, Category.MARKET_CONDITIONS)
    memory = remembering(tmp_path, note, older, retention={"market_conditions": days})

    report = cycle(memory)

    assert report["pruned"]["by_age"] == (2 if days else 0)
    assert len(in_mem0(memory)) == (0 if days else 2)
    memory.close()


def test_preferences_stay(tmp_path: Path) -> None:
    """Whatever their age."""
    memory = remembering(tmp_path, old_note("no leverage", 900, Category.USER_PREFERENCES))
    cycle(memory)
    assert len(in_mem0(memory)) == 1
    memory.close()


def test_risk_events_lose_their_memory_alone(tmp_path: Path) -> None:
    """The event is evidence, so its record stays."""
    event = replace(a_risk_event(), known_at=ago(61), recorded_at=ago(61))
    memory = remembering(tmp_path, event)
    cycle(memory)
    assert in_mem0(memory) == {}
    assert memory.journal.record(event.id) == event
    memory.close()


def test_old_trades_go_into_one_summary_of_pair_and_month(tmp_path: Path) -> None:
    """It is found by words and filters, and names them; the records stay."""
    trades = [old_trade(n, 31 + n, profit_ratio=0.01 * (n - 2)) for n in range(5)]
    other = old_trade(9, 35, pair="BTC/USDT")
    memory = remembering(tmp_path, *trades, other, old_trade(7, 1.5))

    report = cycle(memory)

    assert report["pruned"]["by_age"] == 6
    assert report["after"]["archive"]["memories"] == 6
    months = {f"{each.known_at:%Y-%m}" for each in trades}
    of_eth = [each for each in summaries(memory) if each.pair == "ETH/USDT"]
    assert {each.month for each in of_eth} == months
    named = [name for each in of_eth for name in each.trades]
    assert sorted(named) == sorted(each.id for each in trades)
    found = search(memory, "closed trades of Sample", filters={"pair": "ETH/USDT"}, limit=9)
    in_summaries = [each for each in found if each["metadata"]["kind"] == "summary"]
    assert in_summaries
    assert BLOCK not in in_summaries[0]["metadata"]
    assert len(memory.records(kind="trade")) == 7
    memory.close()


def test_a_summary_counts_right(tmp_path: Path) -> None:
    """Its numbers are those of the trades."""
    ratios = [0.03, -0.01, 0.02]
    trades = [old_trade(n, 40 + n / 10, profit_ratio=ratio) for n, ratio in enumerate(ratios)]
    memory = remembering(tmp_path, *trades)
    cycle(memory)
    (summary,) = summaries(memory)
    assert (summary.n_wins, summary.best_profit_ratio, summary.worst_profit_ratio) == (
        2,
        0.03,
        -0.01,
    )
    assert summary.mean_profit_ratio == pytest.approx(0.04 / 3)
    assert summary.profit_abs == pytest.approx(4.0)
    assert summary.exit_reasons == {"roi": 3}
    memory.close()


def test_tiers_follow_age(tmp_path: Path) -> None:
    """A day, a week, a month, as the mission says."""
    days = [0.5, 2, 6, 8, 20, 29]
    memory = remembering(
        tmp_path,
        *(old_trade(n, each, profit_ratio=0.05) for n, each in enumerate(days)),
        **KEEPS_ALL,
    )

    report = cycle(memory)

    tiers = {name: tier["memories"] for name, tier in report["after"].items()}
    n_summaries = len(summaries(memory))
    assert tiers == {"hot": 1, "warm": 2, "cold": 3 + n_summaries, "archive": 0}
    assert report["migrated"] == {"hot_to_warm": 5, "warm_to_cold": 3, "cold_to_archive": 0}
    later = cycle(memory, days_later=3)
    assert later["migrated"] == {"hot_to_warm": 1, "warm_to_cold": 1, "cold_to_archive": 1}
    memory.close()


def test_tiers_have_a_size(tmp_path: Path) -> None:
    """The oldest beyond it go on to the next tier."""
    sizes = {"max_hot": 2, "max_warm": 3, "max_cold": 4, "min_relevance_score": 0}
    memory = remembering(tmp_path, *(old_trade(n, n / 100) for n in range(12)), lifecycle=sizes)
    report = cycle(memory)
    n_summaries = len(summaries(memory))
    tiers = {name: tier["memories"] for name, tier in report["after"].items()}
    assert tiers == {"hot": 2, "warm": 3, "cold": 4 + n_summaries, "archive": 3}
    memory.close()


def test_records_are_counted_in_the_tier_they_are_in(tmp_path: Path) -> None:
    """By category, also after corrections; the sums are those that the cycle reports."""
    trades = [old_trade(n, n * 2, profit_ratio=0.05) for n in range(12)]
    memory = remembering(tmp_path, *trades, **KEEPS_ALL)
    cycle(memory)
    memory.journal.append([replace(each, exit_reason="corrected") for each in trades[::5]])
    sums: Counter[str] = Counter()
    for (tier, _), n in counted(memory.journal).items():
        sums[tier] += n
    told = {tier: each["memories"] for tier, each in measured(memory).items()}
    assert sums == +Counter(told)
    assert len(sums) == 3
    memory.close()


def test_only_so_many_trades_keep_a_memory(tmp_path: Path) -> None:
    """The newest ones."""
    trades = [old_trade(n, n / 10) for n in range(6)]
    memory = remembering(tmp_path, *trades, retention={"max_trades": 2})
    assert cycle(memory)["pruned"]["by_age"] == 4
    assert {each.id for each in trades[:2]} < set(in_mem0(memory))
    memory.close()


def test_what_is_asked_for_stays(tmp_path: Path) -> None:
    """Age counts from when a memory was last given as an answer, for tiers and for relevance."""
    asked, other = old_trade(1, 12, profit_ratio=-0.1), old_trade(2, 12, profit_ratio=-0.1)
    memory = remembering(tmp_path, asked, other)
    memory.asked.count([asked.id, asked.id], ago(1))
    memory.asked.write()
    cycle(memory)
    assert asked.id in in_mem0(memory)
    assert other.id not in in_mem0(memory)
    memory.close()


def test_reading_writes_nothing(tmp_path: Path) -> None:
    """An answer is counted in memory, and written when the memory is closed."""
    memory = remembering(tmp_path, old_trade(1, 1))
    before = memory.journal.connection.row("PRAGMA data_version"), memory.journal.last_seq()
    search(memory, "closed long", filters={}, limit=5)
    assert memory.journal.connection.row("SELECT count(*) FROM asked") == (0,)
    assert before == (memory.journal.connection.row("PRAGMA data_version"), 1)
    memory.close()
    assert memory.journal.connection.row("SELECT n FROM asked") == (1,)
    memory.close()


def test_what_a_person_wrote_goes_after_a_dry_run_only(tmp_path: Path) -> None:
    """The report says so; the dry run names it."""
    note = by_hand(old_note("seen by a person", 400))
    memory = remembering(tmp_path, note)

    first = cycle(memory)
    assert note.id in in_mem0(memory)
    assert "--dry-run" in " ".join(first["notes"])

    told = cycle(memory, dry_run=True)
    assert told["ids"]["pruned.by_age"] == [note.id]
    assert note.id in in_mem0(memory)

    assert cycle(memory)["pruned"]["by_age"] == 1
    assert in_mem0(memory) == {}
    memory.close()


def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    """It names each memory once, and the cycle then does what it said."""
    records: list[Record] = [old_trade(n, 5 * n, profit_ratio=-0.01) for n in range(12)]
    records += [
        old_note(f"text {n} of the market", n, Category.MARKET_CONDITIONS) for n in range(9)
    ]
    memory = remembering(tmp_path, *records)
    before = in_mem0(memory), memory.records(), dict(memory.aged.counts())

    told = cycle(memory, dry_run=True)

    assert before == (in_mem0(memory), memory.records(), dict(memory.aged.counts()))
    named = [each for name, ids in told["ids"].items() if "pruned" in name for each in ids]
    assert len(named) == len(set(named)) > 0
    done = cycle(memory)
    assert (told["pruned"], told["migrated"]) == (done["pruned"], done["migrated"])
    memory.close()


def test_what_went_does_not_come_back(tmp_path: Path) -> None:
    """Not by delivering again, not by rebuilding, not by another cycle."""
    memory = remembering(tmp_path, *(old_trade(n, 40 + n) for n in range(4)), old_note("x y", 999))
    cycle(memory)
    after = in_mem0(memory)

    memory.outbox.send_again()
    deliver(memory)
    rebuild(memory)
    report = cycle(memory)

    assert in_mem0(memory) == after
    assert sum(report["pruned"].values()) == 0
    memory.close()


def test_a_lost_journal_gets_its_trades_back_from_summaries(tmp_path: Path) -> None:
    """Each record, to the last digit; and they do not become memories of their own again."""
    trades = [old_trade(n, 3 * n, profit_ratio=n / 997) for n in range(1, 30)]
    memory = remembering(tmp_path, *trades)
    cycle(memory)
    after = in_mem0(memory)
    memory.close()
    for file in tmp_path.glob("journal.sqlite*"):
        file.unlink()

    memory = remembering(tmp_path)
    rebuild(memory)

    found = {each.id: each for each in memory.journal.of_kind(TradeRecord)}
    assert found == {each.id: each for each in trades}
    cycle(memory)
    assert in_mem0(memory) == after
    memory.close()


def shared(folder: Path, mem0: InMemoryMem0, *records: Record, **block: Any) -> MemoryFolder:
    """Return a memory on a Mem0 that several machines use."""
    memory = remembering(folder, mode="server", host="mem0.lan", **block)
    memory._backend = mem0
    memory.journal.append(records)
    deliver(memory)
    return memory


def test_other_machines_keep_the_evidence(tmp_path: Path) -> None:
    """Who knew the trades keeps them, who comes later gets them; nobody thinks them deleted."""
    mem0 = InMemoryMem0()
    trades = [old_trade(n, 40 + n) for n in range(5)]
    own = shared(tmp_path / "a", mem0, *trades)
    early, late = shared(tmp_path / "b", mem0), shared(tmp_path / "c", mem0)
    pull_news(early)

    cycle(own)
    pull_news(early)
    pull_news(late)

    for other in (early, late):
        assert {each.id for each in other.journal.of_kind(TradeRecord)} == {t.id for t in trades}
        before = dict(mem0.memories)
        report = cycle(other)
        assert mem0.memories == before
        assert sum(report["pruned"].values()) == 0
        assert mem0.upkeep_limits[0] in report["notes"]
    for memory in (own, early, late):
        memory.close()


@pytest.mark.parametrize("is_shared", [True, False])
def test_who_is_alone_in_a_folder_is_not_alone_in_a_shared_mem0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_shared: bool
) -> None:
    """It is not written anew as a whole then: bots of other machines would wait."""
    told: list[bool] = []

    def shrink(_self: InMemoryMem0, _pause: object, *, alone: bool) -> int:
        told.append(alone)
        return 0

    monkeypatch.setattr(InMemoryMem0, "shrink", shrink)
    memory = shared(tmp_path, InMemoryMem0())
    if not is_shared:
        memory = remembering(tmp_path)
        memory._backend = InMemoryMem0()
    cycle(memory, alone=True)
    memory.close()
    assert told == [not is_shared]


def test_a_changed_block_is_not_believed(tmp_path: Path) -> None:
    """A summary's trades are taken only if they are those that it was made of."""
    mem0 = InMemoryMem0()
    own = shared(tmp_path / "a", mem0, *(old_trade(n, 40) for n in range(3)))
    cycle(own)
    (summary,) = summaries(own)
    memory = mem0.memories[summary.id]
    forged = own.memory_of(summary)
    other = remembering(tmp_path / "d", *(old_trade(n, 40, profit_ratio=0.9) for n in range(3)))
    cycle(other)
    (foreign,) = summaries(other)
    block = other.memory_of(foreign).metadata[BLOCK]
    mem0.memories[summary.id] = replace(memory, metadata={**forged.metadata, BLOCK: block})

    late = shared(tmp_path / "c", mem0)
    pulled = pull_news(late)

    assert list(late.journal.of_kind(TradeRecord)) == []
    assert "not those it was made of" in pulled.skipped[0]
    for each in (own, other, late):
        each.close()


def test_a_shared_mem0_is_given_time(tmp_path: Path) -> None:
    """A server that others use, too, is asked for few deletions at a time, with pauses."""
    mem0 = InMemoryMem0()
    memory = shared(tmp_path, mem0, *(old_trade(n, 40) for n in range(50)))
    asked: list[int] = []
    pauses: list[float] = []
    delete = mem0.delete

    def counted(memory_ids: Sequence[str]) -> int:
        asked.append(len(memory_ids))
        return delete(memory_ids)

    mem0.delete = counted  # type: ignore[method-assign]
    run_cycle(memory, NOW, pause=pauses.append)
    memory.close()
    assert asked == [20, 20, 10]
    assert len(pauses) >= len(asked)


def test_without_mem0_answers_age_alike(tmp_path: Path) -> None:
    """In mode `local` a summary answers for old trades, and the records stay."""
    memory = remembering(tmp_path, *(old_trade(n, 40) for n in range(3)), mode="local")
    report = cycle(memory)
    assert report["pruned"]["by_age"] == 3
    (summary,) = summaries(memory)
    assert [each.id for each in memory.local.scan(filters={})] == [summary.id]
    assert len(memory.records(kind="trade")) == 3
    memory.close()


def test_a_retracted_trade_leaves_its_summary(tmp_path: Path) -> None:
    """So does one whose memory was deleted by hand; the last one takes the summary along."""
    first, second, third = (old_trade(n, 40 + n / 10) for n in range(3))
    memory = remembering(tmp_path, first, second, third)
    cycle(memory)

    memory.journal.append([retraction(first, "deleted in Freqtrade", NOW)])
    memory.journal.append([removal(second, "by hand", NOW)])
    cycle(memory)
    (summary,) = summaries(memory)
    assert summary.trades == (third.id,)

    memory.journal.append([retraction(third, "deleted in Freqtrade", NOW)])
    cycle(memory)
    deliver(memory)
    assert summaries(memory) == []
    assert summary.id not in in_mem0(memory)
    memory.close()


def test_a_corrected_trade_is_hot_again(tmp_path: Path) -> None:
    """It gets its own memory, and goes into the summary once more later."""
    trade = old_trade(1, 40)
    memory = remembering(tmp_path, trade, old_trade(2, 40))
    cycle(memory)
    corrected = replace(trade, profit_ratio=0.5, recorded_at=NOW)
    memory.journal.append([corrected])
    deliver(memory)
    assert trade.id in in_mem0(memory)

    cycle(memory, days_later=31)

    assert trade.id not in in_mem0(memory)
    (summary,) = summaries(memory)
    assert summary.best_profit_ratio == 0.5
    memory.close()


def test_a_new_backtest_of_old_candles_is_new(tmp_path: Path) -> None:
    """Its trades are years old; who has just run it wants to find and explain them."""
    memory = remembering(tmp_path, *(old_trade(n, 900, recorded_at=ago(1)) for n in range(3)))
    first, later = cycle(memory), cycle(memory, days_later=30)
    memory.close()
    assert first["pruned"]["by_age"] == first["journal"]["records_archived"] == 0
    assert later["pruned"]["by_age"] == later["journal"]["records_archived"] == 3
