"""`doctor` tries what it speaks of, and says what it did not check."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.views.health import PROBE_USER
from tests.support.samples import a_decision, a_trade

CLOSED = "http://127.0.0.1:9"
"""Nobody listens there."""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def examined(
    capsys: pytest.CaptureFixture[str], block: dict[str, Any], **config: Any
) -> tuple[dict[str, Any], dict[str, tuple[str, str]]]:
    """Return the report of a config, and state and text of each finding by its check."""
    text = json.dumps({"mem0": {"user_id": "me", **block}, **config})
    Path("config.json").write_text(text, encoding="utf-8")
    code = main(["doctor", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert code == (0 if report["healthy"] else 1)
    return report, {each["check"]: (each["state"], each["text"]) for each in report["findings"]}


@pytest.mark.parametrize(
    "block",
    [
        {"mode": "server", "host": CLOSED},
        {"mode": "platform"},
        {
            "mode": "server",
            "vector_store": {
                "provider": "pgvector",
                "config": {"host": "127.0.0.1", "port": 9, "user": "x", "password": "env:HOME"},
            },
        },
        {"vector_store": {"provider": "faiss", "config": {"path": "x"}}},
        {"vector_store": {"provider": "no_such_store"}},
        {"embedder": {"provider": "no_such_embedder"}},
    ],
    ids=str,
)
def test_mem0_is_asked_before_there_is_a_journal(
    block: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong address, key or provider is no "in order"."""
    monkeypatch.delenv("M0_API_KEY", raising=False)
    monkeypatch.delenv("MEM0_API_KEY", raising=False)
    report, _ = examined(capsys, block)
    assert not report["healthy"]


def test_a_probe_is_written_read_searched_and_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of it stays."""
    report, found = examined(capsys, {"mode": "embedded"})
    assert report["healthy"]
    assert found["Mem0"][0] == "ok"
    assert "found by a search and deleted" in found["Mem0"][1]
    assert "the journal: there is none yet" in report["not_checked"]
    memory = MemoryFolder(Settings.model_validate({"mode": "embedded"}), _folder())
    assert memory.backend.count(filters={"user_id": PROBE_USER}) in ({}, {(): 0})
    memory.close()


def test_in_mode_local_there_is_nothing_to_probe(capsys: pytest.CaptureFixture[str]) -> None:
    """It is said, also at the end."""
    report, found = examined(capsys, {"mode": "local"})
    assert "nothing to probe" in found["Mem0"][1]
    assert any("mode 'local'" in each for each in report["not_checked"])


def test_rows_that_can_not_be_used_are_counted_and_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One changed digit and one row that is no JSON, in a file that SQLite calls intact."""
    memory = MemoryFolder(Settings.model_validate({"mode": "local"}), _folder())
    trade, decision = a_trade(1), a_decision(1)
    memory.journal.append([trade, a_trade(2), decision])
    path = memory.journal.path
    memory.close()
    with closing(sqlite3.connect(path)) as sqlite:
        sqlite.execute(
            "UPDATE records SET body = replace(body, ':0.01,', ':0.91,') WHERE id = ?", [trade.id]
        )
        sqlite.execute("UPDATE decisions SET body = 'x'")
        sqlite.commit()
    _, found = examined(capsys, {"mode": "local"})
    state, text = found["journal"]
    assert state == "failed"
    assert text.startswith("2 of 3 rows")
    assert trade.id in text
    assert decision.id in text
    assert main(["salvage"]) == 0
    capsys.readouterr()
    report, _ = examined(capsys, {"mode": "local"})
    assert report["healthy"]


@pytest.mark.parametrize("content", [b"no database" * 100, "CREATE TABLE history (x)"])
def test_a_history_of_somebody_else_is_found(
    content: bytes | str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Mem0 would fail in it, or change it."""
    folder = _folder() / "mem0"
    folder.mkdir(parents=True)
    if isinstance(content, bytes):
        (folder / "history.db").write_bytes(content)
    else:
        with closing(sqlite3.connect(folder / "history.db")) as sqlite:
            sqlite.execute(content)
    _, found = examined(capsys, {"mode": "embedded"})
    assert found["Mem0"][0] == "failed"
    assert "history.db" in found["Mem0"][1]


def test_alerts_that_freqtrade_drops_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The key is named; without channels there is nothing to warn of."""
    telegram = {"enabled": True, "allow_custom_messages": False}
    _, found = examined(capsys, {"mode": "local"}, telegram=telegram)
    assert found["alerts"][0] == "warning"
    assert "telegram.allow_custom_messages" in found["alerts"][1]
    _, found = examined(capsys, {"mode": "local"}, telegram={"enabled": True})
    assert found["alerts"][0] == "ok"
    _, found = examined(capsys, {"mode": "local"})
    assert found["alerts"][0] == "ok"


def test_switched_off_is_said_first(capsys: pytest.CaptureFixture[str]) -> None:
    """And what was not checked stands at the end."""
    report, _ = examined(capsys, {"mode": "local", "enabled": False})
    assert report["enabled"] is False
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Memory is switched off")
    assert "Not checked:" in printed
    assert "Memory is in order." not in printed


def _folder() -> Path:
    return Path("user_data").resolve()
