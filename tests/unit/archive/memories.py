"""Memories to back up, and what they say."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.archive.answers import answers_of
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.mapping import to_memory
from tests.support.forked_python import ForkedPython
from tests.support.samples import (
    BACKTEST,
    a_backtest,
    a_decision,
    a_note,
    a_retraction,
    a_trade,
    opened,
)

if TYPE_CHECKING:
    from freqtrade_mem0.records.kinds.trade import TradeRecord

NOW = datetime(2026, 11, 28, 5, 3, 1, tzinfo=UTC)
ROOT = Path(__file__).parents[3]

LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
"""
"""Code that lets a process write files up to the size in its third argument."""


def lived_in(folder: Path, n_trades: int = 60, *, mode: str = "local") -> MemoryFolder:
    """Return a memory with a bot, a backtest, decisions, notes and something retracted."""
    memory = MemoryFolder(Settings(mode=mode, user_id="me"), folder)
    trades = [trade_of(n) for n in range(1, n_trades)]
    memory.journal.append([*trades, a_backtest(), a_note(), a_note(2)])
    memory.journal.append([a_trade(n, origin=BACKTEST) for n in range(1, 20)])
    decisions = [a_decision(n) for n in range(1, n_trades // 2)]
    memory.journal.append(decisions)
    memory.journal.append(
        [opened(each, trade_of(n)) for n, each in enumerate(decisions[:-5], start=1)]
    )
    memory.journal.append([trade_of(5, change=-0.2), a_retraction(trade_of(7).id)])
    if mode == "embedded":
        delivery_of(memory).drain(30)
    return memory


def trade_of(number: int, change: float = 0.0) -> TradeRecord:
    """Return a trade whose outcome and situation depend on its number."""
    return a_trade(
        number,
        profit_ratio=((number * 37) % 19 - 9) / 200 + change,
        situation={"volatility": (number * 13) % 7 / 100, "trend_regime": f"t{number % 3}"},
    )


def content_of(folder: Path) -> tuple[list[str], list[str], tuple[int, str]]:
    """Return what a memory's journal says, its ledger, and what it decides."""
    memory = MemoryFolder(Settings(mode="local", user_id="me", path=folder), folder)
    try:
        records = [f"{seq} {to_memory(record)}" for seq, record in memory.journal.records()]
        ledger = [str(line) for line in memory.journal.ledger(only_opened=False)]
        return records, ledger, answers_of(memory)
    finally:
        memory.close()


def python(code: str, *arguments: object) -> ForkedPython:
    """Start a Python process in the project's folder."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return ForkedPython(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
