"""Dead letters on the command line: listed, mended, sent again, given up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.codec import to_plain
from freqtrade_mem0.views.stats import stats
from tests.support.in_memory_mem0 import InMemoryMem0
from tests.support.samples import a_note, a_trade

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MemoryFolder]:
    """Three trades and a note; Mem0 refuses the second trade and the note."""
    (tmp_path / "config.json").write_text(json.dumps({"mem0": {"user_id": "me"}}))
    opened = MemoryFolder(Settings.model_validate({"user_id": "me"}), tmp_path)
    mem0 = InMemoryMem0()
    mem0.refused = {a_trade(2).id, a_note(1).id}
    opened._backend = mem0
    opened.journal.append([a_trade(1), a_trade(2), a_trade(3), a_note(1)])
    assert delivery_of(opened).drain(20.0)
    yield opened
    opened.close()


def command(store: MemoryFolder, *arguments: str) -> int:
    """Run `dead-letters` on the memory of a store."""
    folder = store.folder.parent
    options = ["-c", str(folder / "config.json"), "--userdir", str(folder)]
    return main(["dead-letters", *options, *arguments])


def listed(store: MemoryFolder, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return what `dead-letters --json` prints."""
    capsys.readouterr()
    assert command(store, "--json") == 0
    letters: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return letters


def test_they_are_listed_with_all_there_is_to_mend_them(
    store: MemoryFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    """Id, kind, attempts, reason, and the record as it is."""
    trade, note = listed(store, capsys)
    assert trade == {
        "id": a_trade(2).id,
        "kind": "trade",
        "attempts": 1,
        "error": "Mem0 refuses one of them.",
        "record": to_plain(a_trade(2)),
    }
    assert note["id"] == a_note(1).id
    assert command(store) == 0
    table = capsys.readouterr().out
    assert a_trade(2).id in table
    assert "Mem0 refuses one of them." in table


def test_they_can_be_sent_again(store: MemoryFolder, capsys: pytest.CaptureFixture[str]) -> None:
    """One by its id, or all that are left."""
    assert command(store, "--resend", a_trade(2).id) == 0
    assert "1 will be sent again" in capsys.readouterr().out
    assert [letter["kind"] for letter in listed(store, capsys)] == ["note"]
    assert command(store, "--resend") == 0
    assert "refused nothing" in capsys.readouterr().out
    store._backend = InMemoryMem0()
    assert delivery_of(store).drain(20.0)
    assert stats(store)["mem0"]["total"] == 2
    assert stats(store)["dead"] == 0


def test_a_mended_one_takes_its_place(
    store: MemoryFolder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """What --json prints, changed, is the current record, and goes to Mem0."""
    record = listed(store, capsys)[0]["record"] | {"enter_tag": "short"}
    file = tmp_path / "mended.json"
    file.write_text(json.dumps(record))
    assert command(store, "--mend", str(file)) == 0
    assert f"{a_trade(2).id} is mended" in capsys.readouterr().out
    assert store.journal.record(a_trade(2).id) == a_trade(2, enter_tag="short")
    mem0 = InMemoryMem0()
    store._backend = mem0
    assert delivery_of(store).drain(20.0)
    assert mem0.records() == [a_trade(2, enter_tag="short")]
    assert [letter["kind"] for letter in listed(store, capsys)] == ["note"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("no JSON", "can not be read as JSON"),
        ("[]", "must hold a refused record under its own id; None is no dead letter"),
        (json.dumps(to_plain(a_trade(1))), "is no dead letter"),
        (json.dumps(to_plain(a_trade(2))), "says the same as the refused record"),
        (json.dumps(to_plain(a_trade(2)) | {"pair": 3}), "pair: Input should be a valid string"),
        (json.dumps(to_plain(a_trade(2)) | {"pear": 3}), "pear"),
    ],
)
def test_a_file_that_mends_nothing_is_refused(
    store: MemoryFolder, capsys: pytest.CaptureFixture[str], content: str, sentence: str
) -> None:
    """With one sentence; nothing changes."""
    file = store.folder.parent / "mended.json"
    file.write_text(content)
    assert command(store, "--mend", str(file)) == 1
    assert sentence in " ".join(capsys.readouterr().err.split())
    assert len(listed(store, capsys)) == 2


def test_what_this_version_could_not_read_can_be_mended(
    store: MemoryFolder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A record with a key nobody knows is dead as well; without the key it is sent."""
    store.journal.append([a_trade(9)])
    with store.journal.connection.write() as sqlite:
        sqlite.execute(
            "UPDATE records SET body = json_set(body, '$.future', 1) WHERE id = ?", [a_trade(9).id]
        )
    assert delivery_of(store).drain(20.0)
    letter = listed(store, capsys)[-1]
    assert "future" in letter["error"]
    file = tmp_path / "mended.json"
    file.write_text(
        json.dumps({key: value for key, value in letter["record"].items() if key != "future"})
    )
    # Its text is another one, so it is a correction, though it says what was said at first.
    with store.journal.connection.write() as sqlite:
        sqlite.execute("UPDATE records SET content_hash = 'x' WHERE id = ?", [a_trade(9).id])
    assert command(store, "--mend", str(file)) == 0
    assert store.journal.record(a_trade(9).id) == a_trade(9)


def test_they_can_be_given_up(store: MemoryFolder, capsys: pytest.CaptureFixture[str]) -> None:
    """They stay in the journal, and are not listed or sent any more."""
    assert command(store, "--give-up", a_trade(2).id, a_note(1).id) == 0
    assert "2 will not be sent; they stay in the journal." in capsys.readouterr().out
    assert listed(store, capsys) == []
    assert store.journal.record(a_trade(2).id) == a_trade(2)
    assert stats(store)["last_error"] == ""


@pytest.mark.parametrize("action", ["--resend", "--give-up"])
def test_an_id_that_is_none_is_refused(
    store: MemoryFolder, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    """Nothing is done to the others either."""
    assert command(store, action, a_trade(2).id, a_trade(1).id) == 1
    assert f"'{a_trade(1).id}' is no dead letter" in capsys.readouterr().err
    assert len(listed(store, capsys)) == 2
