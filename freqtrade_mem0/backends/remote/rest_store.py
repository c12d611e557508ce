"""The routes of Mem0's own server as a `RemoteStore`; `modes.server` describes its limits."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.backends import payload
from freqtrade_mem0.backends.port import SCOPE_KEYS
from freqtrade_mem0.backends.remote import copy as remote_copy
from freqtrade_mem0.backends.remote.abilities import MAX_PER_SEARCH, Abilities, read_abilities
from freqtrade_mem0.backends.remote.http import RemoteError, Wire
from freqtrade_mem0.backends.remote.ids import CONFIRMED, UNCERTAIN, RemoteIds, Write
from freqtrade_mem0.backends.remote.store import RemoteStore, Stored, first_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from freqtrade_mem0.backends.port import Filters
    from freqtrade_mem0.backends.remote.copy import RemoteCopy
    from freqtrade_mem0.config.credentials import Credentials
    from freqtrade_mem0.records.memory import Memory

_DEFAULT_LISTS = (20, 100)  # lengths of a list from servers that know no `top_k`
_LISTING_VALID_S = 86_400.0  # how long new memories are not looked for in a listed scope again
_SERVER_ERROR = 500


class RestStore(RemoteStore):
    """`RemoteStore` over the routes of Mem0's server.

    Parameters
    ----------
    url
        The server's address, without a slash at its end.
    credentials
        Its key, sent as X-API-Key; None for a server without one.
    folder
        Where `RemoteIds` has its file.
    user_id
        Owner whose memories are asked for where a filter names no scope: the server needs one.
    timeout_s
        See `Wire`.
    """

    most_per_search = MAX_PER_SEARCH
    has_clock = False  # Mem0 sets `updated_at` of a new memory to its market time

    def __init__(
        self,
        url: str,
        credentials: Credentials | None,
        folder: Path,
        *,
        user_id: str,
        timeout_s: float,
    ) -> None:
        key = "" if credentials is None else credentials.api_key
        wire = Wire(
            where=f"The Mem0 server at {url}",
            key=key,
            key_source="" if credentials is None else credentials.source,
            timeout_s=timeout_s,
            headers={"X-API-Key": key} if key else None,
        )
        wire.base_url = url
        super().__init__(wire, RemoteIds(folder, url))
        self._user_id = user_id
        self._known_abilities: Abilities | None = None

    def add(self, memory: Memory) -> Stored:
        """Store a memory as it is; the server answers when it has stored it."""
        if not self._abilities().infer:
            raise RemoteError(
                f"{self.where} is too old: its POST /memories does not know 'infer', and it would "
                "rewrite memories with a language model. Update it; memories stay in the journal "
                "until then."
            )
        created_at = {"created_at": memory.created_at.isoformat()}
        answer = self._wire.post(
            "/memories",
            json={
                "messages": [{"role": "user", "content": memory.text}],
                **_scope_of(memory),
                "metadata": remote_copy.to_metadata(memory) | created_at,
                "infer": False,
            },
        ).json()
        remote_id = first_id(answer)
        if remote_id is None:
            raise RemoteError(f"{self.where} took memory {memory.id} but gave it no id.")
        return Stored(remote_id=remote_id)

    def replace(self, there: RemoteCopy, memory: Memory) -> Stored | None:  # noqa: ARG002
        """Replace nothing: versions differ in what PUT takes, and none changes time or scopes."""
        return None

    def follow(self, event_id: str) -> Stored | None:  # noqa: ARG002 - there are no events
        """Return at once: the server answers when it has stored."""
        return Stored()

    def find(self, memories: Sequence[Memory], known: Mapping[str, Write]) -> list[RemoteCopy]:
        """Look memories up by the id that is noted, else in a list of their scope.

        A scope is listed once a day, for what other machines may have written, and whenever it is
        not known how a write in it ended.
        """
        found = []
        scopes: dict[str, dict[str, str]] = {}
        for memory in memories:
            write = known.get(memory.id)
            if write is not None and write.state == CONFIRMED and write.remote_id is not None:
                there = self.one(write.remote_id)
                if there is not None:
                    found.append(there)
                    continue
            scope = _scope_of(memory)
            name = json.dumps(scope, sort_keys=True)
            is_listed = 0 <= time.time() - self.ids.listed_at(name) < _LISTING_VALID_S
            if write is not None or not is_listed:
                scopes[name] = scope
        wanted = {memory.id for memory in memories}
        for name, scope in scopes.items():
            copies = self._listed(scope)
            self._note_ids(copies)
            self.ids.note_listed(name)
            found += [copy for copy in copies if copy.memory.id in wanted]
        return found

    def find_ids(self, memory_ids: Sequence[str], known: Mapping[str, Write]) -> list[RemoteCopy]:
        """Look ids up by what is noted, else in a list of everything of the owner's."""
        found = []
        missing = set()
        for each in memory_ids:
            write = known.get(each)
            there = None
            if write is not None and write.state != UNCERTAIN and write.remote_id is not None:
                there = self.one(write.remote_id)
            if there is None:
                missing.add(each)
            else:
                found.append(there)
        if missing:
            owned = self._listed({"user_id": self._user_id})
            found += [copy for copy in owned if copy.memory.id in missing]
        return found

    def listing(self, filters: Filters, since: datetime | None) -> list[RemoteCopy]:  # noqa: ARG002 - no filter by time
        """Return everything of the scopes that the filter names."""
        return [copy for scope in self._scopes(filters) for copy in self._listed(scope)]

    def search(self, query: str, filters: Filters, top_k: int) -> tuple[list[RemoteCopy], bool]:
        """Return the best by the server's relevance."""
        bound = self._abilities().search_top_k
        texts = remote_copy.text_conditions(filters)
        copies: list[RemoteCopy] = []
        is_more = False
        for scope in self._scopes(filters):
            asked: dict[str, Any]
            if bound is None:  # an old server
                asked = {"query": query, **scope, "filters": texts or None}
            else:
                found_most = min(top_k, bound)
                asked = {"query": query, "filters": {**scope, **texts}}
                asked |= {"top_k": found_most, "threshold": 0.0}
            answer = self._wire.patiently(partial(self._wire.post, "/search", json=asked)).json()
            items = _items_in(answer)
            copies += map(self._copy_of, items)
            is_more = is_more or (bound is not None and len(items) >= top_k)
        return copies, is_more

    def remove(self, remote_ids: Iterable[str]) -> None:
        """Delete one by one; versions differ in how they answer for an unknown id."""
        for each in remote_ids:
            try:
                self._wire.patiently(partial(self._wire.delete, f"/memories/{each}"))
            except RemoteError as error:
                if error.is_missing:
                    continue
                if error.status != _SERVER_ERROR or self.one(each) is not None:
                    raise

    def _note_ids(self, copies: Sequence[RemoteCopy]) -> None:
        """Note the server's ids of our memories, except where something is known of a write."""
        ours, _ = remote_copy.newest(copy for copy in copies if copy.is_ours)
        known = self.ids.of(ours)
        self.ids.note(
            Write(
                id=each,
                state=CONFIRMED,
                digest=remote_copy.digest(copy.memory),
                remote_id=copy.remote_id,
            )
            for each, copy in ours.items()
            if each not in known
        )

    def _listed(self, scope: Mapping[str, str]) -> list[RemoteCopy]:
        top_k = self._abilities().list_top_k
        asked = {} if top_k is None else {"top_k": str(top_k), "show_expired": "true"}
        items = _items_in(self._get("/memories", params={**scope, **asked}))
        if len(items) == top_k or (top_k is None and len(items) in _DEFAULT_LISTS):
            raise RemoteError(
                f"{self.where} lists at most {len(items)} memories of {dict(scope)}, and has no "
                "pages to get the others. Update the server, or let Mem0 in this process use its "
                'database: "mem0.vector_store".'
            )
        return list(map(self._copy_of, items))

    def _scopes(self, filters: Filters) -> list[dict[str, str]]:
        """Return the scopes to ask for, which together hold all that passes."""
        plain = {
            key: filters[key]
            for key in SCOPE_KEYS
            if payload.is_scope(filters.get(key)) and filters[key] != "*"
        }
        if plain:
            return [plain]
        for key in SCOPE_KEYS:
            wanted = filters.get(key)
            if isinstance(wanted, dict) and set(wanted) == {"in"}:
                wanted = wanted["in"]
            if isinstance(wanted, list | tuple) and all(map(payload.is_scope, wanted)):
                return [{key: each} for each in dict.fromkeys(wanted)]
        return [{"user_id": self._user_id}]

    def _item(self, remote_id: str) -> Any:
        return self._get(f"/memories/{remote_id}")  # null for an unknown id

    def _get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        return self._wire.patiently(partial(self._wire.get, path, params=params)).json()

    def _abilities(self) -> Abilities:
        if self._known_abilities is None:
            try:
                self._known_abilities = read_abilities(self._get("/openapi.json"))
            except RemoteError as error:
                if error.status is None or error.status >= _SERVER_ERROR:
                    raise
                self._known_abilities = Abilities()  # a server without a description: taken as new
        return self._known_abilities


def _scope_of(memory: Memory) -> dict[str, str]:
    return {key: getattr(memory, key) for key in SCOPE_KEYS if getattr(memory, key)}


def _items_in(answer: Any) -> list[Any]:
    items: list[Any] = answer["results"] if isinstance(answer, dict) else answer
    return items
