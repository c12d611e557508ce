"""Parts the trades of a memory into those whose worth is judged together."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.words.numbers import stake_currency

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freqtrade_mem0.journal.sized_trades import SizedTrade
    from freqtrade_mem0.records.base import Origin


class Bot(NamedTuple):
    """Trades whose worth is judged together: of one bot or run, in one stake currency.

    With `applied` they got memory's stakes; without, memory was in shadow mode.
    """

    origin: Origin
    currency: str
    applied: bool


def by_bot(trades: Iterable[SizedTrade]) -> dict[Bot, list[SizedTrade]]:
    """Return the trades that memory decided about, by bot, each in the order of closing."""
    found: dict[Bot, list[SizedTrade]] = defaultdict(list)
    for each in sorted(trades, key=lambda each: (each.trade.known_at, each.trade.id)):
        if each.sized is not None:
            trade = each.trade
            bot = Bot(trade.origin, stake_currency(trade.pair), each.sized.applied)
            found[bot].append(each)
    return dict(found)
