"""Whatever stands in Mem0, the journal or a snapshot: a bot starts, and the good records count."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.delivery.pull import pull_news
from freqtrade_mem0.journal.evidence.ids import stored_id
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.recall import STRATEGY, Recall
from freqtrade_mem0.recall.follow import JournalFollower
from freqtrade_mem0.recall.snapshot import Snapshots
from freqtrade_mem0.records.mapping import to_memory
from tests.support.hostile_values import anything, extremes
from tests.support.in_memory_mem0 import InMemoryMem0
from tests.support.samples import ORIGIN, a_risk_event, a_trade, at

SISTER = replace(ORIGIN, run_id="sister")
GOOD = [a_trade(number, origin=SISTER) for number in (1, 2, 3)]
VICTIM = a_trade(4, origin=SISTER)
FIELDS = sorted(json.loads(str(to_memory(VICTIM).metadata["record"])))


def bot_knows(store: MemoryFolder) -> float:
    """Start a bot's recall with its snapshot, decide, and return how many trades it knows."""
    recall = Recall(("pair", "regime"), 1e9)
    snapshots = Snapshots(store.journal, recall, ORIGIN, 0.5)
    follower = JournalFollower(store.journal, recall, ORIGIN, 0.5, snapshots)
    follower.begin()
    follower.run()
    moments, _, _ = recall.of_entry("ETH/USDT", "long", "dip", {"regime": "calm uptrend"}, 10**13)
    assert abs(moments.mean) < 1e6
    return round(recall.as_of(at(10_000), [STRATEGY])[0].n)


def a_store(folder: str, mem0: InMemoryMem0) -> MemoryFolder:
    """Return the memory of a machine in a folder."""
    store = MemoryFolder(Settings.model_validate({"user_id": "me"}), Path(folder))
    store._backend = mem0
    return store


@settings(max_examples=60)
@given(st.sampled_from(FIELDS), anything | extremes)
def test_any_value_of_any_field_in_mem0(field: str, value: object) -> None:
    """The record is taken as far as it is in range, or set aside; three good ones count."""
    mem0 = InMemoryMem0()
    memory = to_memory(VICTIM)
    said = json.loads(str(memory.metadata["record"])) | {field: value}
    mem0.put(replace(memory, metadata={**memory.metadata, "record": json.dumps(said)}))
    mem0.put(*map(to_memory, GOOD))
    with TemporaryDirectory() as folder:
        store = a_store(folder, mem0)
        pulled = pull_news(store)
        assert bot_knows(store) in {3, 4}
        assert len(pulled.skipped) == len(store.journal.set_aside())
        store.close()


@settings(max_examples=40)
@given(
    st.text(max_size=30) | anything.map(json.dumps),
    st.dictionaries(
        st.sampled_from(["kind", "mode", "record", "recorded_ts", "category", "schema_version"]),
        st.text(max_size=5) | st.integers() | st.floats() | st.booleans(),
        max_size=3,
    ),
    st.text(max_size=20),
)
def test_any_record_and_any_metadata_in_mem0(record: str, metadata: dict, text: str) -> None:  # type: ignore[type-arg]
    """Bytes that are no JSON, JSON that is no record, keys of any type."""
    mem0 = InMemoryMem0()
    memory = to_memory(VICTIM)
    mem0.put(replace(memory, text=text, metadata={**memory.metadata, "record": record, **metadata}))
    mem0.put(*map(to_memory, GOOD))
    with TemporaryDirectory() as folder:
        store = a_store(folder, mem0)
        pull_news(store)
        assert bot_knows(store) == 3
        store.close()


@settings(max_examples=40)
@given(st.text(max_size=30).map(str.encode) | st.binary(max_size=90), st.booleans())
def test_any_evidence_in_a_row_of_the_journal(facts: bytes, is_event: bool) -> None:
    """Another process or version wrote it."""
    with TemporaryDirectory() as folder:
        store = a_store(folder, InMemoryMem0())
        store.journal.append([*GOOD, VICTIM, a_risk_event(1)])
        with store.journal.connection.write() as sqlite:
            sqlite.execute(
                "UPDATE evidence SET facts = ? WHERE id = ?", [facts, stored_id(VICTIM.id)]
            )
            if is_event:  # of the kind of the risk event, which is JSON
                sqlite.execute(
                    "UPDATE evidence SET scope = (SELECT max(number) FROM scopes) WHERE id = ?",
                    [stored_id(VICTIM.id)],
                )
        assert bot_knows(store) == 3
        assert [each.id for each in store.journal.set_aside()] == [VICTIM.id]
        store.close()


@settings(max_examples=60)
@given(st.binary(max_size=300), st.integers(0, 400), st.booleans())
def test_any_bytes_in_a_snapshot(noise: bytes, position: int, is_whole: bool) -> None:
    """Alone, or in the middle of a good one."""
    with TemporaryDirectory() as folder:
        store = a_store(folder, InMemoryMem0())
        store.journal.append(GOOD)
        recall = Recall(("pair", "regime"), 1e9)
        snapshots = Snapshots(store.journal, recall, ORIGIN, 0.5)
        follower = JournalFollower(store.journal, recall, ORIGIN, 0.5, snapshots)
        follower.begin()
        snapshots.note(3, 1_000_000)
        assert snapshots.close(30.0)
        good = snapshots.path.read_bytes()
        changed = noise if is_whole else good[:position] + noise + good[position + len(noise) :]
        snapshots.path.write_bytes(changed)
        assert bot_knows(store) == 3
        store.close()
