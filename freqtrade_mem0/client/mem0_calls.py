"""Mem0's own calls on a client, for code that was written for Mem0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.client.conversation import conversation
from freqtrade_mem0.records.base import Category

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.client.conversation import Messages


class Mem0Calls:
    """`add`, `search` and `get_all` of a `Mem0Client`; `user_id` is another owner than its own.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from freqtrade_mem0 import get_mem0_client
    >>> with TemporaryDirectory() as folder, get_mem0_client(user_data_dir=folder) as client:
    ...     _ = client.add([{"role": "user", "content": "No leverage"}], user_id="ann")
    ...     print([each["memory"] for each in client.search("leverage", user_id="ann")])
    ['No leverage']
    """

    def add(
        self: Any,
        messages: Messages,
        *,
        user_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        category: str | None = None,
    ) -> str:
        """Remember a conversation, a message or a text; return its id.

        Several messages are one text, each in a line that begins with its role. `category`, also in
        `metadata`, files it: `learning_insights` by default. Raises as `Mem0Client.store`.
        """
        own = dict(metadata or {})
        filed_under = category or own.pop("category", None) or Category.LEARNING_INSIGHTS
        kept: str = _of(self, user_id).store(filed_under, conversation(messages), own)
        return kept

    def search(
        self: Any,
        query: str,
        *,
        user_id: str | None = None,
        limit: int = 10,
        filters: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Return the memories most relevant to a query, best first; see `Mem0Client.recall`."""
        found: list[dict[str, Any]] = _of(self, user_id).recall(
            None, query, limit=limit, filters=filters
        )
        return found

    def get_all(
        self: Any,
        *,
        user_id: str | None = None,
        limit: int | None = None,
        filters: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Return all memories, or the newest `limit`, newest first."""
        found: list[dict[str, Any]] = _of(self, user_id).recall(limit=limit, filters=filters)
        return found


def _of(client: Any, user_id: str | None) -> Any:
    return client if user_id is None else client.for_user(user_id)
