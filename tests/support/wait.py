"""Waiting for a condition instead of for a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

HANG_S = 600.0
"""Whoever has not ended after this time hangs; no busy machine is this slow."""


def eventually(condition: Callable[[], bool], timeout_s: float = HANG_S) -> bool:
    """Return True as soon as `condition` holds, False when it did not in `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def repeated(call: Callable[[], T], passing: type[Exception]) -> T:
    """Return what `call` returns once it does not raise `passing`, for example a timeout."""
    deadline = time.monotonic() + HANG_S
    while True:
        try:
            return call()
        except passing:
            if time.monotonic() > deadline:
                raise
