"""The routes of Mem0's own server as a `RemoteStore`; its limits stand in `rest_server`."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.backends import payload
from freqtrade_mem0.backends.port import SCOPE_KEYS
from freqtrade_mem0.backends.remote import copy as remote_copy
from freqtrade_mem0.backends.remote.abilities import MOST_PER_SEARCH, Abilities, read_abilities
from freqtrade_mem0.backends.remote.copy import OWN_KEYS, RemoteCopy
from freqtrade_mem0.backends.remote.http import RemoteError, Wire
from freqtrade_mem0.backends.remote.ids import CONFIRMED, UNCERTAIN, Write
from freqtrade_mem0.backends.remote.store import Stored, first_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from freqtrade_mem0.backends.port import Filters
    from freqtrade_mem0.backends.remote.ids import RemoteIds
    from freqtrade_mem0.records.memory import Memory

_DEFAULT_LISTS = (20, 100)  # so many memories a server gives that was not asked for more
_SCOPE_TRUSTED_S = 86_400.0  # so long a scope that was listed is not listed again for new memories
_SERVER_ERROR = 500


class RestStore:
    """`RemoteStore` over the routes of Mem0's server.

    Parameters
    ----------
    wire, url
        The connections, and where they go.
    ids
        What is noted about this server: it can not look a memory up by our id.
    user_id
        Owner whose memories are asked for where no scope is named.
    """

    most_per_search = MOST_PER_SEARCH

    def __init__(self, wire: Wire, url: str, ids: RemoteIds, user_id: str) -> None:
        self.where = wire.where
        self.destination = url
        self._wire = wire
        self._ids = ids
        self._user_id = user_id
        self._known_abilities: Abilities | None = None

    def add(self, memory: Memory) -> Stored:
        """Store a memory as it stands; the server answers when it is stored."""
        if not self._abilities().infer:
            raise RemoteError(
                f"{self._wire.where} is too old: its POST /memories does not know 'infer', and it "
                "would rewrite memories with a language model. Update it; memories stay in the "
                "journal until then."
            )
        created_at = {"created_at": memory.created_at.isoformat()}
        answer = self._wire.post(
            "/memories",
            json={
                "messages": [{"role": "user", "content": memory.text}],
                **{key: getattr(memory, key) for key in SCOPE_KEYS if getattr(memory, key)},
                "metadata": remote_copy.to_metadata(memory) | created_at,
                "infer": False,
            },
        ).json()
        remote_id = first_of(answer)
        if remote_id is None:
            raise RemoteError(f"{self._wire.where} took memory {memory.id} but gave it no id.")
        return Stored(remote_id=remote_id)

    def replace(self, there: RemoteCopy, memory: Memory) -> Stored | None:  # noqa: ARG002
        """Replace nothing: versions differ in what PUT takes, and none changes time or scopes."""
        return None

    def follow(self, event_id: str) -> Stored | None:  # noqa: ARG002 - there are no events
        """Return at once: what the server answered is stored."""
        return Stored()

    def one(self, remote_id: str) -> RemoteCopy | None:
        """Return one memory by the server's id; it answers null for one that is not there."""
        try:
            item = self._asked(f"/memories/{remote_id}")
        except RemoteError as error:
            if error.is_missing:
                return None
            raise
        return _from_item(item) if item else None

    def find(self, memories: Sequence[Memory], known: Mapping[str, Write]) -> list[RemoteCopy]:
        """Look memories up by the id that is noted, else in a listing of their scope.

        The server can not look one up by our id. A scope is listed once a day, for what other
        machines may have written, and whenever a write in it has an unknown end.
        """
        found = []
        scopes: dict[str, dict[str, str]] = {}
        for memory in memories:
            write = known.get(memory.id)
            scope = {key: getattr(memory, key) for key in SCOPE_KEYS if getattr(memory, key)}
            name = json.dumps(scope, sort_keys=True)
            if write is not None and write.state == CONFIRMED and write.remote_id is not None:
                there = self.one(write.remote_id)
                if there is not None:
                    found.append(there)
                    continue
            is_listed = 0 <= time.time() - self._ids.listed_at(name) < _SCOPE_TRUSTED_S
            if write is not None or not is_listed:
                scopes[name] = scope
        wanted = {memory.id for memory in memories}
        for name, scope in scopes.items():
            copies = self._listed(scope)
            self._enter(copies)
            self._ids.note_listed(name)
            found += [copy for copy in copies if copy.memory.id in wanted]
        return found

    def _enter(self, copies: Sequence[RemoteCopy]) -> None:
        """Note where all memories of ours are, without touching what is known of a write."""
        ours, _ = remote_copy.newest(copy for copy in copies if copy.is_ours)
        known = self._ids.of(ours)
        self._ids.note(
            Write(
                id=each,
                state=CONFIRMED,
                digest=remote_copy.digest(copy.memory),
                remote_id=copy.remote_id,
            )
            for each, copy in ours.items()
            if each not in known
        )

    def find_ids(self, memory_ids: Sequence[str], known: Mapping[str, Write]) -> list[RemoteCopy]:
        """Look ids up by what is noted, else in a listing of everything of the owner's."""
        found = []
        missing = set()
        for each in memory_ids:
            write = known.get(each)
            is_sure = write is not None and write.state != UNCERTAIN
            there = None
            if is_sure and write is not None and write.remote_id is not None:
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

    def _listed(self, scope: Mapping[str, str]) -> list[RemoteCopy]:
        top_k = self._abilities().list_top_k
        asked = {} if top_k is None else {"top_k": str(top_k), "show_expired": "true"}
        answer = self._asked("/memories", params={**scope, **asked})
        items = answer["results"] if isinstance(answer, dict) else answer
        if len(items) == top_k or (top_k is None and len(items) in _DEFAULT_LISTS):
            raise RemoteError(
                f"{self._wire.where} lists at most {len(items)} memories of {dict(scope)}, and has "
                "no pages to get at the others. Update the server, or let Mem0 in this process use "
                'its database: "mem0.vector_store".'
            )
        return [_from_item(item) for item in items]

    def search(self, query: str, filters: Filters, top_k: int) -> tuple[list[RemoteCopy], bool]:
        """Return the best by the server's relevance."""
        bound = self._abilities().search_top_k
        texts = {
            key: value
            for key, value in filters.items()
            if isinstance(value, str)
            and value not in {"", "*"}
            and key not in payload.RESERVED_KEYS | OWN_KEYS
        }
        copies: list[RemoteCopy] = []
        is_more = False
        for scope in self._scopes(filters):
            n_asked = top_k if bound is None else min(top_k, bound)
            asked = (
                {"query": query, **scope, "filters": texts or None}
                if bound is None  # an old one
                else {
                    "query": query,
                    "filters": {**scope, **texts},
                    "top_k": n_asked,
                    "threshold": 0.0,
                }
            )
            answer = self._wire.patiently(partial(self._wire.post, "/search", json=asked)).json()
            items = answer["results"] if isinstance(answer, dict) else answer
            copies += [_from_item(item) for item in items]
            is_more = is_more or (bound is not None and len(items) >= n_asked == top_k)
        return copies, is_more

    def remove(self, remote_ids: Iterable[str]) -> None:
        """Delete one by one; versions differ in how they answer for one that is not there."""
        for each in remote_ids:
            try:
                self._wire.patiently(partial(self._wire.delete, f"/memories/{each}"))
            except RemoteError as error:
                if error.is_missing:
                    continue
                if error.status != _SERVER_ERROR or self.one(each) is not None:
                    raise

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

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

    def _asked(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        return self._wire.patiently(partial(self._wire.get, path, params=params)).json()

    def _abilities(self) -> Abilities:
        if self._known_abilities is None:
            try:
                self._known_abilities = read_abilities(self._asked("/openapi.json"))
            except RemoteError as error:
                if error.status is None or error.status >= _SERVER_ERROR:
                    raise
                self._known_abilities = Abilities()  # it hides its description: taken as new
        return self._known_abilities


def _from_item(item: Mapping[str, Any]) -> RemoteCopy:
    # Mem0 itself sets `updated_at` of a new memory to its market time.
    return remote_copy.from_item(item, has_clock=False)
