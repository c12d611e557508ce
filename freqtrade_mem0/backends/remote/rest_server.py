"""A self-hosted Mem0 REST server (`server/` in Mem0's repository), over plain HTTP.

The server must know `infer` in `POST /memories` and `top_k` in `GET /memories`. An older one is
refused with an error: it would rewrite memories with a language model and list only some of them.
The server computes the embeddings itself.

It lists without pages and filters lists by user, agent and run alone. So a scan, a count and
`changes` read all memories of the scopes that the filter names (of the owner, where it names none),
some kilobytes each, into memory. It can not change a memory's time or scopes either: a rewritten
memory is added, then the old one is deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.backends.remote.backend import OpenIds, RemoteBackend
from freqtrade_mem0.backends.remote.http import Wire
from freqtrade_mem0.backends.remote.rest_store import RestStore

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.config.credentials import Credentials


def rest_server_backend(
    url: str,
    credentials: Credentials | None,
    *,
    folder: Path,
    user_id: str,
    timeout_s: float,
) -> RemoteBackend:
    """Return the backend; nothing is asked before its first use.

    Parameters
    ----------
    url
        Address of the server, without a slash at its end.
    credentials
        Its key, sent as X-API-Key; None for a server without one.
    folder
        Holds the file that maps our ids to the server's.
    user_id
        Owner whose memories are asked for where a filter names no scope: the server needs one.
    timeout_s
        See `RemoteBackend`.
    """

    def connect(open_ids: OpenIds) -> RestStore:
        key = "" if credentials is None else credentials.api_key
        wire = Wire(
            where=f"The Mem0 server at {url}",
            key=key,
            key_source="" if credentials is None else credentials.source,
            timeout_s=timeout_s,
            headers={"X-API-Key": key} if key else None,
        )
        wire.base_url = url
        return RestStore(wire, url, open_ids(url), user_id)

    return RemoteBackend("server", folder=folder, timeout_s=timeout_s, connect=connect)
