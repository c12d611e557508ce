"""A report on bots: what happened, what memory did, whether it helped, what is wrong."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from math import fsum
from typing import TYPE_CHECKING

from freqtrade_mem0.archive.rotation import backup_folder, lacks_backup, newest_backup
from freqtrade_mem0.decide.vetoes import is_vetoed
from freqtrade_mem0.journal.runs import newest_run
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.journal.sized_trades import profits, sized_trades
from freqtrade_mem0.lifecycle.drift.records import LEFT
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.kinds.pattern import Pattern
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.views.decisions import newest_account
from freqtrade_mem0.views.glance import OK, at_a_glance
from freqtrade_mem0.views.runs import bot_name, running_bots
from freqtrade_mem0.views.scope import described
from freqtrade_mem0.views.values import Facts, iso, origin_facts
from freqtrade_mem0.views.worth import worth_facts
from freqtrade_mem0.words.numbers import counted, stake_currency
from freqtrade_mem0.worth.bots import by_bot

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from freqtrade_mem0.journal.sized_trades import SizedTrade
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Origin

BOTS = (Mode.DRY_RUN, Mode.LIVE)

_RECENTLY = timedelta(days=7)
_N_LARGEST = 5
_OPEN_FOR = timedelta(days=365)
"""A decision that is older and has no closed trade is not counted as an open position."""

_DRIFT = ("trigger_", LEFT)
_DOCTOR = "freqtrade-mem0 doctor"
_TO_DO = {
    "records from outside": "freqtrade-mem0 records --set-aside",
    "delivery": "freqtrade-mem0 dead-letters",
    "backups": "freqtrade-mem0 backup",
    "drift": "freqtrade-mem0 drift",
}


def report(
    memory: MemoryFolder, scope: Scope, now: datetime, since: datetime | None = None
) -> Facts:
    """Return a report on the bots of a scope; without a bot, on its newest run.

    Parameters
    ----------
    memory, scope
        Whose report.
    now
        Aware UTC time.
    since
        What happened since then; None for the last seven days of bots, and for all of runs, whose
        trades may have closed years ago.

    Returns
    -------
    dict
        `folder`, `whose` (in words), `since`, `until`; `bots`, the newest first, each with
        `strategy`, `mode`, `run_id`, `is_running`, `stake_currency`, `last_seen`, `n_refused`
        (entries since then), `open` (positions), `happened` (since then: `n_closed`, `n_won`,
        `profit_abs`, `best`, `worst`, `risk_events`, `patterns`), `memory` (since then:
        `n_sized`, `n_applied`, `n_raised`, `n_cut`, `effect`, `largest`; and `account`), and
        `worth`, see `views.worth.worth`, of the whole life of the bot; `wrong`, each with `what`,
        `text` and `do`, a command; and `checked`, what is not wrong.
    """
    whose = f"user {memory.settings.user_id}, {described(scope)}"
    if scope.modes is None and scope.run_id is None:
        bots = replace(scope, modes=BOTS)
        newest = newest_run(memory.journal, bots, with_decisions=True)
        scope = bots if newest or newest_run(memory.journal, bots) else _of(memory, scope)
    by_origin: dict[Origin, list[SizedTrade]] = defaultdict(list)
    for each in sized_trades(memory.journal, scope):
        by_origin[each.trade.origin].append(each)
    since = _beginning(by_origin, now) if since is None else since
    closed = {each.trade.id for trades in by_origin.values() for each in trades}
    refused, still_open = _decided(memory, scope, since, now, closed)
    for origin in {**refused, **still_open}:
        by_origin.setdefault(origin, [])
    running = running_bots(memory, now)
    bots_facts = [
        origin_facts(origin)
        | {"is_running": bot_name(origin) in running}
        | _bot(memory, origin, trades, since)
        | {"n_refused": refused[origin], "open": still_open[origin]}
        for origin, trades in by_origin.items()
    ]
    bots_facts.sort(key=lambda bot: bot["last_seen"] or "", reverse=True)
    wrong, checked = _state(memory, bots_facts, now)
    return {
        "folder": str(memory.folder),
        "whose": whose,
        "since": iso(since),
        "until": iso(now),
        "bots": bots_facts,
        "wrong": wrong,
        "checked": checked,
    }


def _beginning(by_origin: Mapping[Origin, Sequence[SizedTrade]], now: datetime) -> datetime:
    opened = [each.trade.open_date for trades in by_origin.values() for each in trades]
    if not opened or any(origin.mode in BOTS for origin in by_origin):
        return now - _RECENTLY
    return min(opened)


def _of(memory: MemoryFolder, scope: Scope) -> Scope:
    """Return the scope of the newest run of any mode."""
    newest = newest_run(memory.journal, scope)
    if newest is None:
        return scope
    return scope.in_run(newest)


def _decided(
    memory: MemoryFolder, scope: Scope, since: datetime, now: datetime, closed: set[str]
) -> tuple[dict[Origin, int], dict[Origin, list[Facts]]]:
    """Return how many entries were refused since then, and the positions that are open."""
    refused: dict[Origin, int] = defaultdict(int)
    still_open: dict[Origin, list[Facts]] = defaultdict(list)
    for decision in memory.journal.loose_decisions(scope, min(since, now - _OPEN_FOR)):
        if is_vetoed(decision):
            refused[decision.origin] += decision.decided_at >= since
        elif decision.trade_id is None or decision.trade_id in closed:
            continue
        elif decision.origin.mode in BOTS:
            multiplier = decision.stake / decision.proposed_stake
            still_open[decision.origin].append(
                {
                    "trade_id": decision.trade_id,
                    "pair": decision.pair,
                    "side": decision.side,
                    "open_date": iso(decision.open_date or decision.decided_at),
                    "proposed_stake": decision.proposed_stake,
                    "stake": decision.stake if decision.applied else decision.proposed_stake,
                    "multiplier": multiplier,
                    "applied": decision.applied,
                }
            )
    return refused, still_open


def _bot(
    memory: MemoryFolder, origin: Origin, trades: Sequence[SizedTrade], since: datetime
) -> Facts:
    own = Scope(since=since).in_run(origin)
    recent = [each for each in trades if each.trade.known_at >= since]
    last = max((each.trade.close_date for each in trades), default=None)
    sized = [each for each in recent if each.sized is not None]
    by_ratio = sorted(recent, key=lambda each: each.trade.profit_ratio)
    by_effect = sorted(sized, key=lambda each: -abs(each.effect))
    multipliers = [each.sized.multiplier for each in sized if each.sized is not None]
    pairs = [each.trade.pair for each in trades]
    return {
        "stake_currency": stake_currency(pairs[-1]) if pairs else "",
        "last_seen": iso(last),
        "n_closed_ever": len(trades),
        "happened": {
            "n_closed": len(recent),
            "n_won": sum(each.trade.profit_ratio > 0.0 for each in recent),
            "profit_abs": profits(recent),
            "best": _trade(by_ratio[-1]) if by_ratio else None,
            "worst": _trade(by_ratio[0]) if len(by_ratio) > 1 else None,
            "risk_events": [
                {"known_at": iso(each.known_at), "type": each.event_type, "text": each.description}
                for each in memory.journal.of_kind(RiskEvent, own)
            ],
            "patterns": [
                {"known_at": iso(each.known_at), "text": each.sentence()}
                for each in memory.journal.of_kind(Pattern, own)
            ],
        },
        "memory": {
            "n_sized": len(sized),
            "n_applied": sum(each.sized.applied for each in sized if each.sized is not None),
            "n_raised": sum(each > 1.0 for each in multipliers),
            "n_cut": sum(each < 1.0 for each in multipliers),
            "effect": fsum(each.effect for each in sized),
            "largest": [_trade(each) for each in by_effect[:_N_LARGEST] if each.effect],
            "account": newest_account(memory, Scope().in_run(origin)),
        },
        "worth": [
            worth_facts(bot, some)
            for bot, some in sorted(
                by_bot(trades).items(), key=lambda item: -item[1][-1].trade.known_at.timestamp()
            )
        ],
    }


def _trade(each: SizedTrade) -> Facts:
    trade, sized = each.trade, each.sized
    return {
        "trade_id": trade.id,
        "pair": trade.pair,
        "side": trade.side,
        "close_date": iso(trade.close_date),
        "exit_reason": trade.exit_reason,
        "profit_ratio": trade.profit_ratio,
        "profit_abs": each.profit_abs,
        "multiplier": None if sized is None else sized.multiplier,
        "applied": None if sized is None else sized.applied,
        "effect": each.effect,
    }


def _state(
    memory: MemoryFolder, bots: Sequence[Facts], now: datetime
) -> tuple[list[Facts], list[str]]:
    """Return what is wrong, each with a command, and the names of what was checked and is right."""
    wrong, checked = [], []
    for finding in at_a_glance(memory):
        if finding.state == OK:
            checked.append(finding.check)
        else:
            wrong.append({"what": finding.check, "text": finding.text})
    for what, texts in (("backups", _old_backup(memory, now)), ("drift", _drift(bots))):
        for text in texts:
            wrong.append({"what": what, "text": text})
            checked = [name for name in checked if name != what]
    if not any(each["what"] == "drift" for each in wrong):
        checked.append("drift")
    return [each | {"do": _TO_DO.get(each["what"], _DOCTOR)} for each in wrong], checked


def _old_backup(memory: MemoryFolder, now: datetime) -> Iterator[str]:
    """Yield that the newest backup is old, where the config asks for none."""
    if lacks_backup(memory, now):
        newest = newest_backup(memory)
        yield (
            f"there is none in {backup_folder(memory)}"
            if newest is None
            else f"the newest one is of {newest:%Y-%m-%d}"
        )


def _drift(bots: Sequence[Facts]) -> Iterator[str]:
    for bot in bots:
        events = [
            each for each in bot["happened"]["risk_events"] if each["type"].startswith(_DRIFT)
        ]
        if events:
            yield (
                f"{bot['strategy']}, {bot['mode']} {bot['run_id'][:12]}: "
                f"{counted(len(events), 'alarm')}, the last: {events[-1]['text']}"
            )
