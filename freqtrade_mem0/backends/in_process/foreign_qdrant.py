"""Qdrant through its own client: Mem0's class for it works row by row and knows no pages."""

from __future__ import annotations

import importlib
import logging
import math
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from freqtrade_mem0.backends.imports import import_whole
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from freqtrade_mem0.backends.port import Filters

logger = logging.getLogger(__name__)

_ROWS_PER_CALL = 1_000
_INDEXES = {"updated_at": "datetime", "mode": "keyword"}
"""What a server finds by an index beside the scopes, which Mem0 indexes."""


def is_server(provider: str, given: Mapping[str, Any]) -> bool:
    """Tell whether a block names a Qdrant server and brings no client of its own."""
    has_address = bool(given.get("url") or given.get("host"))
    return provider == "qdrant" and has_address and given.get("client") is None


def with_client(given: Mapping[str, Any], folder: Path, *, timeout_s: float) -> dict[str, Any]:
    """Return Mem0's settings for Qdrant with a client that has a timeout.

    Mem0 itself sets no timeout, and refuses an address without a key. Raises `BackendError`, with
    the address but without the key, where no Qdrant answers.
    """
    client_module = import_whole("qdrant_client")
    names = ("url", "host", "port", "api_key", "https")
    address = {key: given[key] for key in names if given.get(key) is not None}
    client = client_module.QdrantClient(
        **address, timeout=max(1, math.ceil(timeout_s)), check_compatibility=False
    )
    try:
        client.get_collections()
    except Exception as error:
        client.close()
        raise BackendError(
            f"Qdrant at {_where(given)} did not answer as it should within {timeout_s:g} s: "
            f"{type(error).__name__}: {error}."
        ) from error
    rest = {key: value for key, value in given.items() if key not in address}
    # Without an address Mem0 asks for a path, which it does not open when it has a client.
    return {"path": str(folder / "qdrant")} | rest | {"client": client}


def is_qdrant(store: Any) -> bool:
    """Tell whether a store is Mem0's class for Qdrant."""
    return type(store).__module__ == "mem0.vector_stores.qdrant"


def index(store: Any) -> None:
    """Let a Qdrant server find by indexes what was stored since a time, and what bots stored.

    Without them the server reads the whole collection for each pull, and a server in strict mode
    refuses. A key that may not do it is no error: pulls are slower.
    """
    if store.is_local:
        return
    for key, kind in _INDEXES.items():
        try:
            store.client.create_payload_index(store.collection_name, key, kind)
        except Exception as error:  # noqa: BLE001 - the client raises exceptions of its transport
            logger.info("Qdrant made no index of %r of memories: %s", key, error)


def payloads_of(store: Any, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the payloads of the memories that are there, by id."""
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(ids), _ROWS_PER_CALL):
        points = store.client.retrieve(
            store.collection_name,
            ids=list(ids[start : start + _ROWS_PER_CALL]),
            with_payload=True,
            with_vectors=False,
        )
        found.update((str(point.id), point.payload or {}) for point in points)
    return found


def put(
    store: Any, ids: Sequence[str], vectors: Sequence[Any], payloads: Sequence[dict[str, Any]]
) -> None:
    """Store memories; Qdrant replaces those that are there."""
    for start in range(0, len(ids), _ROWS_PER_CALL):
        part = slice(start, start + _ROWS_PER_CALL)
        store.insert(vectors=vectors[part], payloads=payloads[part], ids=ids[part])


def rows(
    store: Any, equalities: Mapping[str, Any], filters: Filters, since: datetime | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield id and payload of the rows with these values, page by page.

    With `since`, only rows stored then or later. Of `filters`, the server is told which values of
    an indexed key it shall leave out; the caller still has to apply them.
    """
    models = importlib.import_module("qdrant_client.models")

    def has(key: str, value: Any) -> Any:
        return models.FieldCondition(key=key, match=models.MatchValue(value=value))

    must = [has(key, value) for key, value in equalities.items()]
    must_not = [has(*pair) for pair in _left_out(filters)]
    if since is not None:
        must.append(models.FieldCondition(key="updated_at", range=models.DatetimeRange(gte=since)))
    offset = None
    while True:
        points, offset = store.client.scroll(
            store.collection_name,
            scroll_filter=models.Filter(must=must, must_not=must_not),
            limit=_ROWS_PER_CALL,
            offset=offset,
            with_payload=True,
            with_vectors=False,
        )
        yield from ((str(point.id), point.payload or {}) for point in points)
        if offset is None:
            return


def _left_out(filters: Filters) -> Iterator[tuple[str, str]]:
    for part in filters.get("NOT", []):
        for key, value in part.items() if len(part) == 1 else ():
            if key in _INDEXES and isinstance(value, str) and value != "*":
                yield key, value


def delete(store: Any, ids: Sequence[str]) -> None:
    """Delete memories that are there."""
    models = importlib.import_module("qdrant_client.models")
    for start in range(0, len(ids), _ROWS_PER_CALL):
        part = list(ids[start : start + _ROWS_PER_CALL])
        store.client.delete(store.collection_name, points_selector=models.PointIdsList(points=part))


def _where(given: Mapping[str, Any]) -> str:
    if not given.get("url"):
        return f"{given.get('host')}, port {given.get('port') or 6333}"
    parts = urlsplit(str(given["url"]))
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
