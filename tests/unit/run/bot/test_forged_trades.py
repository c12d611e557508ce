"""A bot whose past was forged in Mem0: what its own trade database does not have has no weight."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
from freqtrade.persistence import Trade, init_db
from freqtrade.persistence.key_value_store import KeyValueStore

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.recall import STRATEGY
from freqtrade_mem0.recall.priors import Prior
from freqtrade_mem0.records.mapping import to_memory
from freqtrade_mem0.run.bot.runtime import BotRuntime
from tests.support.in_memory_mem0 import InMemoryMem0
from tests.support.runs import a_run
from tests.support.samples import ORIGIN, START, a_retraction, a_trade, at
from tests.support.session_stage import proposal
from tests.support.wait import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SISTER = replace(ORIGIN, run_id="sister")


@pytest.fixture(autouse=True)
def _database(tmp_path: Path) -> Iterator[None]:
    """A trade database without trades, made at the sample start."""
    used_db = Trade.use_db
    init_db(f"sqlite:///{tmp_path}/tradesv3.dryrun.sqlite")
    Trade.use_db = True
    KeyValueStore.store_value("bot_start_time", START)
    yield
    Trade.session.remove()
    Trade.use_db = used_db


def knows(bot: BotRuntime, n_trades: int) -> bool:
    """Let the bot look around; return whether it compared its database and knows so many trades."""
    bot._chores.request(at(60), all_chores=True)
    known = bot.session.recall.as_of(at(60), [STRATEGY])[0].n
    return bot.has_compared and round(known) == n_trades


@pytest.mark.parametrize("key", [None, "env:TRUST"])
def test_a_forged_own_trade_has_no_weight_before_and_after_reconciliation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    """Also one that takes back an own trade, over a restart; a sister's trade counts if signed."""
    monkeypatch.setenv("TRUST", "x" * 32)
    settings = Settings.model_validate({"user_id": "me", "trust": {"key": key}, "sync_interval": 1})
    mem0 = InMemoryMem0()
    forged = [a_trade(number, profit_ratio=0.9) for number in range(1, 40)]
    mem0.put(*map(to_memory, forged), to_memory(a_retraction(a_trade(50).id)))
    for start in (1, 2):
        store = MemoryFolder(settings, tmp_path)
        store._backend = mem0
        mem0.put(store.memory_of(a_trade(50 + start, origin=SISTER)))
        run = a_run(tmp_path, settings, database_lasts=True)
        bot = BotRuntime(run, Prior(), store, lambda: at(9_000), lambda _: None)

        bot.tick(at(60))
        assert eventually(partial(knows, bot, start))
        assert abs(bot.session.answer(proposal(60)).multiplier - 1.0) < 0.1
        bot.close()
    store = MemoryFolder(settings, tmp_path)
    ids = {each.id for each in store.journal.set_aside()}
    assert key is None or {trade.id for trade in forged} <= ids
    store.close()
