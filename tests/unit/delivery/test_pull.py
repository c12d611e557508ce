"""What Mem0 has comes into the journal: a lost one whole, a running bot's as it comes."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.delivery.pull import OVERLAP, MemorySync, pull_news, pull_one, rebuild
from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.journal.adopt import adopt_records
from freqtrade_mem0.journal.ready import made_ready
from freqtrade_mem0.journal.schema import migrate
from freqtrade_mem0.journal.stored_bodies import offer_bodies
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.recall import STRATEGY, Recall
from freqtrade_mem0.recall.follow import JournalFollower
from freqtrade_mem0.records.base import Category, Mode, Record
from freqtrade_mem0.records.codec import decode
from freqtrade_mem0.records.kinds.note import Note
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.records.mapping import to_memory
from freqtrade_mem0.records.memory import Memory
from freqtrade_mem0.sqlite_files.connecting import in_memory
from tests.support.in_memory_mem0 import InMemoryMem0
from tests.support.samples import (
    BACKTEST,
    NOTED,
    ORIGIN,
    a_backtest,
    a_note,
    a_promotion,
    a_retraction,
    a_risk_event,
    a_trade,
    at,
)
from tests.support.wait import eventually

if TYPE_CHECKING:
    import random
    import sqlite3
    from collections.abc import Sequence

    from freqtrade_mem0.insight.shrinkage import Moments

SETTINGS = Settings.model_validate({"user_id": "me"})
LEVELS = ("pair", "side", "enter_tag", "regime")


def lost(tmp_path: Path) -> tuple[MemoryFolder, MemoryFolder]:
    """Return a memory that was delivered, and the same one after its journal was deleted."""
    store = MemoryFolder(SETTINGS, tmp_path)
    store.journal.append([a_trade(n, profit_ratio=0.013 * ((n % 7) - 3)) for n in range(1, 60)])
    store.journal.append([a_trade(7, profit_ratio=0.5)])  # corrected
    store.journal.append([a_retraction(a_trade(9).id), a_note(1), a_risk_event(1)])
    store.journal.append([a_trade(100, origin=BACKTEST), a_backtest(), a_promotion()])
    assert delivery_of(store).drain(60.0)
    before = MemoryFolder(SETTINGS, tmp_path / "kept")
    before.folder.mkdir(parents=True)
    store.close()
    for file in list(store.folder.glob("journal.sqlite*")):
        file.rename(before.folder / file.name)
    return before, MemoryFolder(SETTINGS, tmp_path)


def known(store: MemoryFolder) -> list[Moments]:
    """Return what another dry-run bot would know at a moment, by several groups."""
    recall = Recall(LEVELS, 120)
    sister = replace(ORIGIN, run_id="sister")  # own trades wait for the trade database
    JournalFollower(store.journal, recall, sister, 0.5).run()
    keys = recall.keys("ETH/USDT", "long", "dip", {"regime": "calm uptrend"})
    return recall.as_of(at(45), [STRATEGY, *keys])


def test_a_rebuilt_journal_holds_the_same_records(tmp_path: Path) -> None:
    """All kinds, corrections and retractions heeded; nothing is sent again; twice adds nothing."""
    before, after = lost(tmp_path)
    result = rebuild(after)
    originals = {record.id: record for _, record in before.journal.records()}
    assert {record.id: record for _, record in after.journal.records()} == originals
    assert (result.n_read, result.n_new, result.skipped) == (len(originals), len(originals), [])
    assert after.outbox.state().pending == 0
    assert rebuild(after).n_new == 0


def test_a_rebuilt_journal_decides_bit_identically(tmp_path: Path) -> None:
    """Another order of arrival, the same sums."""
    before, after = lost(tmp_path)
    rebuild(after)
    assert known(after) == known(before)
    assert known(after)[0].n > 10.0


def test_the_command_rebuilds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says how much it found."""
    before, _ = lost(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"mem0": {"user_id": "me"}}))
    assert main(["rebuild", "--userdir", str(tmp_path), "-c", "config.json", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["new"] == len(list(before.journal.records()))


# --- news from others, while a bot runs ---


@pytest.fixture
def mem0() -> InMemoryMem0:
    """A Mem0 that several machines share."""
    return InMemoryMem0()


def machine(folder: Path, mem0: InMemoryMem0, **settings: Any) -> MemoryFolder:
    """Return the memory of a machine; `mem0` is shared, the journal is its own."""
    pauses = {"retry_s": 0.1, "max_retry_s": 0.1, "breaker_failures": 2}
    block = {"user_id": "me", "delivery": pauses, "sync_interval": 1, **settings}
    store = MemoryFolder(Settings.model_validate(block), folder)
    store._backend = mem0
    return store


def by_hand(text: str, number: int = 1, **changes: Any) -> Memory:
    """Return a memory as another tool writes it."""
    memory = Memory(
        id=f"00000000-0000-4000-8000-{number:012d}",
        text=text,
        user_id="me",
        agent_id="",
        run_id="",
        created_at=at(3),
        metadata={"category": "risk_profile", "from": "a dashboard"},
    )
    return replace(memory, **changes)


def test_only_news_is_asked_of_mem0(tmp_path: Path, mem0: InMemoryMem0) -> None:
    """All of it once; from then on what was stored since, and a little before."""
    store = machine(tmp_path, mem0)
    for number in range(1, 101):
        mem0.now += timedelta(minutes=1)
        mem0.put(to_memory(a_trade(number)))
    assert pull_news(store).n_new == 100
    mem0.now += timedelta(hours=1)
    mem0.put(to_memory(a_trade(101)), to_memory(a_trade(102)))
    assert pull_news(store).n_new == 2
    assert pull_news(store).n_new == 0

    overlap = int(OVERLAP / timedelta(minutes=1)) + 1
    assert mem0.yielded == [100, overlap + 2, 2]


def test_one_memory_is_read_by_its_id(tmp_path: Path, mem0: InMemoryMem0) -> None:
    """As Mem0 has it, and only where it is the owner's."""
    trade, other = a_trade(1), a_trade(2, origin=replace(ORIGIN, user_id="somebody"))
    mem0.put(to_memory(trade), to_memory(other))
    store = machine(tmp_path, mem0)
    for memory_id in (trade.id, other.id, a_trade(3).id, "no id at all"):
        pull_one(store, memory_id)
    assert [record.id for record in store.records()] == [trade.id]


def test_what_becomes_visible_late_is_not_missed(tmp_path: Path, mem0: InMemoryMem0) -> None:
    """A batch that was stored by a clock a little behind, or written while another was read."""
    store = machine(tmp_path, mem0)
    mem0.put(to_memory(a_trade(1)))
    pull_news(store)
    mem0.now -= OVERLAP
    mem0.put(to_memory(a_trade(2)))
    assert pull_news(store).n_new == 1


def test_a_writer_whose_clock_is_far_ahead_hides_nobody(tmp_path: Path, mem0: InMemoryMem0) -> None:
    """What others store by the right time is read all the same."""
    store = machine(tmp_path, mem0)
    mem0.now = datetime.now(UTC) + timedelta(days=400)
    mem0.put(to_memory(a_trade(1)))
    pull_news(store)
    mem0.now = datetime.now(UTC)
    mem0.put(to_memory(a_trade(2)))
    assert pull_news(store).n_new == 1


def test_a_reader_whose_clock_is_far_ahead_misses_nothing(
    tmp_path: Path, mem0: InMemoryMem0
) -> None:
    """While there is nothing to read, its own clock does not say from when on there is."""
    store = machine(tmp_path, mem0)  # its clock is years ahead of the one Mem0's writers have
    assert pull_news(store).n_read == 0
    mem0.put(to_memory(a_trade(1)))
    assert pull_news(store).n_new == 1
    assert pull_news(store).n_read == 1


def test_a_pull_that_breaks_off_is_made_up_for(tmp_path: Path, mem0: InMemoryMem0) -> None:
    """The next one begins where it did, and doubles nothing."""
    store = machine(tmp_path, mem0)
    mem0.put(*(to_memory(a_trade(number)) for number in range(1, 1_201)))
    mem0.breaks_off_after = 700
    with pytest.raises(BackendError):
        pull_news(store)
    mem0.breaks_off_after = None
    pull_news(store)
    assert len(store.records(kind="trade")) == 1_200


def test_two_owners_in_one_folder_read_each_their_own(tmp_path: Path, mem0: InMemoryMem0) -> None:
    """How far one of them has read says nothing of the other."""
    yours = replace(ORIGIN, user_id="you")
    mem0.put(to_memory(a_trade(1, origin=yours)))
    mem0.now += timedelta(days=1)
    mem0.put(to_memory(a_trade(1)))
    pull_news(machine(tmp_path, mem0))
    pull_news(machine(tmp_path, mem0, user_id="you"))
    owners = {record.origin.user_id for record in machine(tmp_path, mem0).records()}
    assert owners == {"me", "you"}


def test_what_is_written_by_hand_becomes_a_note(tmp_path: Path, mem0: InMemoryMem0) -> None:
    """Filed where its writer said; changed there, it changes here."""
    store = machine(tmp_path, mem0)
    mem0.put(by_hand("Never more than two percent in one coin"), by_hand("No category", 2))
    mem0.memories[by_hand("", 2).id] = replace(mem0.memories[by_hand("", 2).id], metadata={})
    assert pull_news(store).n_new == 2
    first, second = store.records(kind="note")
    assert isinstance(first, Note)
    assert isinstance(second, Note)
    assert (first.content, first.filed_under, first.metadata["from"]) == (
        "Never more than two percent in one coin",
        Category.RISK_PROFILE,
        "a dashboard",
    )
    assert (first.known_at, first.origin.mode) == (at(3), Mode.MANUAL)
    assert second.filed_under is Category.LEARNING_INSIGHTS
    mem0.now += timedelta(minutes=1)
    mem0.put(by_hand("Never more than one percent"))
    assert pull_news(store).n_new == 1
    contents = [note.content for note in store.records(kind="note") if isinstance(note, Note)]
    assert contents == ["No category", "Never more than one percent"]
    assert store.outbox.state().pending == 0


@pytest.mark.parametrize(
    "poison",
    [
        by_hand("fine", 7, metadata={"x": float("nan")}),
        by_hand("half a letter \ud800", 7),
        replace(to_memory(a_trade(7)), metadata={"kind": "trade", "record": "{"}),
        replace(to_memory(a_trade(7)), metadata={"kind": "trade", "record": "[]"}),
    ],
    ids=["not a number", "no text", "no JSON", "no record"],
)
def test_a_memory_that_can_not_be_kept_holds_up_nobody(
    tmp_path: Path, mem0: InMemoryMem0, poison: Memory
) -> None:
    """It is left out with a sentence; all others come."""
    store = machine(tmp_path, mem0)
    mem0.put(to_memory(a_trade(1)), poison, to_memory(a_trade(2)))
    pulled = pull_news(store)
    assert (pulled.n_new, len(pulled.skipped)) == (2, 1)
    assert [record.id for record in store.records()] == [a_trade(1).id, a_trade(2).id]


@pytest.mark.parametrize("noted_s", [float("nan"), float("inf"), 1e308])
def test_a_memory_with_an_impossible_time_holds_up_nobody(
    tmp_path: Path, mem0: InMemoryMem0, noted_s: float
) -> None:
    """Its record says when it was recorded; the number beside it only saves reading that."""
    store = machine(tmp_path, mem0)
    store.journal.append([a_trade(7)])
    ours = to_memory(a_trade(7))
    odd = replace(ours, metadata={**ours.metadata, "recorded_ts": noted_s})
    mem0.put(to_memory(a_trade(1)), odd, to_memory(a_trade(2)))
    assert pull_news(store).n_new == 2
    assert {record.id for record in store.records()} == {a_trade(n).id for n in (1, 2, 7)}


def test_backtests_of_others_stay_where_they_are(tmp_path: Path, mem0: InMemoryMem0) -> None:
    """Unless one is promoted: that run is pulled, and no other."""
    store = machine(tmp_path, mem0)
    other = replace(BACKTEST, run_id="run-2")
    mem0.put(*(to_memory(a_trade(number, origin=BACKTEST)) for number in range(1, 4)))
    mem0.put(*(to_memory(a_trade(number, origin=other)) for number in range(1, 4)))
    mem0.put(to_memory(a_trade(1)), to_memory(a_backtest()))
    assert pull_news(store).n_new == 1
    mem0.now += timedelta(hours=1)
    mem0.put(to_memory(a_promotion()))
    assert pull_news(store).n_new == 1 + 4
    assert {record.origin.run_id for record in store.records(modes=[Mode.BACKTEST])} == {"run-1"}
    yielded = len(mem0.yielded)
    pull_news(store)
    assert len(mem0.yielded) == yielded + 1


def test_a_promoted_run_that_broke_off_is_read_to_its_end(
    tmp_path: Path, mem0: InMemoryMem0
) -> None:
    """A part of it in the journal does not look like all of it."""
    store = machine(tmp_path, mem0)
    mem0.put(to_memory(a_promotion()))
    mem0.put(*(to_memory(a_trade(number, origin=BACKTEST)) for number in range(1, 701)))
    mem0.breaks_off_after = 600
    with pytest.raises(BackendError):
        pull_news(store)
    assert 0 < len(store.records(modes=[Mode.BACKTEST])) < 700
    mem0.breaks_off_after = None
    pull_news(store)
    assert len(store.records(modes=[Mode.BACKTEST])) == 700


def test_a_poor_own_record_does_not_replace_the_rich_one_in_mem0(
    tmp_path: Path, mem0: InMemoryMem0
) -> None:
    """A fresh journal beside an old database: nothing is delivered before Mem0 was read."""
    rich = a_trade(1, decision_id="a decision")
    mem0.put(to_memory(rich))
    mem0.is_away = True
    store = machine(tmp_path, mem0)
    poor = a_trade(1, situation={}, profit_ratio=0.02, recorded_at=NOTED + timedelta(days=1))
    store.journal.append([poor])
    delivery = delivery_of(store)
    sync = MemorySync(store, after_first=delivery.start)
    sync.start()
    try:
        assert eventually(lambda: sync.alarm != "")
        assert mem0.writes == []
        mem0.is_away = False
        assert eventually(lambda: len(mem0.writes) == 1)
        assert eventually(lambda: store.outbox.state().pending == 0)
    finally:
        sync.stop(20.0)
        delivery.stop(20.0)
    (in_mem0,) = mem0.records()
    assert isinstance(in_mem0, TradeRecord)
    assert (in_mem0.decision_id, in_mem0.situation) == (rich.decision_id, rich.situation)
    assert in_mem0.profit_ratio == 0.02
    assert sync.trouble == sync.alarm == ""


def test_all_machines_learn_what_one_of_them_knows_of_an_entry(
    tmp_path: Path, mem0: InMemoryMem0
) -> None:
    """Each keeps the numbers of its own trade database."""
    poor = a_trade(1, situation={}, profit_ratio=0.02, recorded_at=NOTED + timedelta(days=1))
    first, second = machine(tmp_path / "1", mem0), machine(tmp_path / "2", mem0)
    first.journal.append([a_trade(1, decision_id="a decision")])
    second.journal.append([poor])
    for _ in range(3):
        for store in (second, first):
            pull_news(store)
            delivery_of(store).drain(20.0)
            mem0.now += timedelta(minutes=1)
    for store, profit_ratio in ((first, 0.01), (second, 0.02)):
        (trade,) = store.records(kind="trade")
        assert isinstance(trade, TradeRecord)
        assert (trade.decision_id, trade.profit_ratio) == ("a decision", profit_ratio)
    n_writes = len(mem0.writes)
    for store in (first, second):
        pull_news(store)
        delivery_of(store).drain(20.0)
    assert len(mem0.writes) == n_writes


def test_a_newer_versions_records_are_left_out_with_one_sentence(
    tmp_path: Path, mem0: InMemoryMem0, caplog: pytest.LogCaptureFixture
) -> None:
    """However many there are, and however often they are read; ours arrive."""
    newer = [to_memory(a_trade(number)) for number in range(1, 50)]
    mem0.put(*(replace(m, metadata=dict(m.metadata) | {"schema_version": 99}) for m in newer))
    mem0.put(to_memory(a_trade(99)))
    store = machine(tmp_path, mem0)
    sync = MemorySync(store, after_first=lambda: None)
    sync.start()
    try:
        assert eventually(lambda: len(mem0.yielded) >= 3)
    finally:
        sync.stop(20.0)
    assert [record.id for record in store.records()] == [a_trade(99).id]
    sentences = [each.getMessage() for each in caplog.records if "Upgrade" in each.getMessage()]
    assert len(sentences) == 1
    assert "48 more were left out" in sentences[0]


def test_a_row_nobody_here_can_read_does_not_stop_sync(tmp_path: Path, mem0: InMemoryMem0) -> None:
    """A newer version wrote it into this very journal; what Mem0 has of it is taken."""
    store = machine(tmp_path, mem0)
    store.journal.append([a_trade(1), a_trade(2)])
    with store.journal.connection.write() as sqlite:
        sqlite.execute("UPDATE records SET body = json_set(body, '$.from_the_future', 1)")
    later = NOTED + timedelta(days=1)
    mem0.put(to_memory(a_trade(1, profit_ratio=0.5, recorded_at=later)), to_memory(a_trade(3)))
    assert pull_news(store).n_new == 2
    store.journal.append([a_trade(2, profit_ratio=0.5)])
    assert {record.id for record in store.records()} == {a_trade(n).id for n in (1, 2, 3)}


def test_sync_tries_again_and_calls_once_when_it_succeeded(
    tmp_path: Path, mem0: InMemoryMem0
) -> None:
    """Whatever goes wrong; the alarm comes with the second failure in a row, and ends."""
    store = machine(tmp_path, mem0)
    mem0.is_away = True
    calls: list[int] = []
    sync = MemorySync(store, after_first=lambda: calls.append(len(mem0.yielded)))
    assert sync.stop(0.0)
    sync = MemorySync(store, after_first=lambda: calls.append(len(mem0.yielded)))
    sync.start()
    try:
        assert eventually(lambda: sync.trouble == sync.alarm == "Mem0 is away.")
        assert calls == []
        mem0.is_away = False
        assert eventually(lambda: len(mem0.yielded) >= 2)
    finally:
        assert sync.stop(20.0)
    assert calls == [1]
    assert sync.alarm == ""


def test_a_clock_that_was_put_back_makes_no_correction_void(
    tmp_path: Path, mem0: InMemoryMem0
) -> None:
    """What a bot says last counts on all machines, also where it says it at an earlier time."""
    first, second = machine(tmp_path / "1", mem0), machine(tmp_path / "2", mem0)
    first.journal.append([a_trade(1), a_trade(2)])
    delivery_of(first).drain(20.0)
    pull_news(second)
    back = NOTED - timedelta(days=30)
    first.journal.append([a_trade(1, profit_ratio=-0.5, recorded_at=back)])
    first.journal.append([a_retraction(a_trade(2).id, recorded_at=back)])
    delivery_of(first).drain(20.0)
    pull_news(second)
    (trade,) = second.records(kind="trade")
    assert isinstance(trade, TradeRecord)
    assert (trade.id, trade.profit_ratio) == (a_trade(1).id, -0.5)


# --- any order of arrival ---

VERSIONS = st.lists(st.sampled_from([-0.5, 0.25, 0.5]) | st.none(), min_size=1, max_size=6)
"""What is said of one trade, at one time after another: a profit, or that it is taken back."""


def said(profits: list[float | None]) -> list[Record]:
    """Return the versions as records, each noted an hour after the one before."""
    return [
        a_retraction(a_trade(1).id, recorded_at=NOTED + timedelta(hours=n))
        if profit is None
        else a_trade(1, profit_ratio=profit, recorded_at=NOTED + timedelta(hours=n))
        for n, profit in enumerate(profits)
    ]


def a_file() -> sqlite3.Connection:
    """Return a journal's tables in no file at all, so that a thousand of them take no time."""
    sqlite = in_memory()
    offer_bodies(sqlite)
    migrate(sqlite, Path(":memory:"))
    return sqlite


def adopted(sqlite: sqlite3.Connection, records: Sequence[Record]) -> int:
    """Let records from Mem0 be taken over; return how many were new."""
    return adopt_records(sqlite, [made_ready(record) for record in records])


def current_trade(sqlite: sqlite3.Connection) -> Record | None:
    """Return what counts of the one trade."""
    query = "SELECT kind, body FROM records WHERE id = ? AND is_current = 1"
    row = sqlite.execute(query, [a_trade(1).id]).fetchone()
    return None if row is None else decode(*row)


@settings(deadline=None)
@given(st.data())
def test_any_order_of_arrival_ends_in_the_same_state(data: st.DataObject) -> None:
    """Corrections and retractions by any machine, in any order, in any batches: the last counts."""
    profits = data.draw(VERSIONS)
    arriving = data.draw(st.permutations(said(profits)))
    cuts = data.draw(st.sets(st.integers(1, 5)))
    with closing(a_file()) as sqlite:
        batch: list[Record] = []
        for number, record in enumerate(arriving):
            batch.append(record)
            if number in cuts:
                adopted(sqlite, batch)
                batch = []
        adopted(sqlite, batch)
        assert adopted(sqlite, arriving) == 0
        current = current_trade(sqlite)
        (pending,) = sqlite.execute("SELECT count(*) FROM outbox").fetchone()
    found = current.profit_ratio if isinstance(current, TradeRecord) else None
    assert (found, pending) == (profits[-1], 0)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([-0.5, 0.5]), st.booleans()), min_size=1, max_size=5),
    st.randoms(use_true_random=False),
)
def test_any_order_of_arrival_keeps_the_entry(
    versions: list[tuple[float, bool]], chance: random.Random
) -> None:
    """The last version's numbers, with what any version knows of the entry."""
    records = [
        a_trade(
            1,
            profit_ratio=profit,
            decision_id="a decision" if is_rich else None,
            situation={"rsi": 30.0} if is_rich else {},
            recorded_at=NOTED + timedelta(hours=n),
        )
        for n, (profit, is_rich) in enumerate(versions)
    ]
    chance.shuffle(records)
    with closing(a_file()) as sqlite:
        for record in records:
            adopted(sqlite, [record])
        current = current_trade(sqlite)
    assert isinstance(current, TradeRecord)
    any_rich = any(is_rich for _, is_rich in versions)
    assert (current.profit_ratio, current.decision_id) == (
        versions[-1][0],
        "a decision" if any_rich else None,
    )
