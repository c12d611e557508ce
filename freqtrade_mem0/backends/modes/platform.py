"""Mode `platform`: the Mem0 platform (cloud)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.backends.in_process.mem0_setup import import_mem0
from freqtrade_mem0.backends.remote.platform import platform_backend
from freqtrade_mem0.config.credentials import find_credentials

if TYPE_CHECKING:
    from freqtrade_mem0.backends.opening import Wanted
    from freqtrade_mem0.backends.port import MemoryBackend


def open_backend(wanted: Wanted) -> MemoryBackend:
    """Return the platform; without a key, each of its calls fails and says how to give one."""
    settings = wanted.settings
    return platform_backend(
        wanted.credentials or find_credentials(),
        folder=wanted.folder,
        user_id=settings.user_id,
        timeout_s=settings.timeout_s,
        host=settings.host,
    )


def prepare(wanted: Wanted) -> None:
    """Import Mem0, for its client."""
    import_mem0(wanted.folder)
