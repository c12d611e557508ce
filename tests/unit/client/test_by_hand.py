"""Changing, deleting and taking back by hand: a memory may go, what was traded stays traded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0 import TradeMemory, get_mem0_client
from freqtrade_mem0.client.mem0_client import Mem0Client
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.kinds.note import Note
from freqtrade_mem0.records.mapping import to_memory
from tests.support.mem0_stand_in import Mem0StandIn
from tests.support.samples import ORIGIN, a_note, a_risk_event, a_trade, at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANUAL = replace(ORIGIN, mode=Mode.MANUAL, run_id="manual")


@pytest.fixture(params=["embedded", "local"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mem0Client]:
    """A client of an empty memory, with Mem0 and without it."""
    config = {"mem0": {"mode": request.param, "user_id": ORIGIN.user_id}}
    with get_mem0_client(config, user_data_dir=tmp_path) as client:
        yield client


def test_a_note_is_changed_and_keeps_what_was_not_named(client: Mem0Client) -> None:
    """Under its id, for every later recall; the first text may be stored again."""
    kept = client.store("risk_profile", "two percent", {"a": 1, "b": {"c": 2}, "strategy": "x"})

    assert client.update(kept, metadata={"a": None, "d": 4, "category": "preferences"})
    assert client.update(memory_id=kept, text="one percent")

    (found,) = client.recall("user_preferences")
    assert (found["id"], found["memory"]) == (kept, "one percent")
    mine = {key: found["metadata"].get(key) for key in ("a", "b.c", "d", "strategy")}
    assert mine == {"a": None, "b.c": 2, "d": 4, "strategy": "x"}
    again = client.store("risk_profile", "two percent", {"strategy": "x"})
    assert again != kept
    assert client.store("risk_profile", "two percent", {"strategy": "x"}) == again
    assert len(client.recall()) == 2
    assert not client.update("00000000-0000-5000-8000-000000000000", text="x")
    assert not client.for_user("ann").update(kept, text="x")


@pytest.mark.parametrize(
    ("record", "change", "sentence"),
    [
        (a_trade(), {"text": "x"}, "is what the dry_run run 'bot-1' recorded, and is not changed"),
        (a_trade(), {"metadata": {"x": 1}}, "not changed by hand"),
        (a_risk_event(), {"text": "x"}, "not changed by hand"),
        (a_trade(origin=MANUAL), {"text": "x"}, "text of a trade is made from its numbers"),
        (a_risk_event(origin=MANUAL), {"metadata": {"x": 1}}, "keeps no metadata of its own"),
        (a_note(), {"text": " "}, "text must be a text that is not blank"),
        (a_note(), {"metadata": {"mode": "x"}}, "metadata 'mode' is the kind of run here"),
    ],
)
def test_what_may_not_be_changed_is_refused(
    client: Mem0Client, record: Any, change: dict[str, Any], sentence: str
) -> None:
    """What bots recorded, and what is made from numbers."""
    client.append(record)
    with pytest.raises(RecordError, match=sentence):
        client.update(record.id, **change)
    assert client.folder.journal.record(record.id) == record


def test_told_trades_and_events_may_be_changed(client: Mem0Client) -> None:
    """A trade gets other metadata, an event another description."""
    memory = TradeMemory(client)
    trade = memory.record_trade({"pair": "A/B", "profit_ratio": 0.1, "mood": "calm"})
    event = memory.record_risk_event("flash_crash", "minus ten", -0.1)

    assert client.update(trade, metadata={"mood": "greedy"})
    assert client.update(event, text="minus twelve")

    assert client.recall(filters={"mood": "greedy"})[0]["metadata"]["profit_ratio"] == 0.1
    assert "minus twelve" in client.recall("risk")[0]["content"]


def test_clearing_out_memories_changes_no_rate(client: Mem0Client) -> None:
    """The loop over old memories deletes them from answers; the trades were made all the same."""
    client.append(*(a_trade(n, profit_ratio=0.01 if n % 3 else -0.01) for n in range(1, 10)))
    client.append(a_risk_event(1), a_note(1))
    memory = TradeMemory(client)
    before = memory.explain_success_rate(now=at(24)), memory.get_strategy_insights("Sample")

    for old in client.recall(limit=None):
        assert client.delete(old["id"])
        assert not client.delete(old["id"])

    assert client.recall(limit=None) == client.recall(query="closed long trade") == []
    assert before[0] == memory.explain_success_rate(now=at(24))
    assert before[0]["n_trades"] == 9
    assert before[1]["n_effective"] == pytest.approx(
        memory.get_strategy_insights("Sample")["n_effective"], rel=1e-6
    )


def test_a_deleted_memory_does_not_come_back(client: Mem0Client) -> None:
    """Not with a correction of the trade, nor from the journal while Mem0 is away."""
    trade = a_trade(1, origin=MANUAL)
    client.append(trade)
    client.delete(trade.id)
    client.append(replace(trade, exit_reason="stop_loss"))

    assert client.recall(limit=None) == []
    assert client.folder.local.count(filters={"kind": "trade"}) == {(): 0}
    assert client.folder.backend.get(trade.id) is None


def test_taking_back_ends_evidence(client: Mem0Client) -> None:
    """By a call of its own; a bot's trade answers to its trade database."""
    memory = TradeMemory(client)
    told = memory.record_trade({"pair": "A/B", "profit_ratio": 0.1})
    client.append(a_trade(1))

    assert not client.for_user("ann").retract(told)
    assert client.retract(told, "it was a test")
    assert not client.retract(told)
    assert memory.recall_similar_trades("A/B") == []
    with pytest.raises(RecordError, match="Freqtrade's trade database says whether it counts"):
        client.retract(a_trade(1).id)


def test_a_category_that_is_off_is_not_written(tmp_path: Path) -> None:
    """By no call, and the caller is told which key to change."""
    config = {"mem0": {"mode": "local", "categories": {"risk_profile": False}}}
    with get_mem0_client(config, user_data_dir=tmp_path) as client:
        memory, kept = TradeMemory(client), client.store("market_conditions", "calm")
        for write in (
            lambda: client.store("risk", "x"),
            lambda: memory.record_risk_event("crash", "x"),
            lambda: client.update(kept, metadata={"category": "risk_profile"}),
        ):
            with pytest.raises(RecordError, match=r'"mem0.categories.risk_profile" is false'):
                write()
        assert client.stats()["journal"]["by_category"] == {"market_conditions": 1}


def test_a_memory_that_is_switched_off_stores_nothing(tmp_path: Path) -> None:
    """And says so; what it has can be read."""
    config = {"mem0": {"mode": "local", "enabled": False}}
    with get_mem0_client(config, user_data_dir=tmp_path) as client:
        with pytest.raises(RecordError, match=r'"mem0.enabled" \(MEM0_ENABLED\) is false'):
            client.store("risk_profile", "x")
        assert client.recall() == []


def test_what_only_mem0_has_is_changed_and_deleted(tmp_path: Path) -> None:
    """A note of others is changed under its id; a trade that is deleted there still counts here."""
    mem0 = Mem0StandIn()
    store = MemoryFolder(Settings.model_validate({"user_id": ORIGIN.user_id}), tmp_path)
    store._backend = mem0
    note, trade = to_memory(a_note(1)), to_memory(a_trade(2))
    foreign = replace(note, id="11111111-1111-4111-8111-111111111111", metadata={"from": "phone"})
    mem0.memories |= {each.id: each for each in (foreign, trade)}

    with Mem0Client(store) as client:
        assert client.update(foreign.id, text="anew", metadata={"read": True})
        assert client.delete(trade.id)
        changed = client.folder.journal.record_of(Note, foreign.id)
        rate = TradeMemory(client).explain_success_rate(now=at(24))
    assert changed is not None
    assert (changed.content, dict(changed.metadata)) == ("anew", {"from": "phone", "read": True})
    assert mem0.memories[foreign.id].text == "anew"
    assert trade.id not in mem0.memories
    assert rate["n_trades"] == 1


def test_a_method_of_others_is_named_with_ours(client: Mem0Client) -> None:
    """One sentence says what to type instead."""
    with pytest.raises(AttributeError, match=r"no 'add_memory'; use store\(category, content"):
        client.add_memory({"type": "trade"})
    assert not hasattr(client, "no_such_thing")


def test_memories_by_category(client: Mem0Client) -> None:
    """As a mapping over the six, under their aliases too."""
    client.store("risk_profile", "x")
    assert {name: len(found) for name, found in client.memories.items() if found} == {
        "risk_profile": 1
    }
    assert len(client.memories["risk_events"]) == 1
    assert client.for_user("ann").memories["risk_profile"] == []
    with pytest.raises(RecordError, match="the six are"):
        client.memories["weather"]
