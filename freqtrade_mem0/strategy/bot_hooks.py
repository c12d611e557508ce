"""What memory does at the callbacks of a dry-run or live bot, besides what every run does."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from freqtrade_mem0.host import freqtrade as host
from freqtrade_mem0.records.base import as_utc, to_ms
from freqtrade_mem0.run.bot.entries.exits import AskedExit
from freqtrade_mem0.run.bot.entries.orders import Wanted
from freqtrade_mem0.strategy.hooks import Hooks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freqtrade_mem0.run.bot.runtime import BotRuntime


class BotHooks(Hooks):
    """What a dry-run or live bot does besides."""

    @property
    def _bot(self) -> BotRuntime:
        return cast("BotRuntime", self._runtime_of())

    def confirm_trade_exit(self, own: Callable[[], Any], call: Mapping[str, Any]) -> Any:
        """Note the exit that the strategy confirms or refuses. On failure: it is not noted."""
        answer = own()
        try:
            self._exit_asked(call, is_confirmed=bool(answer))
        except Exception as error:  # noqa: BLE001 - as above
            self._log_failure("confirm_trade_exit", error, call)
        return answer

    def order_filled(self, own: Callable[[], Any], call: Mapping[str, Any]) -> Any:
        """Link a trade to its decision, record a closed trade. On failure: reconciled later."""
        try:
            self._filled(call["trade"], call["order"])
        except Exception as error:  # noqa: BLE001 - as above
            self._log_failure("order_filled", error, call)
        return own()

    def bot_loop_start(self, own: Callable[[], Any], call: Mapping[str, Any]) -> Any:
        """Check risk, and start a reconciliation when one is due. On failure: tried again later."""
        try:
            moment = as_utc(call["current_time"])
            self._bot.tick(moment)
            self._bot.failures.resolve(moment, partial(host.analysed_candles, self._strategy))
        except Exception as error:  # noqa: BLE001 - as above
            self._log_failure("bot_loop_start", error, call)
        return own()

    def analyze_pair(self, own: partial[None], call: Mapping[str, Any]) -> None:
        """Make the situation ready while the new candles are in the processor's caches.

        And what is known, once per bot loop. On failure: the next stake does it.
        """
        own()
        try:
            self._market.make_ready(call["pair"] if "pair" in call else own.args[0])
            self._bot.make_ready()
        except Exception as error:  # noqa: BLE001 - as above
            self._log_failure("analyze_pair", error, call)

    def plot_annotations(self, own: Callable[[], Any], call: Mapping[str, Any]) -> Any:
        """Add risk events to the strategy's annotations. On failure: the strategy's alone.

        A thread of Freqtrade's REST server calls it.
        """
        answer = own()
        try:
            start, end = as_utc(call["start_date"]), as_utc(call["end_date"])
            return [*answer, *self._bot.chart_notes(call["pair"], start, end)]
        except Exception as error:  # noqa: BLE001 - as above
            self._log_failure("plot_annotations", error, call)
            return answer

    def _exit_asked(self, call: Mapping[str, Any], *, is_confirmed: bool) -> None:
        moment = as_utc(call["current_time"])
        asked = AskedExit(
            reason=str(call["exit_reason"] or ""),
            rate=float(call["rate"]),
            moment=moment,
            situation=self._market.seen_by_any_thread(call["pair"], to_ms(moment)),
            is_confirmed=is_confirmed,
        )
        self._bot.session.exit_asked(call["trade"], asked)
        if is_confirmed:
            wanted = Wanted(call["pair"], call["trade"].trade_direction, is_entry=False)
            self._bot.failures.confirmed(wanted, asked.rate, moment)

    def _filled(self, trade: Any, order: Any) -> None:
        session = self._bot.session
        if order.ft_order_side == trade.entry_side:
            if order.safe_filled > 0:
                session.entry_filled(trade)
        elif not trade.is_open:
            session.trade_closed(trade)
