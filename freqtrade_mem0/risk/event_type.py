"""What defines a type of risk event: how it is found, and how much it damps stakes by default."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.records.kinds.trade import ClosedTrade


class Completed(NamedTuple):
    """What a trade, or a sequence of trades, is.

    `impact` is a profit ratio or a sum of them, 0.0 where there is none to give.
    """

    text: str
    impact: float = 0.0


class Detector(ABC):
    """Finds one type of event in closed trades, with bounded memory.

    It sees the trades of one strategy that are evidence, in market order, and nothing else: no
    clock, no price. So the same trades give the same events, in a backtest and in a bot that was
    restarted ten times. What later results depend on are the attributes in `__slots__`: numbers,
    texts, None, and lists of these.
    """

    __slots__: tuple[str, ...] = ()

    @abstractmethod
    def closed(self, trade: ClosedTrade) -> Completed | None:
        """Return what the next trade in market order completes, if anything."""

    def state(self) -> dict[str, Any]:
        """Return the attributes, for JSON, which keeps every digit of a float."""
        return {name: copy(getattr(self, name)) for name in self.__slots__}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state` of the same type of detector."""
        for name in self.__slots__:
            setattr(self, name, copy(state[name]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock on entries, as Freqtrade keeps it.

    Parameters
    ----------
    pair
        "*" for all.
    side
        "long", "short" or "*".
    reason
        As given by what locked.
    since, until
        Aware UTC market times.
    """

    pair: str
    side: str
    reason: str
    since: datetime
    until: datetime


class RangeJump(NamedTuple):
    """A pair's range is far above its usual range, seen at a decision.

    `times_usual` is the true range over its median in the window, > 2; see `situation`.
    """

    pair: str
    times_usual: float
    moment: datetime


class Observed(NamedTuple):
    """What a lock or a jump of the range is.

    `pair` is "" for all pairs. Observations with the same type, run, pair and `identity` are the
    same event.
    """

    text: str
    pair: str
    known_at: datetime
    identity: tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """A type of risk event; exactly one of the last five parameters says how it is found.

    Parameters
    ----------
    when
        When such an event is noted, for the docs.
    concerns
        "the pair", "all pairs", ...; for the docs.
    severity
        Default of `mem0.risk.damping.severity.<name>`: the share of a stake that an event takes at
        first, in [0, 1).
    exit_reasons
        Freqtrade's exit reasons (`freqtrade.enums.ExitType`) that make a trade such an event.
    detector
        Makes a detector at the beginning of a sequence of trades.
    of_lock, of_jump
        Return what a lock, or a jump of a pair's range, is; None where it is no such event.
    is_drift
        Found by comparing all trades with their history (`lifecycle/drift`). It damps nothing: no
        severity is configured, as a backtest could not show what it would have done.
    """

    when: str
    concerns: str
    severity: float = 0
    exit_reasons: tuple[str, ...] = ()
    detector: Callable[[], Detector] | None = None
    of_lock: Callable[[Lock], Observed | None] | None = None
    of_jump: Callable[[RangeJump], Observed | None] | None = None
    is_drift: bool = False
