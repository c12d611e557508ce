"""The Mem0 platform on loopback: wire shapes as `mem0.MemoryClient` and Mem0's documentation say.

Where the documentation leaves something open, or versions differ, it does the harsher thing: it
keeps a memory with two entities twice, hides what has an entity that was not asked for, turns 1.0
into 1, drops empty texts, merges metadata on PUT, deletes without a body and refuses a batch of
which one is gone.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.servers.loopback import Answer, Asked, Loopback

if TYPE_CHECKING:
    from ssl import SSLContext

ENTITIES = ("user_id", "agent_id", "app_id", "run_id")
PACIFIC = timezone(timedelta(hours=-8))  # the platform answers with times of its own zone
_FIELDS = frozenset({*ENTITIES, "created_at", "updated_at", "timestamp", "categories", "keywords"})
_METADATA_OPERATORS = {"eq", "ne", "contains"}


class RefusedError(Exception):
    """A request that the platform answers with 400."""


class PlatformServer(Loopback):
    """One project of the platform.

    Parameters
    ----------
    key
        The only key it takes.
    polls_until_stored
        None: a memory added with `infer=false` is stored when the answer comes. Else adding gives
        an event, and the memory is stored when the event was asked for so many times.
    tls
        See `Loopback`.
    """

    def __init__(
        self,
        key: str = "m0-secret",
        *,
        polls_until_stored: int | None = None,
        tls: SSLContext | None = None,
    ) -> None:
        super().__init__(tls)
        self.key = key
        self.polls_until_stored = polls_until_stored
        self.fails_events = False
        self.items: dict[str, dict[str, Any]] = {}
        self.events: dict[str, dict[str, Any]] = {}

    def answer(self, asked: Asked) -> Answer:
        """Route a request."""
        if asked.headers.get("authorization") != f"Token {self.key}":
            return Answer(401, {"detail": f"Invalid API key: {asked.headers.get('authorization')}"})
        try:
            return self._routed(asked)
        except RefusedError as error:
            return Answer(400, {"error": str(error)})
        except KeyError:
            return Answer(404, {"detail": "Memory not found"})

    def settle(self) -> None:
        """Store whatever was accepted."""
        for event in self.events.values():
            self._finish(event)

    def _routed(self, asked: Asked) -> Answer:  # noqa: C901, PLR0911 - one line a route
        match asked.method, asked.path.strip("/").split("/"):
            case "GET", ["v1", "ping"]:
                project = {"org_id": "org-1", "project_id": "project-1"}
                return Answer(body={"status": "ok", "user_email": None, **project})
            case "POST", ["v3", "memories", "add"]:
                return self._add(asked.body)
            case "POST", ["v3", "memories", "search"]:
                return self._search(asked.body)
            case "POST", ["v3", "memories"]:
                return self._page(asked)
            case "GET", ["v1", "memories", remote_id]:
                return Answer(body=self.items[remote_id])
            case "PUT", ["v1", "memories", remote_id]:
                return self._update(remote_id, asked.body)
            case "DELETE", ["v1", "memories", remote_id]:
                del self.items[remote_id]
                return Answer(204)
            case "DELETE", ["v1", "batch"]:
                ids = [each["memory_id"] for each in asked.body["memories"]]
                if any(each not in self.items for each in ids):
                    raise RefusedError("some memories do not exist")
                self.items = {each: item for each, item in self.items.items() if each not in ids}
                return Answer(body={"message": "Successfully deleted memories"})
            case "GET", ["v1", "event", event_id]:
                return self._event(event_id)
            case "GET", ["v1", "entities"]:
                names = {(k[:-3], i[k]) for i in self.items.values() for k in ENTITIES if i[k]}
                found = [{"type": kind, "name": name} for kind, name in sorted(names)]
                return Answer(body={"count": len(found), "results": found})
        return Answer(404, {"detail": "Not found."})

    def _add(self, body: dict[str, Any]) -> Answer:
        given = {key: body[key] for key in ENTITIES if body.get(key)}
        if not given or not body.get("messages"):
            raise RefusedError("messages and an entity are required")
        event_id = str(uuid4())
        left = self.polls_until_stored
        event = {
            "id": event_id,
            "status": "PENDING",
            "results": [],
            "body": body,
            "left": 0 if left is None else left,
        }
        if left is None:
            self._finish(event)
            return Answer(body={"results": event["results"]})
        self.events[event_id] = event
        return Answer(body={"message": "queued", "status": "PENDING", "event_id": event_id})

    def _event(self, event_id: str) -> Answer:
        event = self.events[event_id]
        if event["left"] > 0:
            event["left"] -= 1
        elif self.fails_events and event["status"] == "PENDING":
            event["status"] = "FAILED"
        else:
            self._finish(event)
        return Answer(body={key: event[key] for key in ("id", "status", "results")})

    def _finish(self, event: dict[str, Any]) -> None:
        if event["status"] != "PENDING":
            return
        body = event["body"]
        event["status"] = "SUCCEEDED"
        for entity in ENTITIES:
            if body.get(entity):
                for message in body["messages"]:
                    event["results"].append(self._store(entity, message["content"], body))

    def _store(self, entity: str, text: str, body: dict[str, Any]) -> dict[str, Any]:
        now = datetime.now(PACIFIC)
        created = body.get("timestamp")
        remote_id = str(uuid4())
        self.items[remote_id] = {
            "id": remote_id,
            "memory": text,
            "metadata": _as_kept(body.get("metadata") or {}),
            "categories": ["finance"],
            **{key: body.get(key) if key == entity else None for key in ENTITIES},
            "created_at": (
                datetime.fromtimestamp(created, PACIFIC) if created else now
            ).isoformat(),
            "updated_at": now.isoformat(),
        }
        return {"id": remote_id, "data": {"memory": text}, "event": "ADD"}

    def _update(self, remote_id: str, body: dict[str, Any]) -> Answer:
        item = self.items[remote_id]
        item["memory"] = body.get("text", item["memory"])
        item["metadata"] = item["metadata"] | _as_kept(body.get("metadata") or {})
        if "timestamp" in body:
            item["created_at"] = datetime.fromtimestamp(body["timestamp"], PACIFIC).isoformat()
        item["updated_at"] = datetime.now(PACIFIC).isoformat()
        return Answer(body=item)

    def _page(self, asked: Asked) -> Answer:
        number, size = int(asked.query.get("page", 1)), int(asked.query.get("page_size", 100))
        if size > 200:
            raise RefusedError("page_size can not exceed 200")
        found = self._passing(asked.body)
        after = number * size
        following = f"{self.url}{asked.path}?page={number + 1}" if after < len(found) else None
        page = {"count": len(found), "next": following, "previous": None}
        return Answer(body={**page, "results": found[after - size : after]})

    def _search(self, body: dict[str, Any]) -> Answer:
        if not 0 < body.get("top_k", 10) <= 1_000:
            raise RefusedError("top_k must be between 1 and 1000")
        words = set(body["query"].lower().split())
        found = [
            {**item, "score": len(words & set(item["memory"].lower().split())) / len(words)}
            for item in self._passing(body)
        ]
        found.sort(key=lambda item: -item["score"])
        return Answer(body={"results": found[: body.get("top_k", 10)]})

    def _passing(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        filters = body.get("filters")
        if not filters or not set(filters) <= {"AND", "OR", "NOT"}:
            raise RefusedError(f"filters must have AND, OR or NOT at their root, not {filters}")
        return [item for item in self.items.values() if _passes(filters, item)]


def _passes(node: dict[str, Any], item: dict[str, Any]) -> bool:
    results = []
    for key, wanted in node.items():
        if key == "AND":
            named = {name for part in wanted for name in part if name in ENTITIES}
            unnamed = set(ENTITIES) - named if named else set()
            results.append(all(item[name] is None for name in unnamed))
            results.append(all(_passes(part, item) for part in wanted))
        elif key == "OR":
            results.append(any(_passes(part, item) for part in wanted))
        elif key == "NOT":
            results.append(not any(_passes(part, item) for part in wanted))
        elif key == "metadata":
            results += [_metadata_passes(name, w, item["metadata"]) for name, w in wanted.items()]
        elif key in _FIELDS:
            results.append(_field_passes(wanted, item[key]))
        else:
            raise RefusedError(f"unknown field {key}")
    return all(results)


def _metadata_passes(name: str, wanted: Any, metadata: dict[str, Any]) -> bool:
    if isinstance(wanted, dict):
        if not set(wanted) <= _METADATA_OPERATORS:
            raise RefusedError(f"metadata knows no {sorted(wanted)}")
        wanted = wanted.get("eq")
    return name in metadata and bool(metadata[name] == wanted)


def _field_passes(wanted: Any, value: str | None) -> bool:
    if not isinstance(wanted, dict):
        return value is not None and wanted in ("*", value)
    if value is None:
        return False
    if "in" in wanted:
        return value in wanted["in"]
    at = datetime.fromisoformat(value)
    bounds = {name: datetime.fromisoformat(bound) for name, bound in wanted.items()}
    tests = {"gte": at.__ge__, "gt": at.__gt__, "lte": at.__le__, "lt": at.__lt__}
    return all(tests[name](bound) for name, bound in bounds.items())


def _as_kept(metadata: dict[str, Any]) -> dict[str, Any]:
    def kept(value: Any) -> Any:
        is_whole = isinstance(value, float) and value.is_integer()
        return int(value) if is_whole else value

    values = {key: kept(value) for key, value in metadata.items() if value != ""}
    return dict(json.loads(json.dumps(values)))
