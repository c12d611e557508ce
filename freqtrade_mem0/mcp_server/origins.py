"""Says who wrote what an answer shows: each stored text goes out with this label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.agents.notes import WRITTEN_BY
from freqtrade_mem0.records.base import Mode

if TYPE_CHECKING:
    from collections.abc import Mapping

_OF_AGENTS = ("agent_decision", "agent_outcome", "parameter_update", "parameter_step", "rule")


def origin_of(metadata: Mapping[str, Any]) -> str:
    """Return who wrote a memory.

    >>> origin_of({"kind": "trade", "mode": "dry_run"})
    'dry_run bot'
    >>> origin_of({"kind": "note", "mode": "manual"})
    'person or tool'
    """
    mode, name = metadata.get("mode"), metadata.get("run_id")
    if metadata.get(WRITTEN_BY):
        return str(metadata[WRITTEN_BY])
    if metadata.get("kind") in _OF_AGENTS:
        return f"agent {name}"
    if mode in (Mode.DRY_RUN, Mode.LIVE):
        return f"{mode} bot"
    return "backtest" if mode == Mode.BACKTEST else "person or tool"
