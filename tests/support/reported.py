"""A memory with a bot to report on: trades, a position, a refused entry, events, a pattern."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.decide.vetoes import Vetoes
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.base import record_id
from tests.support.bot_ledger import a_ledger
from tests.support.samples import ORIGIN, a_decision, a_pattern, a_risk_event, a_trade, opened

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.records.base import Origin

NOW = datetime.fromisoformat("2024-06-01T08:00:00+00:00")
BOT = replace(ORIGIN, user_id="freqtrade")
N, DAYS = 160, 120


def fill(memory: MemoryFolder, bot: Origin = BOT, *, skill: float = 0.0, tag: str = "dip") -> None:
    """Write what a bot writes in 120 days that end an hour before `NOW`."""
    start = NOW - timedelta(days=DAYS, hours=3)
    journal = memory.journal
    journal.append(a_ledger(N, days=DAYS, skill=skill, origin=bot, start=start))
    waits = replace(
        a_decision(origin=bot, decided_at=NOW - timedelta(hours=5), enter_tag=tag),
        id=record_id("decision", "open"),
    )
    still_open = a_trade(999, origin=bot, open_date=NOW - timedelta(hours=5))
    veto = Vetoes(below=0.5).reasons(0.4)
    refused = replace(
        a_decision(origin=bot, decided_at=NOW - timedelta(hours=4), multiplier=0.4, stake=40.0),
        id=record_id("decision", "refused"),
        reasons=veto,
    )
    events = [
        a_risk_event(
            1,
            origin=bot,
            known_at=NOW - timedelta(days=1),
            event_type="trigger_win_rate",
            description=f"the win rate of {tag} fell",
        ),
        a_risk_event(2, origin=bot, known_at=NOW - timedelta(days=90)),
    ]
    pattern = a_pattern(1, origin=bot, known_at=NOW - timedelta(days=2))
    journal.append([waits, opened(waits, still_open), refused, *events, pattern])


def a_folder(folder: Path) -> Path:
    """Return the config of a memory with a bot, in a folder."""
    memory = MemoryFolder(Settings(mode="local"), folder)
    fill(memory)
    memory.close()
    config = folder / "config.json"
    block = {"mode": "local", "path": str(memory.folder)}
    config.write_text(json.dumps({"mem0": block}), encoding="utf-8")
    return config
