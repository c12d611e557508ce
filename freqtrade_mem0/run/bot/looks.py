"""Looks at a bot's trades now and then: they rest long enough, and stop with the bot."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_REST = 100.0
"""Pause after a look, in times of what the look took; so all looks take 1 % of the time at most."""


class Looks:
    """The looks of one kind.

    Parameters
    ----------
    pause
        Called every few milliseconds of a look; returns False where it has to stop.
    """

    def __init__(self, pause: Callable[[], bool]) -> None:
        self._pause = pause
        self._not_before_s = -math.inf

    @property
    def are_due(self) -> bool:
        """Whether the last look is long enough ago."""
        return time.monotonic() >= self._not_before_s

    @contextmanager
    def one(self) -> Iterator[None]:
        """Look in a block, which ends early, without an error, where `go_on` stops it."""
        began_s = time.monotonic()
        try:
            yield
        except _StoppedError:
            return
        ended_s = time.monotonic()
        self._not_before_s = ended_s + _REST * (ended_s - began_s)

    def go_on(self) -> None:
        """Pause, or stop the look."""
        if not self._pause():
            raise _StoppedError


class _StoppedError(Exception):
    """The bot stops."""
