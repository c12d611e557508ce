"""A real dry-run bot: what it trades is remembered, over stops, kills and trouble with the file."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest

from freqtrade_mem0 import AgentMemory
from freqtrade_mem0.core_memory.files import CORE_LOG
from freqtrade_mem0.core_memory.rules import find_rule, rules, take_rule_step
from freqtrade_mem0.decide.learned import RULE
from freqtrade_mem0.journal.journal import FILE_NAME
from freqtrade_mem0.records.kinds.rule import RuleState
from tests.flow.harness import PLAIN_STRATEGY, class_name, strategy_with_memory, wait_until
from tests.flow.scenarios import (
    BUSY,
    REMEMBERING,
    assert_journal_equals_database,
    closed_in_database,
    complaints,
    ledger,
    memories_in_mem0,
    memory_in,
    trade_records,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.demo.exchange.server import ExchangeStandIn
    from freqtrade_mem0.records.kinds.trade import TradeRecord
    from tests.flow.conftest import StartBot
    from tests.flow.dry_run_bot import DryRunBot

pytestmark = pytest.mark.flow

MEM0 = {"enabled": True, "sync_interval": 1, "delivery": {"retry_s": 1}}
"""A bot that loops once per second has noticed a price by then, even on a slow machine."""


def test_trades_are_remembered_with_the_situation_of_their_entry_over_a_restart(
    start_bot: StartBot, exchange: ExchangeStandIn
) -> None:
    """What is closed before and after an interrupt is recorded once, with its entry's decision."""
    for pair in ("BTC/USDT", "ETH/USDT", "DOGE/USDT"):
        exchange.control.pin(pair)
    bot = start_bot(REMEMBERING, MEM0)
    bot.wait_until(lambda: len(bot.open_trades()) == 3)
    _jump(exchange, "BTC/USDT")
    (won,) = _remembered(bot, 1)
    assert (won.pair, won.exit_reason, won.enter_tag) == ("BTC/USDT", "roi", "always")

    assert bot.stop() == 130
    with memory_in(bot.userdir) as store:
        entered = {line.decision.pair: line.decision for line in ledger(store)}
    assert set(entered) == {"BTC/USDT", "ETH/USDT", "DOGE/USDT"}
    bot.start()
    _jump(exchange, "ETH/USDT")
    records = _remembered(bot, 2)

    assert_journal_equals_database(bot)
    for record in records:
        assert record.decision_id == entered[record.pair].id
        assert record.situation == entered[record.pair].situation
        assert "regime" in record.situation
        assert (str(record.origin.mode), record.origin.run_id) == ("dry_run", "flow")
    with memory_in(bot.userdir) as store:
        wait_until(lambda: memories_in_mem0(store, kind="trade") == 2)
    assert complaints(bot.log()) == []


def test_freqtrades_rest_api_shows_multipliers_and_risk_events(
    start_bot: StartBot, exchange: ExchangeStandIn
) -> None:
    """As FreqUI asks for them: custom data of an open trade, and annotations of its chart."""
    exchange.control.pin("BTC/USDT")
    bot = start_bot(REMEMBERING + OWN_ANNOTATION, {**MEM0, "frequi": {"custom_data": True}})
    (trade,) = bot.wait_until(lambda: [t for t in bot.open_trades() if t["pair"] == "BTC/USDT"])
    asked = f"trades/{trade['trade_id']}/custom-data?key=mem0"
    ((found,),) = [each["custom_data"] for each in bot.wait_until(lambda: _noted(bot, asked))]
    assert (found["key"], found["value"]["multiplier"]) == ("mem0", 1.0)
    assert found["value"]["why"].startswith("a stake of 100 USDT was left as proposed: ")
    exchange.control.unpin("BTC/USDT")
    exchange.control.shock("BTC/USDT", 0.5)
    bot.wait_until(lambda: [each for each in _journal(bot) if each.exit_reason == "stop_loss"])

    def labels() -> list[str]:
        chart = bot.get("pair_candles?pair=BTC/USDT&timeframe=1m&limit=50")
        return [each["label"] for each in chart["annotations"]]

    own, event = bot.wait_until(lambda: each if len(each := labels()) > 1 else [])[:2]
    assert (own, event.startswith("stop loss -")) == ("own", True)
    assert complaints(bot.log()) == []


OWN_ANNOTATION = """
    def plot_annotations(self, **kwargs):
        return [{"type": "line", "label": "own"}]
"""


def _noted(bot: DryRunBot, asked: str) -> list[dict[str, Any]]:
    """Return the custom data of a trade; Freqtrade answers 404 as long as there is none."""
    try:
        found: list[dict[str, Any]] = bot.get(asked)
    except HTTPError:
        return []
    return found


def test_a_killed_bot_agrees_with_its_database_after_the_next_start(start_bot: StartBot) -> None:
    """Killed in the middle of busy trading, twice, every closed trade is in the journal once."""
    chance = random.Random(7)
    bot = start_bot(BUSY, MEM0)
    for _ in range(2):
        enough = len(closed_in_database(bot)) + chance.randrange(2, 7)
        bot.wait_until(lambda enough=enough: len(closed_in_database(bot)) >= enough)  # type: ignore[misc]
        bot.kill()
        bot.start()
    closed = len(closed_in_database(bot))
    bot.wait_until(lambda: len(_journal(bot)) >= closed)
    bot.come_to_rest()
    bot.stop()
    assert_journal_equals_database(bot)
    assert closed >= 4


def test_a_rule_approved_under_a_running_bot_moves_its_next_stakes(start_bot: StartBot) -> None:
    """Within seconds, as the journal says with the rule's id; once retired it moves none."""
    block = {**MEM0, "agents": {"write_files": True}, "sizing": {"policy": "rules"}}
    bot = start_bot(BUSY, block)
    _remembered(bot, 1)
    with AgentMemory("learner", config=bot.config, user_data_dir=bot.userdir) as memory:
        folder = memory.client.folder
        kept = memory.propose_rule(
            {
                "strategy": class_name(BUSY),
                "when": ["hour >= 0"],
                "scale": 0.5,
                "note": "half of everything",
            }
        )
        memory.log_decision({"symbol": "BTC/USDT", "action": "BUY", "confidence": 0.9})

        def n_ruled(since: datetime) -> tuple[int, int]:
            lines = [each.decision for each in ledger(folder) if each.decision.decided_at > since]
            ruled = [part.value for each in lines for part in each.reasons if part.name == RULE]
            assert set(ruled) <= {kept}
            return len(ruled), len(lines)

        def step(state: RuleState) -> datetime:
            life, now = find_rule(folder, kept), datetime.now(UTC)
            assert life is not None
            assert take_rule_step(folder, life, state, now, untried=True)["state"] == state
            return now

        approved = step(RuleState.APPROVED)
        bot.wait_until(lambda: rules(folder, memory.client.user_id)[0]["state"] == "active")
        bot.wait_until(lambda: n_ruled(approved)[0] >= 2)
        taken_up = step(RuleState.RETIRED) + timedelta(seconds=5)
        bot.wait_until(lambda: n_ruled(taken_up)[1] >= 2)
        assert n_ruled(taken_up)[0] == 0
        text = (folder.folder / CORE_LOG).read_text(encoding="utf-8")
    assert "Decision: BUY - Confidence: 0.90 - Pair: BTC/USDT" in text
    assert complaints(bot.log()) == []


def test_an_exit_forced_by_hand_is_remembered(start_bot: StartBot) -> None:
    """Freqtrade's REST server closes in a thread of its own; the record is like any other."""
    bot = start_bot(REMEMBERING, MEM0)
    trade = bot.force_one_exit()
    forced = [r for r in _remembered(bot, 1) if r.exit_reason == "force_exit"]
    assert [record.pair for record in forced] == [trade["pair"]]
    assert forced[0].is_evidence
    assert forced[0].decision_id is not None
    bot.stop()
    assert_journal_equals_database(bot)
    assert complaints(bot.log()) == []


MARKET_ORDERS = strategy_with_memory(
    PLAIN_STRATEGY
    + """
    order_types = {"entry": "market", "exit": "market", "stoploss": "market",
                   "stoploss_on_exchange": False}
    n_asked = 0

    def confirm_trade_exit(self, pair, trade, order_type, amount, rate, time_in_force,
                           exit_reason, current_time, **kwargs):
        self.n_asked += 1
        return self.n_asked > 2
"""
)
"""Orders at the market, and refuses the first two exits."""


def test_the_exit_as_it_was_decided_and_slippage_are_recorded(
    start_bot: StartBot, exchange: ExchangeStandIn
) -> None:
    """The refusals are counted; the price moves on between an order at the market and its fill."""
    bot = start_bot(MARKET_ORDERS, MEM0, max_open_trades=1)
    bot.wait_until(bot.open_trades)
    pair = bot.open_trades()[0]["pair"]
    exchange.control.pin(pair)
    _jump(exchange, pair)
    record = _remembered(bot, 1)[0]
    bot.stop()

    seen = record.execution
    assert seen is not None
    assert (seen.asked_reason, record.exit_reason) == ("roi", "roi")
    assert (seen.n_asked, seen.n_refused) == (3, 2)
    assert record.open_date < (seen.asked_at or record.open_date) <= record.close_date
    assert "regime" in seen.asked_situation
    assert seen.exit_rate == seen.asked_rate
    assert seen.entry_slippage == pytest.approx(record.open_rate / (seen.entry_rate or 1.0) - 1.0)
    assert seen.exit_slippage == pytest.approx(1.0 - record.close_rate / (seen.exit_rate or 1.0))
    assert abs(seen.exit_slippage or 0.0) < 0.02
    assert_journal_equals_database(bot)
    assert complaints(bot.log()) == []


def test_trades_closed_while_memory_was_off_are_taken_up(
    start_bot: StartBot, exchange: ExchangeStandIn
) -> None:
    """The next start finds them in Freqtrade's database, and their decision in the ledger."""
    for pair in ("BTC/USDT", "ETH/USDT", "DOGE/USDT"):
        exchange.control.pin(pair)
    bot = start_bot(REMEMBERING, MEM0)
    bot.wait_until(lambda: len(bot.open_trades()) == 3)
    bot.stop()
    _switch(bot, {"enabled": False})
    bot.start()
    _jump(exchange, "DOGE/USDT")
    bot.wait_until(bot.closed_trades)
    bot.stop()
    assert _journal(bot) == []
    _switch(bot, MEM0)
    bot.start()
    (taken_up,) = _remembered(bot, 1)
    assert_journal_equals_database(bot)
    with memory_in(bot.userdir) as store:
        decisions = {line.decision.pair: line.decision.id for line in ledger(store)}
    assert taken_up.decision_id == decisions["DOGE/USDT"]


def test_a_reloaded_config_goes_on_remembering(
    start_bot: StartBot, exchange: ExchangeStandIn
) -> None:
    """`reload_config` makes a new strategy in the same process; it knows the trades of the old."""
    for pair in ("BTC/USDT", "ETH/USDT", "DOGE/USDT"):
        exchange.control.pin(pair)
    bot = start_bot(REMEMBERING, MEM0)
    bot.wait_until(lambda: len(bot.open_trades()) == 3)
    bot.post("reload_config")
    bot.wait_until(lambda: bot.log().count("Using resolved strategy") == 2)
    _jump(exchange, "BTC/USDT")
    (record,) = _remembered(bot, 1)
    assert record.decision_id is not None
    assert "regime" in record.situation
    bot.stop()
    assert_journal_equals_database(bot)
    assert complaints(bot.log()) == []


def test_a_locked_journal_delays_nothing_but_itself(
    start_bot: StartBot, exchange: ExchangeStandIn
) -> None:
    """While another process holds the journal the bot trades on; afterwards nothing is missing."""
    for pair in ("BTC/USDT", "ETH/USDT", "DOGE/USDT"):
        exchange.control.pin(pair)
    bot = start_bot(REMEMBERING, MEM0)
    bot.wait_until(lambda: len(bot.open_trades()) == 3)
    path = bot.userdir / "mem0" / FILE_NAME
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        for number, pair in enumerate(("BTC/USDT", "ETH/USDT", "DOGE/USDT"), start=1):
            _jump(exchange, pair)
            bot.wait_until(lambda number=number: len(closed_in_database(bot)) >= number)  # type: ignore[misc]
        assert _journal(bot) == []
        other.execute("ROLLBACK")
    _remembered(bot, 3)
    bot.stop()
    assert_journal_equals_database(bot)


def _jump(exchange: ExchangeStandIn, pair: str) -> None:
    """Let a held price go, and raise it far enough for the strategy to leave."""
    exchange.control.unpin(pair)
    exchange.control.shock(pair, 1.05)


def _remembered(bot: DryRunBot, at_least: int) -> list[TradeRecord]:
    """Wait until the journal holds so many closed trades; return them."""
    return bot.wait_until(lambda: found if len(found := _journal(bot)) >= at_least else [])


def _journal(bot: DryRunBot) -> list[TradeRecord]:
    with memory_in(bot.userdir) as store:
        return trade_records(store)


def _switch(bot: DryRunBot, mem0: Mapping[str, Any]) -> None:
    """Write another `"mem0"` block into the config of a stopped bot."""
    config = json.loads(bot.config.read_text())
    bot.config.write_text(json.dumps(config | {"mem0": dict(mem0)}))


def test_a_damaged_journal_stops_no_bot(start_bot: StartBot) -> None:
    """Positions are not left alone because of a file: it trades without memory, and says so."""
    bot = start_bot(REMEMBERING, MEM0)
    bot.wait_until(bot.open_trades)
    bot.stop()
    folder = bot.userdir / "mem0"
    for file in folder.glob(f"{FILE_NAME}*"):
        file.write_bytes(b"this was a journal once" * 1_000)
    known = len(bot.log())
    bot.start()
    bot.force_one_exit()
    bot.wait_until(bot.closed_trades)
    log = _unwrapped(bot.log()[known:])
    assert log.count("This bot runs without memory until it is started again.") == 1
    assert "Traceback" not in log


def test_a_memory_deleted_under_a_running_bot_is_written_again(start_bot: StartBot) -> None:
    """It is noticed, said once, and the bot's own trades are there again with their situations."""
    bot = start_bot(REMEMBERING, MEM0)
    bot.force_one_exit()
    (before,) = _remembered(bot, 1)[:1]
    # The bot removes and makes files there meanwhile.
    shutil.rmtree(bot.userdir / "mem0", ignore_errors=True)
    bot.wait_until((bot.userdir / "mem0" / FILE_NAME).exists)
    bot.wait_until(lambda: "was deleted or replaced while" in _unwrapped(bot.log()))
    bot.force_one_exit()
    records = {record.id: record for record in _remembered(bot, 2)}
    assert records[before.id].situation == before.situation
    bot.stop()
    assert_journal_equals_database(bot)
    assert _unwrapped(bot.log()).count("was deleted or replaced while this bot runs") == 1


def _unwrapped(log: str) -> str:
    """Return a log without the line breaks that Freqtrade puts into long messages."""
    return " ".join(log.split())


def test_databases_at_one_path_are_told_apart(start_bot: StartBot) -> None:
    """As with Freqtrade's Docker layout: each start finds the other bot's database at its path."""
    bot = start_bot(BUSY, MEM0)
    path, other = bot.folder / "trades.sqlite", bot.folder / "other.sqlite"
    n_closed = [0, 0]
    for turn in range(3):
        enough = n_closed[turn % 2] + 2
        bot.wait_until(lambda enough=enough: len(closed_in_database(bot)) >= enough)  # type: ignore[misc]
        bot.come_to_rest()
        bot.stop()
        n_closed[turn % 2] = len(closed_in_database(bot))
        assert len(_journal(bot)) == sum(n_closed)
        with closing(sqlite3.connect(path)) as sqlite:
            sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ours = path.rename(bot.folder / "ours.sqlite")
        if turn:
            other.rename(path)
        ours.rename(other)
        if turn < 2:
            bot.start()
            bot.post("start")
    with closing(sqlite3.connect(bot.userdir / "mem0" / FILE_NAME)) as sqlite:
        kinds = sqlite.execute("SELECT DISTINCT kind FROM records").fetchall()
    assert ("retraction",) not in kinds
