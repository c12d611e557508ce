"""The service and bots send by themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import ConfigError
from tests.servers.webhook_receiver import Receiver
from tests.support.runs import a_bot, a_run
from tests.support.samples import ORIGIN, a_trade
from tests.support.served import served
from tests.support.wait import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return a receiver that listens."""
    with Receiver() as receiving:
        yield receiving


def block(url: str) -> dict[str, Any]:
    """Return the `"webhooks"` block with one endpoint."""
    return {"enabled": True, "endpoints": {"there": {"url": url}}}


def settings(**mine: Any) -> Settings:
    """Return the settings of a bot without Mem0."""
    return Settings.model_validate({"mode": "local", "user_id": "me"} | mine)


def test_the_service_tells_of_trades_and_of_its_jobs(tmp_path: Path, receiver: Receiver) -> None:
    """A trade that a bot notes beside it, and a job that somebody asked for."""
    with served(tmp_path, webhooks=block(receiver.url), user_id="me") as site:
        hooks, service = site.service.hooks, site.service
        assert eventually(lambda: bool(hooks.rows("SELECT 1 FROM endpoints")))
        service.memory.journal.append([a_trade(1, closed_at=datetime.now(UTC))])
        assert eventually(lambda: "trade.closed" in receiver.types)
        job = site.as_("admin").post("/optimize").json()
        assert eventually(lambda: len(receiver.types) > 1)
    told = receiver.asked[-1].body
    assert told["type"] == "job.done"
    assert (told["data"]["id"], told["data"]["name"]) == (job["id"], job["name"])


def test_a_bot_sends_where_no_service_runs(tmp_path: Path, receiver: Receiver) -> None:
    """From a thread of its own."""
    bot = a_bot(a_run(tmp_path, settings(webhooks=block(receiver.url))))
    try:
        closed = a_trade(1, closed_at=datetime.now(UTC), origin=bot.run.origin)
        assert eventually((tmp_path / "mem0" / "webhooks.sqlite").exists)
        worker = bot._webhooks
        assert worker is not None
        file = worker._sender.file
        assert eventually(lambda: bool(file.rows("SELECT 1 FROM endpoints")))
        bot.submit(closed)
        assert eventually(lambda: receiver.types == ["trade.closed"])
    finally:
        bot.close()
    assert receiver.asked[0].body["data"]["origin"]["run_id"] == ORIGIN.run_id


def test_a_wrong_address_stops_a_bot_at_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a mistake of the config."""
    monkeypatch.setenv("N8N_WEBHOOK_URL", "n8n:5678")
    with pytest.raises(ConfigError, match="N8N_WEBHOOK_URL"):
        a_bot(a_run(tmp_path, settings(webhooks={"enabled": True})))
