"""Mode `server`: a self-hosted Mem0, or a database server that Mem0 in this process uses.

The self-hosted Mem0 is the REST server of Mem0's repository (`server/`). It must know `infer` in
`POST /memories` and `top_k` in `GET /memories`. An older one is refused with an error: it would
rewrite memories with a language model and list only some of them. It computes the embeddings.

It lists without pages and filters lists by user, agent and run alone. So a scan, a count and
`changes` read all memories of the scopes that the filter names (of the owner, where it names none),
some kilobytes each, into memory. It can not change a memory's time or scopes either: a rewritten
memory is added, then the old one is deleted.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from freqtrade_mem0.config import address
from freqtrade_mem0.config.credentials import find_credentials

if TYPE_CHECKING:
    from freqtrade_mem0.backends.opening import Wanted
    from freqtrade_mem0.backends.port import MemoryBackend


UPKEEP_LIMITS = (
    (
        "The Mem0 server does not tell how many bytes memories take there: those of the tiers are "
        "the journal's alone. It keeps vectors as they are."
    ),
    (
        "What was deleted stays in the history of the Mem0 server, with its text, and in its "
        "backups; the files of its PostgreSQL become smaller with VACUUM FULL."
    ),
)


def open_backend(wanted: Wanted) -> MemoryBackend:
    """Return Mem0 in this process where a vector store is named, else the REST server."""
    if address.vector_store(wanted.settings) is not None:
        from freqtrade_mem0.backends.modes import embedded

        return embedded.open_backend(wanted)

    from freqtrade_mem0.backends.remote.backend import RemoteBackend
    from freqtrade_mem0.backends.remote.rest_store import RestStore

    settings = wanted.settings
    connect = partial(
        RestStore,
        address.server_url(settings) or "",
        wanted.credentials or find_credentials(),
        wanted.folder,
        user_id=settings.user_id,
        timeout_s=settings.timeout_s,
    )
    return RemoteBackend("server", connect, settings.timeout_s, upkeep_limits=UPKEEP_LIMITS)


def prepare(wanted: Wanted) -> None:
    """Import Mem0 where it runs in this process."""
    if address.vector_store(wanted.settings) is not None:
        from freqtrade_mem0.backends.modes import embedded

        embedded.prepare(wanted)
