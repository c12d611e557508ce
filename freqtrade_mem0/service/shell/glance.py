"""What the first page says: troubles, a card for each bot, and what is open."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from freqtrade_mem0.archive.rotation import lacks_backup, newest_backup
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.service.shell.choosing import name_of
from freqtrade_mem0.views.columns.choice import KnownRun, rows_of
from freqtrade_mem0.views.columns.equity import curve, profits
from freqtrade_mem0.views.forgetting import unfinished
from freqtrade_mem0.views.trust import outside
from freqtrade_mem0.words.numbers import counted, stake_currency

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.service.caller import Caller
    from freqtrade_mem0.service.live.bots import BotState
    from freqtrade_mem0.service.shell.choosing import Chosen

BOTS = (Mode.LIVE, Mode.DRY_RUN)
FAILED, WARNING = "failed", "warning"

_MOST_CARDS = 12
_N_BACKTESTS = 3
_POINTS = 60
_MOST_OPEN = 300


class Trouble(NamedTuple):
    """What needs attention: how bad, in a sentence, and where more is said."""

    state: str
    text: str
    link: str


class Card(NamedTuple):
    """A bot or backtest at a glance.

    Parameters
    ----------
    name
        Of the run in addresses; "" for a bot that has no closed trade here.
    run
        Its closed trades; None where there are none.
    said
        What the bot says itself; None where it is not asked.
    equity
        The sum of its profits over time, in a few points.
    profit, effect
        In stake currency: what its trades won, and what memory's stakes changed in it, or would
        have changed in shadow mode.
    applied
        Whether a trade got memory's stake.
    """

    name: str
    run: KnownRun | None
    said: BotState | None
    equity: list[float]
    profit: float
    effect: float
    applied: bool
    win_rate: float
    currency: str

    @property
    def open_profit(self) -> float | None:
        """The profit of its open trades, in stake currency; None where it does not say."""
        if self.said is None or self.said.away:
            return None
        return float(sum(_number(each.get("profit_abs")) for each in self.said.positions))


class Position(NamedTuple):
    """An open trade: what memory decided, and what the bot says about it now."""

    bot: str
    pair: str
    side: str
    opened: Any
    trade_id: str
    proposed: float | None
    stake: float | None
    multiplier: float | None
    profit_ratio: float | None
    profit_abs: float | None
    waits: bool


def troubles(caller: Caller, said: Sequence[BotState], *, has_bots: bool = False) -> list[Trouble]:
    """Return what needs attention, the worst first; a bound key is told of its bots alone.

    Who only runs backtests is not told to make backups.
    """
    found = [
        Trouble(WARNING, f"The bot {each.name} gives no answer: {each.away}", "/system#bots")
        for each in said
        if each.away
    ]
    memory = caller.service.memory
    if not caller.identity.bound.is_free or not memory.journal.path.exists():
        return found
    delivery = memory.outbox.state() if memory.delivers else None
    if delivery is not None and delivery.dead:
        text = f"Mem0 refused {counted(delivery.dead, 'record')} for good: {delivery.last_error}"
        found.append(Trouble(FAILED, text, "/system#dead"))
    elif delivery is not None and delivery.failures:
        text = (
            f"{counted(delivery.pending, 'record')} can not be delivered to Mem0 at present; "
            f"nothing is lost, and it is tried again. {delivery.last_error}"
        )
        found.append(Trouble(WARNING, text, "/system#delivery"))
    failed = [each for each in caller.service.jobs.newest(5) if each["state"] == "failed"]
    if failed:
        found.append(Trouble(WARNING, f"The job {failed[0]['name']} failed.", "/system#jobs"))
    # It reads what every writer wrote, so it is looked up beside the pages.
    taken = caller.service.pages.background.latest(("outside",), lambda: outside(memory))
    for said_so, link in ((unfinished(memory), "/memory#forget"), (taken, "/system#aside")):
        is_fine, text = said_so or (True, "")
        if not is_fine:
            found.append(Trouble(WARNING, f"{text[:1].upper()}{text[1:]}.", link))
    if has_bots and lacks_backup(memory, datetime.now(UTC)):
        newest = newest_backup(memory)
        what = "There is no backup"
        if newest is not None:
            what = f"The newest backup is of {newest:%Y-%m-%d}"
        text = f"{what}: 'freqtrade-mem0 backup' makes one."
        found.append(Trouble(WARNING, text, "/system#files"))
    return sorted(found, key=lambda each: each.state != FAILED)


def cards(chosen: Chosen, said: Sequence[BotState]) -> list[Card]:
    """Return a card for each bot; without bots, for the newest backtests."""
    bots = [run for run in chosen.runs if run.mode in BOTS]
    shown = bots[:_MOST_CARDS] if bots or said else chosen.runs[:_N_BACKTESTS]
    left, words = list(said), chosen.book.words
    found = []
    for run in shown:
        own = next((each for each in left if _is_same(each, run)), None)
        if own is not None:
            left.remove(own)
        found.append(_card(chosen, run, own, words))
    nothing = float("nan")
    found += [
        Card(
            "",
            None,
            each,
            [],
            nothing,
            nothing,
            False,
            nothing,
            str(each.config.get("stake_currency", "")),
        )
        for each in left
    ]
    return found


def _is_same(said: BotState, run: KnownRun) -> bool:
    names = {said.name, said.config.get("bot_name")}
    return run.run_id in names and said.config.get("strategy") in {None, run.strategy}


def _card(chosen: Chosen, run: KnownRun, said: BotState | None, words: Mapping[int, str]) -> Card:
    scope = chosen.scope_of(run)
    own = chosen.kept("card", lambda: _own_card(chosen, run, scope, words), scope)
    return own._replace(said=said)


def _own_card(chosen: Chosen, run: KnownRun, scope: Scope, words: Mapping[int, str]) -> Card:
    book, table = chosen.book, chosen.table
    assert table is not None  # noqa: S101 - there are runs
    rows = rows_of(book, table, scope)
    won = profits(table, rows)
    pair = words.get(int(table["pair"][rows[-1]]), "") if len(rows) else ""
    win_rate = float((table["ratio"][rows] > 0.0).mean()) if len(rows) else float("nan")
    line, applied = curve(won, _POINTS), won.n_shadow < won.n_decided
    return Card(
        name_of(run),
        run,
        None,
        line.with_memory if applied else line.without,
        float(np.sum(won.own)),
        float(np.sum(won.with_memory - won.without)),
        applied,
        win_rate,
        stake_currency(pair),
    )


def positions(caller: Caller, chosen: Chosen, found: Sequence[Card]) -> list[Position]:
    """Return the open trades of the bots, the newest first."""
    journal, opened = caller.memory.folder.journal, []
    for card in found:
        said = None if card.said is None or card.said.away else card.said
        there = {} if said is None else {_key(each): each for each in said.positions}
        waiting = set() if said is None else {each.get("trade_id") for each in said.orders}
        if card.run is not None and card.run.mode in BOTS:
            scope = chosen.scope_of(card.run)
            for decision in journal.still_open(scope, _MOST_OPEN):
                now = there.pop((decision.pair, decision.side), None)
                if now is None and said is not None:
                    continue  # the bot does not have it any more
                opened.append(
                    Position(
                        bot=card.run.run_id,
                        pair=decision.pair,
                        side=decision.side,
                        opened=decision.open_date,
                        trade_id=decision.trade_id or decision.id,
                        proposed=decision.proposed_stake,
                        stake=decision.stake,
                        multiplier=decision.multiplier,
                        **_now(now, waiting),
                    )
                )
        opened += [_alone(card, each, waiting) for each in there.values()]
    return sorted(opened, key=lambda each: str(each.opened), reverse=True)


def _alone(card: Card, said: Mapping[str, Any], waiting: set[Any]) -> Position:
    """Return a position of which memory decided nothing."""
    return Position(
        bot=card.said.name if card.said else "",
        pair=str(said.get("pair")),
        side=_key(said)[1],
        opened=str(said.get("open_date")),
        trade_id="",
        proposed=None,
        stake=_number(said.get("stake_amount")),
        multiplier=None,
        **_now(said, waiting),
    )


def _now(said: Mapping[str, Any] | None, waiting: set[Any]) -> dict[str, Any]:
    if said is None:
        return {"profit_ratio": None, "profit_abs": None, "waits": False}
    return {
        "profit_ratio": _number(said.get("profit_ratio")),
        "profit_abs": _number(said.get("profit_abs")),
        "waits": said.get("trade_id") in waiting,
    }


def _key(said: Mapping[str, Any]) -> tuple[str, str]:
    return str(said.get("pair")), "short" if said.get("is_short") else "long"


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
