"""Signed records: without the owner's key nothing that is put into Mem0 counts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.load import load_settings
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.delivery.pull import pull_news
from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.mapping import to_memory
from freqtrade_mem0.records.signing import SIGNATURE
from tests.support.in_memory_mem0 import InMemoryMem0
from tests.support.runs import a_bot, a_run
from tests.support.samples import ORIGIN, a_note, a_promotion, a_retraction, a_risk_event, a_trade

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.records.memory import Memory

KEY = "0123456789abcdef0123456789abcdef"
SISTER = replace(ORIGIN, run_id="sister")
RECORDS = [
    a_trade(1, origin=SISTER),
    a_risk_event(2, origin=SISTER),
    a_note(3),
    a_promotion(),
    a_retraction(a_trade(4, origin=SISTER).id, origin=SISTER),
]


@pytest.fixture
def mem0(monkeypatch: pytest.MonkeyPatch) -> InMemoryMem0:
    """A shared Mem0; the owner's key is in the environment."""
    monkeypatch.setenv("TRUST", KEY)
    monkeypatch.setenv("OTHER_TRUST", KEY[::-1])
    return InMemoryMem0()


def a_machine(folder: Path, mem0: InMemoryMem0, key: str | None = "env:TRUST") -> MemoryFolder:
    """Return the memory of one of the owner's machines."""
    made = MemoryFolder(Settings.model_validate({"user_id": "me", "trust": {"key": key}}), folder)
    made._backend = mem0
    return made


def test_signed_records_travel_between_machines(tmp_path: Path, mem0: InMemoryMem0) -> None:
    """Of every kind, as they were."""
    here = a_machine(tmp_path / "here", mem0)
    here.journal.append(RECORDS)
    delivery_of(here).drain(20.0)

    there = a_machine(tmp_path / "there", mem0)
    pulled = pull_news(there)
    assert pulled.skipped == []
    assert {record.id for _, record in there.journal.records()} == {each.id for each in RECORDS}


def changed(memory: Memory, **changes: Any) -> Memory:
    """Return a memory whose record says something else under the same signature."""
    said = json.loads(str(memory.metadata["record"])) | changes
    return replace(memory, metadata={**memory.metadata, "record": json.dumps(said)})


@pytest.mark.parametrize("record", RECORDS, ids=lambda each: each.kind)
@pytest.mark.parametrize("forgery", ["unsigned", "other key", "no text", "cut", "changed"])
def test_what_is_not_signed_by_the_owner_is_set_aside(
    tmp_path: Path, mem0: InMemoryMem0, record: Any, forgery: str
) -> None:
    """It counts for nothing, and the record beside it counts."""
    here = a_machine(tmp_path / "here", mem0)
    memory = here.memory_of(record)
    signature = str(memory.metadata[SIGNATURE])
    forged = {
        "unsigned": to_memory(record),
        "other key": a_machine(tmp_path / "x", mem0, "env:OTHER_TRUST").memory_of(record),
        "no text": replace(memory, metadata={**memory.metadata, SIGNATURE: 17}),
        "cut": replace(memory, metadata={**memory.metadata, SIGNATURE: signature[:-1]}),
        "changed": changed(memory, known_at="2024-01-01T01:02:03Z"),
    }[forgery]
    mem0.put(forged, here.memory_of(a_trade(9, origin=SISTER)))

    there = a_machine(tmp_path / "there", mem0)
    pull_news(there)
    assert [found.id for _, found in there.journal.records()] == [a_trade(9, origin=SISTER).id]
    (aside,) = there.journal.set_aside()
    assert (aside.source, aside.id) == ("Mem0", memory.id)
    assert "sign" in aside.why


def test_without_a_key_signatures_are_not_looked_at(tmp_path: Path, mem0: InMemoryMem0) -> None:
    """A machine that has no key yet goes on as before."""
    mem0.put(a_machine(tmp_path / "here", mem0).memory_of(RECORDS[0]))

    assert pull_news(a_machine(tmp_path / "there", mem0, None)).n_new == 1


def test_notes_of_people_need_no_signature(tmp_path: Path, mem0: InMemoryMem0) -> None:
    """They are never evidence."""
    there = a_machine(tmp_path / "there", mem0)
    mem0.put(replace(to_memory(a_note(1)), metadata={"mine": True}))

    assert pull_news(there).n_new == 1
    assert there.journal.set_aside() == []


def test_what_was_delivered_before_the_key_can_be_signed(
    tmp_path: Path, mem0: InMemoryMem0
) -> None:
    """Everything that this machine recorded waits again; what came from Mem0 does not."""
    before = a_machine(tmp_path / "here", mem0, None)
    before.journal.append(RECORDS[:1])
    before.journal.adopt([a_trade(8, origin=SISTER)])
    delivery_of(before).drain(20.0)
    before.close(leave_backend=True)
    here = a_machine(tmp_path / "here", mem0)

    assert here.outbox.send_again() == 1
    delivery_of(here).drain(20.0)
    assert pull_news(a_machine(tmp_path / "there", mem0)).n_new == 1


def test_what_is_signed_later_is_not_set_aside_any_more(tmp_path: Path, mem0: InMemoryMem0) -> None:
    """A machine that had the key first takes it, and `doctor` has nothing to warn of."""
    there = a_machine(tmp_path / "there", mem0)
    mem0.put(to_memory(RECORDS[0]), to_memory(a_trade(9, origin=SISTER)))
    pull_news(there)
    assert len(there.journal.set_aside()) == 2

    mem0.put(there.memory_of(RECORDS[0]))
    assert pull_news(there).n_new == 1
    assert [each.id for each in there.journal.set_aside()] == [a_trade(9, origin=SISTER).id]


def test_the_command_sends_again(
    tmp_path: Path, mem0: InMemoryMem0, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the embedded Mem0, whose memory gets the signature."""
    del mem0
    config = tmp_path / "config.json"
    for key in (None, "env:TRUST"):
        block = {"path": str(tmp_path / "m"), "trust": {"key": key}}
        config.write_text(json.dumps({"mem0": block}))
        store = MemoryFolder(Settings.model_validate(block), tmp_path)
        store.journal.append(RECORDS[:1])
        store.close()
        assert main(["deliver", "-c", str(config), "--json", *(["--again"] if key else [])]) == 0
        assert json.loads(capsys.readouterr().out)["delivered"] == 1
    store = MemoryFolder(store.settings, tmp_path)
    memory = store.backend.get(RECORDS[0].id)
    assert memory is not None
    assert memory.metadata[SIGNATURE] == store.memory_of(RECORDS[0]).metadata[SIGNATURE]
    store.close()


def test_a_plain_key_in_the_config_is_refused() -> None:
    """Its value is not shown."""
    with pytest.raises(ConfigError, match=r'"mem0.trust.key" must not hold a secret') as error:
        load_settings({"mem0": {"trust": {"key": KEY}}})
    assert KEY not in str(error.value)


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("env:NOT_SET", "", "which is not set"),
        ("env:TRUST", "short", "holds 5 characters: a key has at least 16"),
    ],
)
def test_a_bot_whose_key_is_missing_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: str, why: str
) -> None:
    """The message names the key and what to do."""
    monkeypatch.setenv("TRUST", value)
    settings = Settings.model_validate({"mode": "local", "trust": {"key": key}})
    with pytest.raises(ConfigError, match=rf'"mem0.trust.key" .*{why}'):
        a_bot(a_run(tmp_path, settings))


def test_an_empty_name_is_refused() -> None:
    """Before anything is opened."""
    with pytest.raises(ConfigError, match=r'"mem0.trust.key" is .*must name an environment'):
        load_settings({"mem0": {"trust": {"key": "env:"}}})
