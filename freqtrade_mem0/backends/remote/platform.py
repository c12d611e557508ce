"""The Mem0 platform (cloud) through `mem0.MemoryClient`.

How the platform works, and what follows:

- It separates memories by entity. A memory that has a user and an agent is not found by asking for
  both, nor (by its documentation) by asking for the user alone. So a memory is sent under one
  entity, its user (else agent, else run); agent and run are kept in the metadata and filtered here.
  Other people's memories that have an agent or a run beside the user may stay invisible.
- It answers before it stores. A write waits until the memory is stored; what was accepted but not
  stored in time is followed up by the next attempt.
- It can filter by equality of metadata and by ranges of time. All other filters are applied here,
  so a scan or a count reads all memories of the owner, 200 per request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.backends.in_process.mem0_setup import import_mem0
from freqtrade_mem0.backends.remote.backend import OpenIds, RemoteBackend
from freqtrade_mem0.backends.remote.platform_store import PlatformStore
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.config.credentials import Credentials

DEFAULT_HOST = "https://api.mem0.ai"
NO_KEY = (
    '"mem0.mode" is "platform", but no key was found: not as an argument, not in M0_API_KEY or '
    "MEM0_API_KEY, not in .env.mem0. Memories stay in the journal on this machine and are "
    "delivered once there is a key."
)


def platform_backend(
    credentials: Credentials | None,
    *,
    folder: Path,
    user_id: str,
    timeout_s: float,
    host: str | None = None,
) -> RemoteBackend:
    """Return the backend; nothing is asked before its first use.

    Parameters
    ----------
    credentials
        The key; without one, every call fails and says how to give one.
    folder
        Holds the file that maps our ids to the platform's.
    user_id
        Owner whose memories are searched first where only an id is known.
    timeout_s
        See `RemoteBackend`.
    host
        Another address of the platform's API.
    """

    def connect(_open_ids: OpenIds) -> PlatformStore:
        if credentials is None:
            raise BackendError(NO_KEY)
        import_mem0(folder)
        return PlatformStore(
            credentials, user_id=user_id, timeout_s=timeout_s, host=host or DEFAULT_HOST
        )

    return RemoteBackend("platform", folder=folder, timeout_s=timeout_s, connect=connect)
