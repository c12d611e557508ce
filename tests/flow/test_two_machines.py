"""Two bots on two machines with one Mem0 server between them: what one learns, the other knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.delivery.push import delivery_of
from tests.flow.harness import wait_until
from tests.flow.scenarios import BUSY, REMEMBERING, complaints, memory_in, trade_records
from tests.servers.mem0_rest_server import RestServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0.records.kinds.trade import TradeRecord
    from tests.flow.conftest import StartBot
    from tests.flow.dry_run_bot import DryRunBot

pytestmark = pytest.mark.flow

KEY = "key-of-the-server-0815"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RestServer]:
    """A self-hosted Mem0 server with a key, and the key in the environment of the bots."""
    monkeypatch.setenv("MEM0_API_KEY", KEY)
    with RestServer(tmp_path / "server", key=KEY) as running:
        yield running


def block(server: RestServer, bot_id: str, **more: Any) -> dict[str, Any]:
    """Return the config of one of the bots."""
    return {
        "enabled": True,
        "mode": "server",
        "host": server.url,
        "bot_id": bot_id,
        "user_id": "me",
        "timeout_s": 2,
        "sync_interval": 1,
        "delivery": {"retry_s": 0.2, "max_retry_s": 1},
        **more,
    }


def journal_of(bot: DryRunBot, mem0: dict[str, Any], run_id: str) -> list[TradeRecord]:
    """Return what a bot's own journal has of a bot's trades."""
    with memory_in(bot.userdir, mem0) as store:
        return trade_records(store, run_id=run_id)


def test_a_bot_learns_from_another_machine(start_bot: StartBot, server: RestServer) -> None:
    """Trades closed by one reach the journal of the other, over an outage of the server."""
    here, there = block(server, "here"), block(server, "there")
    busy = start_bot(BUSY, here, name="here")
    # The same strategy by name: bots learn from trades of their own strategy alone.
    watching = start_bot(REMEMBERING, there, name="there")
    busy.wait_until(lambda: len(journal_of(busy, here, "here")) >= 2)
    watching.wait_until(lambda: len(journal_of(watching, there, "here")) >= 2)

    server.fails("hang")
    known = len(journal_of(busy, here, "here"))
    busy.wait_until(lambda: len(journal_of(busy, here, "here")) >= known + 2)
    server.works()
    busy.stop()
    ours = {record.id: record for record in journal_of(busy, here, "here")}
    with memory_in(busy.userdir, here) as store:
        assert delivery_of(store).drain(60.0)
    wait_until(lambda: len(journal_of(watching, there, "here")) == len(ours))

    assert {record.id: record for record in journal_of(watching, there, "here")} == ours
    watching.stop()
    with memory_in(watching.userdir, there) as store:
        assert delivery_of(store).drain(60.0)
        distinct = {memory.id for memory in store.backend.scan(filters={"user_id": "me"})}
    assert len(server.texts()) == len(distinct)  # what hung was not stored twice
    assert KEY not in busy.log() + watching.log()
    # What the outage made them say is all they said.
    for bot in (busy, watching):
        assert all("127.0.0.1" in line or "Mem0" in line for line in complaints(bot.log()))


def test_a_bot_without_its_journal_gets_it_back(start_bot: StartBot, server: RestServer) -> None:
    """On a new machine with the old trade database the situations of entries come back, too."""
    mem0 = block(server, "mover")
    bot = start_bot(BUSY, mem0)
    bot.wait_until(lambda: len(journal_of(bot, mem0, "mover")) >= 3)
    bot.come_to_rest()
    bot.stop()
    with memory_in(bot.userdir, mem0) as store:
        assert delivery_of(store).drain(60.0)
        before = {record.id: record for record in trade_records(store)}
        for file in store.folder.glob("journal.sqlite*"):
            file.unlink()
    bot.start()
    bot.wait_until(lambda: len(journal_of(bot, mem0, "mover")) >= len(before))
    bot.wait_until(
        lambda: all(
            record.decision_id is not None
            for record in journal_of(bot, mem0, "mover")
            if record.id in before
        )
    )
    after = {record.id: record for record in journal_of(bot, mem0, "mover")}

    for record in before.values():
        assert after[record.id].situation == record.situation
        assert after[record.id].profit_ratio == record.profit_ratio
    assert all("regime" in record.situation for record in before.values())
    bot.stop()
