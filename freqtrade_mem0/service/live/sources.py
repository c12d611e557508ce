"""What pages are made from beside the memory itself: the table of trades, news, and bots."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.audit.log import AuditLog
from freqtrade_mem0.config.bot_settings import BotSettings
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.service.live.background import Background
from freqtrade_mem0.service.live.bots import Bot, Bots, BotState
from freqtrade_mem0.service.live.judging import Judge
from freqtrade_mem0.service.live.news import News
from freqtrade_mem0.views.columns.book import TradeBook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.client.scoped import Bound
    from freqtrade_mem0.memory_folder import MemoryFolder

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound


class Sources:
    """Made once for a service; nothing is read before a page asks.

    Parameters
    ----------
    memory
        The memory.
    config
        Freqtrade's config.
    """

    def __init__(self, memory: MemoryFolder, config: Mapping[str, Any]) -> None:
        self._owner = memory.settings.user_id
        # Connections of their own: no request waits while much is read or counted.
        self.aside = Journal(memory.folder)
        self._of_the_book = Journal(memory.folder)
        self.book = TradeBook(self._of_the_book, keeps=True)
        self.news = News(memory.journal)
        self.background = Background()
        self.judge = Judge()
        self.bots = Bots(bots_of(memory, config))

    def bots_for(self, bound: Bound, user_id: str) -> list[BotState]:
        """Return what the bots in reach say; those of the config are bots of its own user."""
        if user_id != self._owner:
            return []
        names = None if bound.bot_id is None else [bound.bot_id]
        states = self.bots.states(names)
        if bound.strategy is None:
            return states
        return [each for each in states if each.config.get("strategy") == bound.strategy]

    def close(self) -> None:
        """End what runs beside the pages."""
        self.news.stop()
        self.judge.close()
        self.background.close()
        self.book.close()
        self.bots.close()
        self.aside.close()
        self._of_the_book.close()


def bots_of(memory: MemoryFolder, config: Mapping[str, Any]) -> list[Bot]:
    """Return the bots of `service.bots`; without any, the one whose config this is."""
    named = memory.settings.service.bots
    if named:
        return [
            Bot(name, bot.url, bot.username, partial(_listed, memory, name, bot))
            for name, bot in named.items()
        ]
    server = config.get("api_server")
    if not isinstance(server, dict) or not server.get("enabled"):
        return []
    address = str(server.get("listen_ip_address", "127.0.0.1"))
    host = _EVERYWHERE.get(address, address)
    host = f"[{host}]" if ":" in host else host
    name = memory.settings.bot_id or str(config.get("bot_name") or "bot")
    password = str(server.get("password", ""))
    bot = BotSettings(url=f"http://{host}:{server.get('listen_port', 8080)}")
    return [Bot(name, bot.url, str(server.get("username", "")), lambda: password)]


def _listed(memory: MemoryFolder, name: str, bot: BotSettings) -> str:
    """Return a bot's password, and list its use; that of Freqtrade's own config is not ours."""
    if bot.password is not None:
        AuditLog(memory.folder).note(f"mem0.service.bots.{name}.password", bot.password, "used")
    return bot.secret()
