"""Mode `local`: the journal alone, without Mem0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.backends.local import LocalBackend

if TYPE_CHECKING:
    from freqtrade_mem0.backends.opening import Wanted


def open_backend(wanted: Wanted) -> LocalBackend:
    """Return what answers from the journal."""
    return LocalBackend(wanted.memories)
