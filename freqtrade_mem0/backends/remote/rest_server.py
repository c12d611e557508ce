"""A self-hosted Mem0 REST server (`server/` in Mem0's repository), asked by plain HTTP.

It needs a server whose `POST /memories` knows `infer` and whose `GET /memories` knows `top_k`; an
older one is refused in words, because it would rewrite memories with a language model and list only
some of them. It computes the embeddings itself.

The server lists without pages and filters lists by user, agent and run alone. So a scan, a count
and `changes` read everything of the scopes that the filter names (of the owner, where it names
none): some kilobytes a memory each time, all of it in memory here. It can not replace a
memory's time or scopes either: a rewritten one is added anew, then the old one is deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.backends.remote.backend import OpenIds, RemoteBackend
from freqtrade_mem0.backends.remote.http import Wire
from freqtrade_mem0.backends.remote.rest_store import RestStore

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.config.credentials import Credentials


class RestServerBackend(RemoteBackend):
    """Memories on a self-hosted Mem0 REST server; nothing is asked before the first use.

    Parameters
    ----------
    url
        Address of the server, without a slash at its end.
    credentials
        Its key, sent as X-API-Key; None for a server without.
    folder
        Where it is noted which memory has which id on the server.
    user_id
        Owner whose memories are asked for where a filter names no scope: the server wants one.
    timeout_s
        Bound of one exchange, in seconds; a call may wait three times that without progress.

    Examples
    --------
    >>> from pathlib import Path
    >>> url = "http://mem0.lan:8888"
    >>> RestServerBackend(url, None, folder=Path("x"), user_id="me", timeout_s=10).name
    'server'
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials | None,
        *,
        folder: Path,
        user_id: str,
        timeout_s: float,
    ) -> None:
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

        super().__init__("server", folder=folder, timeout_s=timeout_s, connect=connect)
