"""`doctor` tries what it speaks of, and says what it did not check."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from freqtrade.rpc.telegram import Telegram
from telegram.ext import Application

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.journal.verify import verify
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.views.probe import PROBE_USER
from tests.support.samples import a_decision, a_trade
from tests.support.telegram_stand_in import telegram_stand_in

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


def alerted(
    capsys: pytest.CaptureFixture[str], **config: Any
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return the report with a test alert, and what became of the alert."""
    block = {"user_id": "me", "mode": "local"}
    Path("config.json").write_text(json.dumps({"mem0": block, **config}), encoding="utf-8")
    main(["doctor", "--json", "--test-alert"])
    report = json.loads(capsys.readouterr().out)
    found = [each for each in report["findings"] if each["check"] == "test alert"]
    return report, [(each["state"], each["text"]) for each in found]


def use_bot_api(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Let Freqtrade's Telegram speak to another address."""

    def app(self: Any) -> Any:
        token = self._config["telegram"]["token"]
        return Application.builder().token(token).base_url(url).build()

    monkeypatch.setattr(Telegram, "_init_telegram_app", app)


def test_a_test_alert_reaches_telegram(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through Freqtrade's own sender, worded for it."""
    with telegram_stand_in() as telegram:
        use_bot_api(monkeypatch, telegram.url)
        block = {"enabled": True, "token": "1:x", "chat_id": "1"}
        report, found = alerted(capsys, telegram=block)
    assert found == [("ok", "telegram accepted it; look whether it is there")]
    assert len(telegram.shown) == 1
    assert "a test alert of freqtrade-mem0 doctor" in telegram.shown[0]
    assert not any("alert" in each for each in report["not_checked"])


def test_a_refused_test_alert_is_a_failure_without_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody answers: the channel, the reason, and neither token nor secret address."""
    use_bot_api(monkeypatch, f"{CLOSED}/bot")
    message = {"allow_custom_messages": True}
    report, found = alerted(
        capsys,
        telegram={"enabled": True, "token": "17:sesame", "chat_id": "1"},
        webhook={"enabled": True, "url": f"{CLOSED}/sesame", "strategy_msg": {"a": "{msg}"}}
        | message,
        discord={"enabled": True, "webhook_url": f"{CLOSED}/x/sesame", "strategy_msg": [{"a": "b"}]}
        | message,
    )
    assert not report["healthy"]
    assert [state for state, _ in found] == ["failed"] * 3
    assert [text.split()[0] for _, text in found] == ["telegram", "discord", "webhook"]
    assert "sesame" not in str(found)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({}, "not sent: Telegram, webhook and Discord are off in Freqtrade's config"),
        (
            {"telegram": {"enabled": True, "allow_custom_messages": False}},
            "not sent to telegram: 'telegram.allow_custom_messages' is not true in the config",
        ),
    ],
    ids=["off", "not allowed"],
)
def test_a_test_alert_that_can_not_be_sent_is_a_warning(
    capsys: pytest.CaptureFixture[str], config: dict[str, Any], text: str
) -> None:
    """It says why."""
    _, found = alerted(capsys, **config)
    assert found == [("warning", text)]


def test_progress_is_told_by_page() -> None:
    """How many rows are done, and how many there are, with decisions."""
    memory = MemoryFolder(Settings.model_validate({"mode": "local"}), _folder())
    memory.journal.append([*map(a_trade, range(1_500)), a_decision(1)])
    told: list[tuple[int, int]] = []
    verify(memory.journal.connection, lambda *counts: told.append(counts))
    memory.close()
    assert told == [(1_000, 1_501), (1_500, 1_501), (1_501, 1_501)]


@pytest.mark.parametrize(
    ("secret", "state", "text"),
    [("x" * 32, "ok", "records in Mem0 signed"), ("short", "failed", "holds 5 characters")],
)
def test_the_key_for_signatures_is_checked(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    secret: str,
    state: str,
    text: str,
) -> None:
    """A bot would not start without it."""
    monkeypatch.setenv("TRUST", secret)
    _, found = examined(capsys, {"mode": "local", "trust": {"key": "env:TRUST"}})
    assert found["config"][0] == state
    assert text in found["config"][1]


def test_an_indicator_that_can_not_be_computed_is_no_good_config(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Freqtrade would stop at its start."""
    _, found = examined(capsys, {"situation": {"indicators": ["ADX(14)", "ADXX(14)"]}})
    state, text = found["config"]
    assert state == "failed"
    assert "'ADXX(14)': TA-Lib has no function ADXX; ADX is near" in text
    _, found = examined(capsys, {"situation": {"indicators": ["ADX(14)"]}})
    assert found["config"][0] == "ok"
