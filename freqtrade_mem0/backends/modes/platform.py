"""Mode `platform`: the Mem0 platform (cloud), through `mem0.MemoryClient`.

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
from freqtrade_mem0.backends.remote.backend import RemoteBackend
from freqtrade_mem0.backends.remote.platform_store import PlatformStore
from freqtrade_mem0.config.credentials import find_credentials
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from freqtrade_mem0.backends.opening import Wanted

DEFAULT_HOST = "https://api.mem0.ai"
NO_KEY = (
    '"mem0.mode" is "platform", but no key was found: not as an argument, not in M0_API_KEY or '
    "MEM0_API_KEY, not in .env.mem0. Memories stay in the journal on this machine and are "
    "delivered once there is a key."
)

UPKEEP_LIMITS = (
    (
        "The Mem0 platform does not tell how many bytes memories take there: those of the tiers "
        "are the journal's alone. It keeps vectors as they are."
    ),
    (
        "What was deleted can not be found on the Mem0 platform any more; how long it keeps a "
        "copy, its terms say."
    ),
)


def open_backend(wanted: Wanted) -> RemoteBackend:
    """Return the platform; without a key, each of its calls fails and says how to give one."""
    settings = wanted.settings
    credentials = wanted.credentials or find_credentials()

    def connect() -> PlatformStore:
        if credentials is None:
            raise BackendError(NO_KEY)
        import_mem0(wanted.folder)
        return PlatformStore(
            credentials,
            wanted.folder,
            user_id=settings.user_id,
            timeout_s=settings.timeout_s,
            host=settings.host or DEFAULT_HOST,
        )

    return RemoteBackend("platform", connect, settings.timeout_s, upkeep_limits=UPKEEP_LIMITS)


def prepare(wanted: Wanted) -> None:
    """Import Mem0, for its client."""
    import_mem0(wanted.folder)
