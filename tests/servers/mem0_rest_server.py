"""The self-hosted Mem0 server on loopback: its routes over the real `mem0.Memory`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.backends.in_process import mem0_setup
from tests.servers.loopback import Answer, Asked, Loopback

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_SCOPES = ("user_id", "agent_id", "run_id")
_OLD_LIMIT = 100  # what Mem0 listed by default before its lists could be asked for more


class RestServer(Loopback):
    """A server with one folder of memories.

    Parameters
    ----------
    folder
        Where its memories are.
    key
        The only key it takes as X-API-Key; "" for a server without.
    version
        "new", "old" (its lists know no `top_k`) or "oldest" (it knows no `infer` either).
    most_listed
        The bound that its description gives to `top_k` of a list, None for none.
    """

    def __init__(
        self, folder: Path, key: str = "", version: str = "new", most_listed: int | None = None
    ) -> None:
        super().__init__()
        self.key = key
        self.version = version
        self.most_listed = most_listed
        self.memory = mem0_setup.build_memory(folder)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop and close the memories."""
        super().__exit__(kind, error, trace)
        for store in (self.memory.vector_store, self.memory._entity_store):
            if store is not None:
                store.close()
        self.memory.close()

    def texts(self) -> list[str]:
        """Return the text of everything that is stored, doubles included."""
        found = self.memory.get_all(filters={"user_id": "me"}, top_k=10_000)["results"]
        return sorted(each["memory"] for each in found)

    def answer(self, asked: Asked) -> Answer:
        """Route a request; whatever Mem0 raises is a 500, as in the server itself."""
        if asked.path == "/openapi.json":
            return Answer(body=self._description())
        if self.key and asked.headers.get("x-api-key") != self.key:
            given = asked.headers.get("x-api-key")
            return Answer(401, {"detail": f"Invalid API key {given}"})
        try:
            return self._routed(asked)
        except Exception as error:  # noqa: BLE001 - (see above)
            return Answer(500, {"detail": str(error)})

    def _routed(self, asked: Asked) -> Answer:  # noqa: PLR0911 - one line a route
        match asked.method, asked.path.strip("/").split("/"):
            case "POST", ["memories"]:
                return self._add(asked.body)
            case "GET", ["memories"]:
                return self._list(asked.query)
            case "POST", ["search"]:
                return self._search(asked.body)
            case "GET", ["memories", remote_id]:
                return Answer(body=self.memory.get(remote_id))
            case "PUT", ["memories", remote_id]:
                return Answer(body=self.memory.update(remote_id, data=asked.body["text"]))
            case "DELETE", ["memories", remote_id]:
                self.memory.delete(remote_id)
                return Answer(body={"message": "Memory deleted successfully"})
        return Answer(404, {"detail": "Not Found"})

    def _add(self, body: dict[str, Any]) -> Answer:
        scopes = {key: body[key] for key in _SCOPES if body.get(key)}
        if not scopes:
            return Answer(400, {"detail": "At least one identifier is required."})
        if not isinstance(body["messages"], list):
            return Answer(422, {"detail": [{"loc": ["body", "messages"], "type": "list_type"}]})
        added = self.memory.add(
            body["messages"], **scopes, metadata=body.get("metadata"), infer=body["infer"]
        )
        return Answer(body=added)

    def _list(self, query: dict[str, str]) -> Answer:
        scopes = {key: query[key] for key in _SCOPES if query.get(key)}
        if not scopes:
            return Answer(400, {"detail": "At least one identifier is required."})
        top_k = int(query.get("top_k", 20)) if self.version == "new" else _OLD_LIMIT
        if self.most_listed is not None and top_k > self.most_listed:
            return Answer(422, {"detail": [{"loc": ["query", "top_k"]}]})
        return Answer(body=self.memory.get_all(filters=scopes, top_k=top_k))

    def _search(self, body: dict[str, Any]) -> Answer:
        promoted = {key: body[key] for key in _SCOPES if body.get(key)}
        filters = {**promoted, **(body.get("filters") or {})}
        options = {key: body[key] for key in ("top_k", "threshold") if key in body}
        if self.version != "new":
            options = {"top_k": _OLD_LIMIT}
        return Answer(body=self.memory.search(body["query"], filters=filters, **options))

    def _description(self) -> dict[str, Any]:
        names = list(_SCOPES)
        parameters: list[dict[str, Any]] = [{"name": name, "in": "query"} for name in names]
        add, search = ["messages", *names, "metadata"], ["query", *names, "filters"]
        if self.version == "new":
            bound = {} if self.most_listed is None else {"maximum": self.most_listed}
            schema = {"anyOf": [{"type": "integer", **bound}, {"type": "null"}]}
            parameters.append({"name": "top_k", "in": "query", "schema": schema})
            search += ["top_k", "threshold"]
        if self.version != "oldest":
            add.append("infer")
        return {
            "paths": {"/memories": {"get": {"parameters": parameters}}},
            "components": {
                "schemas": {
                    "MemoryCreate": {"properties": {key: {} for key in add}},
                    "SearchRequest": {"properties": {key: {} for key in search}},
                }
            },
        }
