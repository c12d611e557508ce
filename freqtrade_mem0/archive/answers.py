"""Asks a memory what it would decide, so that a copy can be compared with the original.

The questions are the newest trades of the newest runs: what would have been decided at their entry,
and what would be decided after the last of them. Each answer depends on all that is known then.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.journal.runs import runs_with_trades
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.codec import encode
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.run.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Origin

_MOST_RUNS = 4
_TRADES_OF_A_RUN = 16
_STAKE = 100.0

_BLOCKS = ("sizing", "situation", "risk")
"""The parts of the config that decisions depend on. No secret is in them."""


def blocks_of(settings: Settings) -> dict[str, Any]:
    """Return the parts of the settings that decisions depend on."""
    return settings.model_dump(mode="json", include=set(_BLOCKS))


def settings_for(blocks: dict[str, Any], user_id: str, folder: Path) -> Settings:
    """Return settings that decide as those did whose `blocks` these are, with a journal alone."""
    own = {name: blocks[name] for name in _BLOCKS if name in blocks}
    return Settings.model_validate(
        {**own, "mode": "local", "user_id": user_id, "path": str(folder)}
    )


def answers_of(store: MemoryFolder) -> tuple[int, str]:
    """Return how many decisions were asked for, and a hash of all of them.

    Raises
    ------
    ConfigError
        The policy can not be made.
    JournalError
        The journal can not be read.
    """
    digest, n = hashlib.sha256(), 0
    for origin in runs_with_trades(store.journal)[:_MOST_RUNS]:
        for answer in _answers(store, origin):
            digest.update(answer.encode())
            n += 1
    return n, digest.hexdigest()


def _answers(store: MemoryFolder, origin: Origin) -> Iterator[str]:
    scope = Scope().in_run(origin)
    trades = list(store.journal.of_kind(TradeRecord, scope, limit=_TRADES_OF_A_RUN))
    trades.sort(key=lambda trade: (trade.open_date, trade.id))
    if not trades:
        return
    replay = Replay(store, origin)
    last = max(trade.known_at for trade in trades) + timedelta(milliseconds=1)
    for moment, trade in [(each.open_date, each) for each in trades] + [(last, trades[-1])]:
        yield encode(
            replay.asked(
                trade.pair, trade.side, trade.enter_tag, moment, trade.situation, stake=_STAKE
            )
        )
