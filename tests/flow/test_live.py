"""A real live bot (`dry_run: false`) on a stand-in with accounts: orders, stops, fees, kills."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.demo.exchange.markets import Market
from freqtrade_mem0.demo.exchange.server import ExchangeStandIn
from freqtrade_mem0.demo.freqtrade_config import exchange_block
from freqtrade_mem0.records.execution import Execution
from freqtrade_mem0.records.kinds.failure import Failure
from freqtrade_mem0.records.kinds.opportunity import Opportunity
from freqtrade_mem0.records.kinds.retraction import Retraction
from tests.flow.dry_run_bot import DryRunBot
from tests.flow.harness import PLAIN_STRATEGY, strategy_with_memory
from tests.flow.scenarios import (
    assert_journal_equals_database,
    complaints,
    ledger,
    memory_in,
    trade_records,
)
from tests.support.own_policies import install

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from freqtrade_mem0.records.decision import Decision

pytestmark = pytest.mark.flow

MEM0 = {"enabled": True, "sync_interval": 1, "delivery": {"retry_s": 1}}
STOPPED = PLAIN_STRATEGY.replace("stoploss = -0.2", "stoploss = -0.1").replace(
    'minimal_roi = {"0": 0.005}',
    """minimal_roi = {"0": 0.03}
    order_types = {
        "entry": "limit",
        "exit": "limit",
        "emergency_exit": "market",
        "stoploss": "limit",
        "stoploss_on_exchange": True,
        "stoploss_on_exchange_interval": 1,
    }""",
)
"""Its stop waits on the exchange."""


def market(base: str, price: float, decimals: int, step_decimals: int) -> Market:
    """A market against USDT whose smallest order is worth 10."""
    return Market(
        base=base,
        quote="USDT",
        start_price=price,
        price_decimals=decimals,
        amount_decimals=step_decimals,
        min_notional_quote=10.0,
    )


MARKETS = [
    market("BTC", 59_500.0, 2, 5),
    market("ETH", 2_500.0, 2, 4),
    market("DOGE", 0.12, 5, 0),
]
PAIRS = [each.pair for each in MARKETS]


@pytest.fixture
def live_exchange() -> Iterator[ExchangeStandIn]:
    """A stand-in on which the test holds all prices."""
    with ExchangeStandIn(MARKETS) as exchange:
        for each in MARKETS:
            exchange.control.move_to(each.pair, each.start_price)
            exchange.control.pin(each.pair)
        yield exchange


def live_bot(
    exchange: ExchangeStandIn,
    folder: Path,
    source: str,
    mem0: Mapping[str, Any] | None = None,
    **config: Any,
) -> DryRunBot:
    """A bot that trades live with an account of its own, named as its folder."""
    return DryRunBot(
        exchange.url,
        folder,
        PAIRS,
        source,
        mem0,
        dry_run=False,
        exchange=exchange_block(exchange.url, PAIRS, key=folder.name),
        **config,
    )


def test_in_shadow_a_live_bot_places_the_orders_of_a_bot_without_memory(
    live_exchange: ExchangeStandIn, tmp_path: Path
) -> None:
    """Entries, stops and exits are the same over a kill; the journal equals the database."""
    control = live_exchange.control
    with (
        live_bot(live_exchange, tmp_path / "plain", STOPPED) as plain,
        live_bot(live_exchange, tmp_path / "shadow", strategy_with_memory(STOPPED), MEM0) as shadow,
    ):
        bots = (plain, shadow)
        for bot in bots:
            bot.wait_until(lambda bot=bot: n_stops(live_exchange, bot) == 3)  # type: ignore[misc]
            bot.post("stopentry")
        jump(live_exchange, "ETH/USDT", 1.05)  # leaves by its ROI
        for bot in bots:
            bot.wait_until(lambda bot=bot: len(bot.closed_trades()) == 1)  # type: ignore[misc]
        shadow.kill()
        enter_no_more(shadow)
        jump(live_exchange, "BTC/USDT", 0.895)  # sold by its stop while one bot is down
        shadow.start()
        for bot in bots:
            bot.wait_until(lambda bot=bot: len(bot.closed_trades()) == 2)  # type: ignore[misc]
        wait_for_records(shadow, 2)
        for bot in bots:
            bot.post("forceexit", tradeid="all")
            bot.wait_until(lambda bot=bot: len(bot.closed_trades()) == 3)  # type: ignore[misc]
        wait_for_records(shadow, 3)
        shadow.stop()
        assert orders(live_exchange, shadow) == orders(live_exchange, plain)
        assert control.refusals("shadow") == control.refusals("plain") == []
        assert_journal_equals_database(shadow)
        with memory_in(shadow.userdir) as store:
            found = {record.pair: record for record in trade_records(store)}
        assert {str(record.origin.mode) for record in found.values()} == {"live"}
        assert found["BTC/USDT"].exit_reason == "stoploss_on_exchange"
        seen = {pair: record.execution or Execution() for pair, record in found.items()}
        assert seen["DOGE/USDT"].asked_reason == "force_exit"
        assert seen["BTC/USDT"].n_asked == 0  # its stop sold it
        for each in seen.values():
            assert each.entry_slippage == pytest.approx(0.0, abs=0.01)
            assert each.exit_slippage == pytest.approx(0.0, abs=0.02)
        assert all(record.decision_id is not None for record in found.values())
        assert complaints(shadow.log()) == []


def enter_no_more(bot: DryRunBot) -> None:
    """Let the next start of a bot open no trade."""
    config = json.loads(bot.config.read_text())
    bot.config.write_text(json.dumps(config | {"max_open_trades": 0}))


def n_stops(exchange: ExchangeStandIn, bot: DryRunBot) -> int:
    """Return how many stops of a bot wait on the exchange."""
    placed = exchange.control.orders(bot.folder.name)
    return sum(o["type"] == "STOP_LOSS_LIMIT" and o["status"] == "NEW" for o in placed)


def orders(exchange: ExchangeStandIn, bot: DryRunBot) -> list[tuple[str, ...]]:
    """Return what a bot ordered, sorted: bots of one market do not order in step."""
    said = ("symbol", "side", "type", "status", "price", "origQty", "executedQty", "stopPrice")
    return sorted(
        tuple(str(order[name]) for name in said)
        for order in exchange.control.orders(bot.folder.name)
    )


def jump(exchange: ExchangeStandIn, pair: str, factor: float) -> None:
    """Move a held price at once, and hold it there."""
    control = exchange.control
    price = control.price(pair)
    control.unpin(pair)
    control.move_to(pair, price * factor)
    control.pin(pair)


def wait_for_records(bot: DryRunBot, n: int) -> None:
    """Wait until the journal has some closed trades."""

    def has_all() -> bool:
        with memory_in(bot.userdir) as store:
            return len(trade_records(store)) >= n

    bot.wait_until(has_all)


SHY = """
from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.sizing.policy import Wish


class Shy:
    name = "shy"

    def __call__(self, known):
        reason = Reason(name="shy", text="always", effect=-0.75)
        return Wish(multiplier=0.25, reasons=(reason,))


def from_settings(settings):
    return Shy()
"""
"""A policy that always wants a quarter of the stake."""


@pytest.mark.parametrize("stake", [12.0, 20.0])
def test_stakes_near_the_minimum_are_neither_refused_nor_left_without_a_stop(
    live_exchange: ExchangeStandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stake: float,
) -> None:
    """What is placed survives amount steps, the fee in the coin, the stop and the exit."""
    site = tmp_path / "site"
    site.mkdir()
    install(site, "shy-stakes", "shy", SHY, {"shy": "shy:from_settings"})
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]))
    mem0 = MEM0 | {"sizing": {"policy": "shy", "live": True}}
    control = live_exchange.control
    with live_bot(
        live_exchange,
        tmp_path / "small",
        strategy_with_memory(STOPPED),
        mem0,
        stake_amount=stake,
    ) as bot:
        bot.wait_until(lambda: len(bot.open_trades()) == 3)
        bot.post("stopentry")
        bot.wait_until(lambda: n_stops(live_exchange, bot) == 3)
        assert control.refusals("small") == []
        with memory_in(bot.userdir) as store:
            decisions = [line.decision for line in ledger(store)]
        placed = {trade["pair"]: trade["stake_amount"] for trade in bot.open_trades()}
        for decision in decisions:
            assert decision.applied
            assert decision.stake == pytest.approx(placed[decision.pair], rel=0.1)
            assert decision.stake <= stake
        if stake > 12.0:
            assert all(decision.stake < stake for decision in decisions)
        jump(live_exchange, "BTC/USDT", 0.895)
        jump(live_exchange, "ETH/USDT", 1.05)
        bot.wait_until(lambda: len(bot.closed_trades()) == 2)
        bot.force_exit()
        bot.wait_until(lambda: len(bot.closed_trades()) == 3)
        reasons = {trade["pair"]: trade["exit_reason"] for trade in bot.closed_trades()}
        assert control.refusals("small") == []
        assert reasons == {
            "BTC/USDT": "stoploss_on_exchange",
            "ETH/USDT": "roi",
            "DOGE/USDT": "force_exit",
        }
        wait_for_records(bot, 3)
        bot.stop()
        assert_journal_equals_database(bot)


def test_an_entry_that_is_refused_each_loop_is_one_decision_per_candle(
    live_exchange: ExchangeStandIn, tmp_path: Path
) -> None:
    """With a count, over a restart; the trade that comes of it at last knows its decision."""
    control = live_exchange.control
    control.halt("BTC/USDT")
    source = strategy_with_memory(STOPPED)
    with live_bot(live_exchange, tmp_path / "refused", source, MEM0) as bot:
        bot.wait_until(lambda: len(bot.open_trades()) == 2)
        bot.wait_until(lambda: n_asked(bot, "BTC/USDT") > 5)
        bot.stop()
        bot.start()
        before = n_asked(bot, "BTC/USDT")
        bot.wait_until(lambda: n_asked(bot, "BTC/USDT") > before + 2)
        bot.wait_until(lambda: has_failures(bot, 1))
        control.resume("BTC/USDT")
        bot.wait_until(lambda: len(bot.open_trades()) == 3)
        bot.post("stopentry")
        decisions = decided(bot, "BTC/USDT")
        candles = [f"{each.decided_at:%Y-%m-%d %H:%M}" for each in decisions]
        assert len(set(candles)) == len(candles)
        bot.force_exit()
        bot.wait_until(lambda: len(bot.closed_trades()) == 3)
        wait_for_records(bot, 3)
        bot.stop()
        assert_journal_equals_database(bot)
        with memory_in(bot.userdir) as store:
            entered = {each.pair: each.decision_id for each in trade_records(store)}
            failures = list(store.journal.of_kind(Failure))
            missed = list(store.journal.of_kind(Opportunity))
        assert entered["BTC/USDT"] == decisions[-1].id
        # The exchange refused each order, so Freqtrade has none of them.
        assert {(each.pair, each.action, each.cause) for each in failures} == {
            ("BTC/USDT", "entry", "not_placed")
        }
        assert {(each.pair, each.why) for each in missed} == {("BTC/USDT", "not_filled")}


def decided(bot: DryRunBot, pair: str) -> list[Decision]:
    """Return the decisions about a pair, whether or not they became trades, oldest first."""
    with memory_in(bot.userdir) as store:
        lines = list(store.journal.ledger(only_opened=False))
    return [line.decision for line in lines if line.decision.pair == pair]


def has_failures(bot: DryRunBot, n: int) -> bool:
    """Return whether so many failed orders are recorded."""
    with memory_in(bot.userdir) as store:
        return sum(1 for _ in store.journal.of_kind(Failure)) >= n


def n_asked(bot: DryRunBot, pair: str) -> int:
    """Return how often Freqtrade asked about an entry in a pair."""
    return sum(decision.n_asked for decision in decided(bot, pair))


def waiting(exchange: ExchangeStandIn, bot: DryRunBot, side: str, pair: str) -> list[int]:
    """Return the open limit orders of a bot."""
    return [
        order["orderId"]
        for order in exchange.control.orders(bot.folder.name)
        if order["side"] == side
        and order["symbol"] == pair.replace("/", "")
        and order["type"] == "LIMIT"
        and order["status"] in {"NEW", "PARTIALLY_FILLED"}
    ]


def test_partial_fills_and_hand_cancels_are_recorded_as_freqtrade_books_them(
    live_exchange: ExchangeStandIn, tmp_path: Path
) -> None:
    """An entry that is half filled and cancelled, one cancelled before a fill, a half exit."""
    control = live_exchange.control
    control.limit_fills("ETH/USDT", 0.5)
    control.limit_fills("BTC/USDT", 0.0)
    plain = STOPPED.replace('"stoploss_on_exchange": True', '"stoploss_on_exchange": False')
    with live_bot(live_exchange, tmp_path / "hand", strategy_with_memory(plain), MEM0) as bot:

        def cancelled(side: str, pair: str) -> bool:
            found = waiting(live_exchange, bot, side, pair)
            for order_id in found:
                control.cancel("hand", order_id)
            return bool(found)

        bot.wait_until(lambda: cancelled("BUY", "BTC/USDT"))
        control.limit_fills("BTC/USDT", 1.0)
        bot.wait_until(lambda: cancelled("BUY", "ETH/USDT"))
        control.limit_fills("ETH/USDT", 1.0)
        bot.wait_until(lambda: len(bot.open_trades()) == 3)
        bot.wait_until(lambda: not any(trade["has_open_orders"] for trade in bot.open_trades()))
        bot.post("stopentry")
        control.limit_fills("DOGE/USDT", 0.5)
        (doge,) = [each["trade_id"] for each in bot.open_trades() if each["pair"] == "DOGE/USDT"]
        bot.post("forceexit", tradeid=str(doge), ordertype="limit")
        bot.wait_until(lambda: cancelled("SELL", "DOGE/USDT"))
        control.limit_fills("DOGE/USDT", 1.0)
        jump(live_exchange, "ETH/USDT", 1.05)
        bot.wait_until(lambda: len(bot.closed_trades()) >= 1)
        bot.force_exit()
        bot.wait_until(lambda: len(bot.closed_trades()) == 3)
        wait_for_records(bot, 3)
        bot.stop()
        assert_journal_equals_database(bot)
        with memory_in(bot.userdir) as store:
            found = {record.pair: record for record in trade_records(store)}
            failures = list(store.journal.of_kind(Failure))
        halves = {(each.pair, each.action): each.filled_ratio for each in failures}
        assert halves["ETH/USDT", "entry"] == pytest.approx(0.5, abs=0.1)
        assert halves["DOGE/USDT", "exit"] == pytest.approx(0.5, abs=0.1)
        assert found["DOGE/USDT"].n_exits == 2
        assert all(record.decision_id is not None for record in found.values())
        assert complaints(bot.log()) == []


def test_both_modes_can_share_a_database(live_exchange: ExchangeStandIn, tmp_path: Path) -> None:
    """As in Freqtrade's own compose file: each trade is recorded once, under its own mode."""
    url = f"sqlite:///{tmp_path / 'tradesv3.sqlite'}"
    source = strategy_with_memory(STOPPED)
    with live_bot(live_exchange, tmp_path / "both", source, MEM0, db_url=url) as bot:
        for number, is_dry_run in enumerate([True, False, True], start=1):
            bot.stop()
            config = json.loads(bot.config.read_text())
            bot.config.write_text(json.dumps(config | {"dry_run": is_dry_run}))
            bot.start()
            bot.wait_until(lambda: len(bot.open_trades()) == 3)
            bot.post("stopentry")
            bot.force_exit()
            bot.wait_until(lambda n=3 * number: n_closed(url) >= n)  # type: ignore[misc]
            wait_for_records(bot, 3 * number)
            for pair in PAIRS:  # Freqtrade locks it until the next candle
                bot.post("locks/delete", pair=pair)
        bot.stop()
        with memory_in(bot.userdir) as store:
            modes = [str(record.origin.mode) for record in trade_records(store)]
            retracted = list(store.journal.of_kind(Retraction))
        assert sorted(modes) == ["dry_run"] * 6 + ["live"] * 3
        assert retracted == []
        assert complaints(bot.log()) == []


def n_closed(url: str) -> int:
    """Return how many closed trades a database has."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as sqlite:
        count: int = sqlite.execute("SELECT count(*) FROM trades WHERE is_open = 0").fetchone()[0]
    return count
