"""Uses of credentials are listed without their values, and no change of the list goes unseen."""

from __future__ import annotations

import json
import logging
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from freqtrade_mem0.audit.credentials import credentials_of
from freqtrade_mem0.audit.log import FILE_NAME, AuditLog
from freqtrade_mem0.cli import output
from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.credentials import Credentials
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.sqlite_files.connecting import connect
from tests.support.samples import a_trade

if TYPE_CHECKING:
    from pathlib import Path

HOUR_S = 3_600.0


def filled(folder: Path) -> AuditLog:
    """List four uses, one of them twice within an hour."""
    now = [1e9]
    log = AuditLog(folder, lambda: now[0])
    for credential in ("a", "b", "a", "a"):
        log.note(credential, "env:A")
        now[0] += 0.6 * HOUR_S
    log.note("a", "env:A", "changed")
    return log


def test_a_use_is_listed_once_an_hour(tmp_path: Path) -> None:
    """By program, credential, place and action, in order."""
    uses, broken = filled(tmp_path).uses()
    assert [(use.number, use.credential, use.action) for use in uses] == [
        (1, "a", "read"),
        (2, "b", "read"),
        (3, "a", "read"),
        (4, "a", "changed"),
    ]
    assert broken is None


@pytest.mark.parametrize(
    ("change", "row"),
    [
        ("UPDATE uses SET who = 'nobody' WHERE number = 2", 2),
        ("UPDATE uses SET at_ms = at_ms + 1 WHERE number = 4", 4),
        ("DELETE FROM uses WHERE number = 1", 1),
        ("DELETE FROM uses WHERE number = 3", 3),
        ("UPDATE uses SET link = zeroblob(32) WHERE number = 3", 3),
    ],
)
def test_a_change_is_found(tmp_path: Path, change: str, row: int) -> None:
    """The first row that does not fit is named."""
    log = filled(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as sqlite, sqlite:
        sqlite.execute(change)
    assert log.uses()[1] == row


def test_it_never_fails(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A memory that is not there gets no list; a file of another program is said in the log."""
    AuditLog(tmp_path / "none").note("a")
    assert not (tmp_path / "none").exists()
    (tmp_path / FILE_NAME).write_bytes(b"something else" * 100)
    with caplog.at_level(logging.WARNING):
        AuditLog(tmp_path).note("a")
    assert "use of a is not listed" in caplog.text


def test_the_command_lists_what_commands_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The encryption key and its changes, and keys of the service; no value is in it."""
    monkeypatch.setenv("OWN", "first-secret")
    monkeypatch.setenv("NEXT", "second-secret")
    place = tmp_path / "mem0"
    config = tmp_path / "config.json"

    def run(*words: str, key: str = "env:OWN", code: int = 0) -> Any:
        block = {"mode": "local", "path": str(place), "encryption": {"key": key}}
        config.write_text(json.dumps({"mem0": block}), encoding="utf-8")
        assert main([*words, "--json", "-c", str(config)]) == code
        return json.loads(capsys.readouterr().out)

    journal = Journal(place)
    journal.append([a_trade(1)])
    journal.close()
    assert run("encrypt")["files"] == ["journal.sqlite"]
    made = run("keys", "add", "--role", "reader")
    assert run("rotate-key", "--new", "env:NEXT")["key"] == "env:NEXT"
    listed = run("audit", key="env:NEXT")

    assert listed["changed_at"] is None
    assert [(use["action"], use["credential"], use["source"]) for use in listed["uses"]] == [
        ("read", "mem0.encryption.key", "env:OWN"),
        ("made", f"service key {made['id']}", ""),
        ("changed", "mem0.encryption.key", "env:NEXT"),
        ("read", "mem0.encryption.key", "env:NEXT"),
    ]
    assert "secret" not in json.dumps(listed)
    assert made["key"] not in json.dumps(listed)
    monkeypatch.setattr(output, "console", lambda: Console(width=80))
    assert main(["audit", "-c", str(config)]) == 0
    shown = capsys.readouterr().out
    assert "changed mem0.encryption.key" in shown
    assert f" {datetime.now(UTC):%Y-%m-%d} " in shown
    with closing(connect(place / FILE_NAME)) as sqlite:
        sqlite.execute("UPDATE uses SET who = 'x' WHERE number = 1")
    assert run("audit", key="env:NEXT", code=1)["changed_at"] == 1


def test_credentials_are_named_and_not_shown() -> None:
    """Mem0's key and the variables of providers."""
    settings = Settings.model_validate(
        {
            "mode": "platform",
            "trust": {"key": "env:TRUST"},
            "llm": {"provider": "openai", "config": {"api_key": "env:OPENAI", "model": "x"}},
        }
    )
    key = Credentials(api_key="m0-secret", source="environment M0_API_KEY")
    assert credentials_of(settings, key) == {
        "key of Mem0": "environment M0_API_KEY",
        "mem0.trust.key": "env:TRUST",
        "mem0.llm.config.api_key": "env:OPENAI",
    }
