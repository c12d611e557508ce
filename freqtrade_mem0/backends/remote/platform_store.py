"""The platform's API as a `RemoteStore`; `modes.platform` describes how the platform works."""

from __future__ import annotations

from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from freqtrade_mem0.backends import payload
from freqtrade_mem0.backends.imports import import_whole
from freqtrade_mem0.backends.port import SCOPE_KEYS
from freqtrade_mem0.backends.remote import copy as remote_copy
from freqtrade_mem0.backends.remote.copy import ID_KEY, RemoteCopy
from freqtrade_mem0.backends.remote.http import RemoteError, Wire
from freqtrade_mem0.backends.remote.ids import RemoteIds
from freqtrade_mem0.backends.remote.store import RemoteStore, Stored, WriteFailed, first_id
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from freqtrade_mem0.backends.port import Filters
    from freqtrade_mem0.backends.remote.ids import Write
    from freqtrade_mem0.config.credentials import Credentials
    from freqtrade_mem0.records.memory import Memory

# The platform's own limits
_PAGE_SIZE = 200
_MAX_PER_SEARCH = 1_000
_MAX_PER_BATCH = 1_000

_IDS_PER_LOOK_UP = 25
_MAX_LISTINGS = 3  # a list whose length changed while it was read is read again
_ANYBODY = {"OR": [{key: "*"} for key in (*SCOPE_KEYS, "app_id")]}


class PlatformStore(RemoteStore):
    """`RemoteStore` over `mem0.MemoryClient`, which must have been imported.

    Parameters
    ----------
    credentials
        The key, and the organisation and project it is meant for.
    folder
        Where `RemoteIds` has its file.
    user_id
        Owner whose memories are searched first where only an id is known.
    timeout_s
        See `Wire`.
    host
        Address of the API.
    """

    most_per_search = _MAX_PER_SEARCH
    has_clock = True

    def __init__(
        self,
        credentials: Credentials,
        folder: Path,
        *,
        user_id: str,
        timeout_s: float,
        host: str,
    ) -> None:
        self._user_id = user_id
        # The installed client leaves the project to the key; the API takes both as parameters.
        scopes = {"org_id": credentials.org_id, "project_id": credentials.project_id}
        wire = Wire(
            where=f"The Mem0 platform at {urlsplit(host).hostname or host}",
            key=credentials.api_key,
            key_source=credentials.source,
            timeout_s=timeout_s,
            params={key: scope for key, scope in scopes.items() if scope},
        )
        client_class = import_whole("mem0").MemoryClient
        try:
            self._client: Any = wire.patiently(
                partial(client_class, credentials.api_key, host=host, client=wire)
            )
            self._check_project(credentials)
        except BaseException:
            wire.close()
            raise
        project = credentials.project_id or self._client.project_id or ""
        super().__init__(wire, RemoteIds(folder, f"{host.rstrip('/')} {project}".rstrip()))

    def _check_project(self, credentials: Credentials) -> None:
        for name in ("org_id", "project_id"):
            wanted, given = getattr(credentials, name), getattr(self._client, name)
            if wanted and given and wanted != given:
                raise BackendError(
                    f"M0_{name.upper()} is {wanted!r}, but the key from {credentials.source} "
                    f"belongs to {given!r}. Correct one of them; memories stay in the journal."
                )

    def add(self, memory: Memory) -> Stored:
        """Store a memory; the platform answers with its id, or with an event to follow."""
        entity, name = _entity(memory)
        answer = self._client.add(
            [{"role": "user", "content": memory.text}],
            **{entity: name},
            metadata=remote_copy.to_metadata(memory),
            timestamp=_epoch_s(memory),
            infer=False,
        )
        # Older versions answer with a list of results.
        answer = {"results": answer} if isinstance(answer, list) else answer
        stored = Stored(remote_id=first_id(answer), event_id=answer.get("event_id"))
        if stored.remote_id is None and stored.event_id is None:
            raise RemoteError(f"{self.where} took a memory and answered without an id or an event.")
        return stored

    def replace(self, there: RemoteCopy, memory: Memory) -> Stored | None:
        """Replace text, metadata and time; None where the entity differs, which can not change."""
        if _entity(there.memory) != _entity(memory):
            return None
        try:
            self._client.update(
                there.remote_id,
                text=memory.text,
                metadata=remote_copy.to_metadata(memory),
                timestamp=_epoch_s(memory),
            )
        except RemoteError as error:
            if error.is_missing:  # deleted in between
                return None
            raise
        return Stored(remote_id=there.remote_id)

    def follow(self, event_id: str) -> Stored | None:
        """Return how a write ended, None while it goes on."""
        event = self._wire.patiently(partial(self._wire.get, f"/v1/event/{event_id}/")).json()
        status = str(event.get("status", "")).upper()
        if status == "FAILED":
            raise WriteFailed(event_id)
        return Stored(remote_id=first_id(event)) if status.startswith("SUCCE") else None

    def find(self, memories: Sequence[Memory], known: Mapping[str, Write]) -> list[RemoteCopy]:  # noqa: ARG002 - what is known may be wrong
        """Look memories up by our id in their metadata."""
        of_entity: dict[tuple[str, str], list[str]] = {}
        for memory in memories:
            of_entity.setdefault(_entity(memory), []).append(memory.id)
        return [
            copy
            for (entity, name), ids in of_entity.items()
            for copy in self._with_ids(ids, {entity: name})
        ]

    def find_ids(self, memory_ids: Sequence[str], known: Mapping[str, Write]) -> list[RemoteCopy]:  # noqa: ARG002 - (same)
        """Look ids up among the owner's memories, then among everybody's."""
        found = list(self._with_ids(memory_ids, {"user_id": self._user_id}))
        there = {copy.memory.id for copy in found}
        missing = [each for each in memory_ids if each not in there]
        return found + list(self._with_ids(missing, _ANYBODY))

    def listing(self, filters: Filters, since: datetime | None) -> list[RemoteCopy]:
        """Return what passes those conditions that the platform surely knows."""
        conditions = _conditions(filters)
        if since is not None:
            conditions.append({"updated_at": {"gte": since.astimezone(UTC).isoformat()}})
        return self._listed(conditions)

    def search(self, query: str, filters: Filters, top_k: int) -> tuple[list[RemoteCopy], bool]:
        """Return the best by the platform's relevance."""
        ask = partial(
            self._client.search,
            query,
            filters={"AND": _conditions(filters)},
            top_k=top_k,
            threshold=0.0,
            rerank=False,
        )
        items = self._wire.patiently(ask)["results"]
        return list(map(self._copy_of, items)), len(items) >= top_k

    def remove(self, remote_ids: Iterable[str]) -> None:
        """Delete, in batches where there are several."""
        ids = list(remote_ids)
        for start in range(0, len(ids), _MAX_PER_BATCH):
            part = ids[start : start + _MAX_PER_BATCH]
            if len(part) > 1 and self._is_batch_removed(part):
                continue
            for each in part:
                try:
                    self._wire.patiently(partial(self._client.delete, each))
                except RemoteError as error:
                    if not error.is_missing:
                        raise

    def _is_batch_removed(self, ids: list[str]) -> bool:
        batch = [{"memory_id": each} for each in ids]
        try:
            self._wire.patiently(partial(self._client.batch_delete, batch))
        except RemoteError as error:
            if error.is_missing or error.permanent:  # the platform does not know one of the ids
                return False
            raise
        return True

    def _item(self, remote_id: str) -> Any:
        return self._wire.patiently(partial(self._client.get, remote_id))

    def _with_ids(self, ids: Sequence[str], owner: Mapping[str, Any]) -> Iterator[RemoteCopy]:
        for start in range(0, len(ids), _IDS_PER_LOOK_UP):
            part = set(ids[start : start + _IDS_PER_LOOK_UP])
            wanted = [{"metadata": {ID_KEY: each}} for each in sorted(part)]
            either = wanted[0] if len(wanted) == 1 else {"OR": wanted}
            for copy in self._listed([owner, either]):
                if copy.is_ours and copy.memory.id in part:
                    yield copy

    def _listed(self, conditions: Sequence[Mapping[str, Any]]) -> list[RemoteCopy]:
        items: dict[str, Any] = {}
        for _ in range(_MAX_LISTINGS):
            # A deletion in between moves other memories to a page that was read already.
            counts = set()
            for page in self._pages(conditions):
                counts.add(page.get("count"))
                items |= {str(item["id"]): item for item in page["results"]}
            if len(counts) <= 1:
                break
        return list(map(self._copy_of, items.values()))

    def _pages(self, conditions: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        number, is_more = 0, True
        while is_more:
            number += 1
            ask = partial(
                self._client.get_all,
                filters={"AND": list(conditions)},
                page=number,
                page_size=_PAGE_SIZE,
            )
            page = self._wire.patiently(ask)
            is_more = bool(page.get("next")) and bool(page["results"])
            yield page


def _entity(memory: Memory) -> tuple[str, str]:
    """Return the one entity under which the platform keeps a memory."""
    return next((key, getattr(memory, key)) for key in SCOPE_KEYS if getattr(memory, key))


def _epoch_s(memory: Memory) -> int:
    return int(memory.created_at.timestamp() // 1)


def _conditions(filters: Filters) -> list[dict[str, Any]]:
    """Return conditions that the platform surely knows and that all pass which pass `filters`."""
    user = filters.get("user_id")
    if isinstance(user, dict) and set(user) == {"in"}:
        user = user["in"]
    if payload.is_scope(user) and user != "*":
        owner: dict[str, Any] = {"user_id": user}
    elif isinstance(user, list | tuple) and user and all(map(payload.is_scope, user)):
        owner = {"user_id": {"in": list(user)}}
    else:
        owner = _ANYBODY
    texts = remote_copy.text_conditions(filters)
    return [owner, *({"metadata": {key: value}} for key, value in texts.items())]
