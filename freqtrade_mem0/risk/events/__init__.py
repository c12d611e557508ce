"""The types of risk events, one module each; the module's name is the type's.

A module defines its type as the constant `EVENT`. The keys `mem0.risk.damping.severity.*`, what the
log of risk looks for, and the table in the docs follow from these modules.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from freqtrade_mem0.config.discovery import modules_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.risk.event_type import EventType

EVENT_TYPES: Mapping[str, EventType] = MappingProxyType(
    {name: module.EVENT for name, module in modules_in(__name__).items()}
)

TYPE_OF_EXIT: Mapping[str, str] = MappingProxyType(
    {reason: name for name, event in EVENT_TYPES.items() for reason in event.exit_reasons}
)
"""Freqtrade's exit reason -> type of event."""

SEQUENCE_TYPES = frozenset(name for name, event in EVENT_TYPES.items() if event.detector)
"""Types that a sequence of trades completes."""

MARKET_TYPES = frozenset(
    name for name, event in EVENT_TYPES.items() if event.of_lock or event.of_jump
)
"""Types that no trade shows."""
