"""The Mem0 platform (cloud) through `mem0.MemoryClient`.

What follows from how the platform works:

- It keeps memories apart by entity: one that has a user and an agent is not found by asking for
  both, nor (by its documentation) by asking for the user alone. So a memory is sent under one
  entity, its user (else agent, else run); agent and run travel in the metadata and are filtered
  here. Memories of others that carry an agent or a run beside the user may stay unseen.
- It stores later than it answers. A write waits until it is stored, and what was accepted and not
  stored in time is followed up by the next attempt.
- Its filters know equality of metadata and ranges of times. Anything else is filtered here, so a
  scan or a count reads all memories of the owner, 200 a request.
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


class PlatformBackend(RemoteBackend):
    """Memories on the Mem0 platform; nothing is asked before the first use.

    Parameters
    ----------
    credentials
        The key; None makes every call fail with a sentence that says how to give one.
    folder
        Where it is noted which memory has which id on the platform.
    user_id
        Owner whose memories are looked through first when only an id is known.
    timeout_s
        Bound of one exchange, in seconds; a call may wait three times that without progress.
    host
        Another address of the platform's API.

    Examples
    --------
    >>> from pathlib import Path
    >>> backend = PlatformBackend(None, folder=Path("x"), user_id="me", timeout_s=10)
    >>> backend.name
    'platform'
    """

    def __init__(
        self,
        credentials: Credentials | None,
        *,
        folder: Path,
        user_id: str,
        timeout_s: float,
        host: str | None = None,
    ) -> None:
        def connect(_open_ids: OpenIds) -> PlatformStore:
            if credentials is None:
                raise BackendError(NO_KEY)
            import_mem0(folder)
            return PlatformStore(
                credentials, user_id=user_id, timeout_s=timeout_s, host=host or DEFAULT_HOST
            )

        super().__init__("platform", folder=folder, timeout_s=timeout_s, connect=connect)
