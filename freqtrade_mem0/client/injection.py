"""Gives an agent's coroutine the memories of its user before it runs."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Coroutine, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, wraps
from typing import Any, TypeAlias, TypeVar

from freqtrade_mem0.client.asking import Strategy
from freqtrade_mem0.client.provider import MemoryProvider
from freqtrade_mem0.errors import BackendError, JournalError, RecordError
from freqtrade_mem0.records.base import as_utc

logger = logging.getLogger(__name__)

T = TypeVar("T")
Agent: TypeAlias = Callable[..., Coroutine[Any, Any, T]]

_QUERIES = ("message", "query", "prompt", "question", "text")
"""Names of the argument that is the query, in the order in which they are looked for."""

_CONTEXTS = ("ctx", "context")
_MOST_HOURS = 24.0 * 36_500


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryInjection:
    """Which memories an agent gets, and a decorator that gives them; see `inject_memory`."""

    strategy: Strategy
    max_memories: int
    min_relevance: float
    time_window_hours: float
    provider: MemoryProvider | None

    async def memories(
        self, provider: MemoryProvider, user_id: str, query: str
    ) -> list[dict[str, Any]]:
        """Return the memories of a user that this chooses; [] while memory can not be asked."""
        try:
            return await self._chosen(provider, user_id, query)
        except (BackendError, JournalError) as error:
            logger.warning("%s The agent goes on without memories.", error)
            return []

    def __call__(
        self, agent: Callable[..., Coroutine[Any, Any, T]]
    ) -> Callable[..., Coroutine[Any, Any, T]]:
        """Return the coroutine function with memories given to it before it runs."""
        if not inspect.iscoroutinefunction(agent):
            raise TypeError(f"inject_memory decorates a coroutine function, got {agent!r}.")
        signature = inspect.signature(agent)

        @wraps(agent)
        async def with_memories(*args: Any, **given: Any) -> T:
            bound = signature.bind_partial(*args, **given).arguments
            context = next((bound[name] for name in _CONTEXTS if name in bound), None)
            provider = self.provider if self.provider is not None else _at(context, "memory")
            if provider is None:
                raise TypeError(
                    "There is no memory to inject from: give inject_memory a provider, or the "
                    "agent a context (ctx) whose attribute memory is one."
                )
            field = getattr(provider, "user_id_field", "user.id")
            user_id = bound.get("user_id") or _at(context, field)
            if user_id is None:
                raise TypeError(
                    f"Whose memories to inject is not known: the agent has no argument user_id, "
                    f"and its context no {field!r}."
                )
            found = await self.memories(provider, str(user_id), _query(bound))
            if context is not None:
                _give(context, found)
            if "memories" in signature.parameters and "memories" not in bound:
                given["memories"] = found
            return await agent(*args, **given)

        return with_memories

    async def _chosen(
        self, provider: MemoryProvider, user_id: str, query: str
    ) -> list[dict[str, Any]]:
        if self.strategy is not Strategy.RELEVANT:
            takes_limit = "limit" in inspect.signature(provider.get_all).parameters
            bound = {"limit": self.max_memories} if takes_limit else {}
            found = (await provider.get_all(user_id, **bound))[: self.max_memories]
            if self.strategy is Strategy.ALL:
                return found
            since = datetime.now(UTC) - timedelta(hours=self.time_window_hours)
            return [each for each in found if _is_since(each, since)]
        if not query.strip():
            return []
        found = await provider.search(user_id, query, limit=self.max_memories)
        near = [each for each in found if _score(each) >= self.min_relevance]
        if found and not near:
            _warn_of_bound(self.min_relevance)
        return near


def inject_memory(
    strategy: str = "relevant",
    max_memories: int = 10,
    min_relevance: float | None = None,
    time_window_hours: float | None = None,
    *,
    provider: MemoryProvider | None = None,
) -> MemoryInjection:
    """Return a decorator that gives an agent's coroutine the memories of its user.

    They become the attribute `memories` of its argument `ctx`, and its argument `memories` where it
    has one. The query is its argument `message` (or `query`, `prompt`), else its first text.

    Parameters
    ----------
    strategy
        `relevant` (best matches for the query), `recent` (of a time window) or `all` (the newest).
    max_memories
        Most memories given, >= 1.
    min_relevance
        For `relevant`: smallest score, [0, 1]; None for 0.7. The range of scores depends on the
        embedder: with the embedded default it is lower, so choose it by the scores of a search.
    time_window_hours
        For `recent`: hours before now, > 0; None for 24.
    provider
        The memory; None for the attribute `memory` of the agent's `ctx`.

    Raises
    ------
    RecordError
        An argument breaks its rule, or does not go with the strategy.

    Examples
    --------
    >>> import asyncio
    >>> from tempfile import TemporaryDirectory
    >>> from freqtrade_mem0 import Mem0Provider
    >>> async def main(folder: str) -> None:
    ...     async with Mem0Provider(user_data_dir=folder) as memory:
    ...         _ = await memory.add("ann", "no leverage")
    ...         @inject_memory("all", provider=memory)
    ...         async def chat(message, user_id, memories):
    ...             print(user_id, [each["memory"] for each in memories])
    ...         await chat("What do I like?", "ann")
    >>> with TemporaryDirectory() as folder:
    ...     asyncio.run(main(folder))
    ann ['no leverage']
    """
    if strategy not in list(Strategy):
        raise RecordError(f"strategy {strategy!r} is unknown; there are {', '.join(Strategy)}.")
    chosen = Strategy(strategy)
    if max_memories < 1:
        raise RecordError(f"max_memories must be at least 1, got {max_memories}.")
    if min_relevance is not None and chosen is not Strategy.RELEVANT:
        raise RecordError(f"min_relevance goes with 'relevant', and not with '{chosen}'.")
    if min_relevance is not None and not 0.0 <= min_relevance <= 1.0:
        raise RecordError(f"min_relevance must lie in [0, 1], got {min_relevance}.")
    if time_window_hours is not None and chosen is not Strategy.RECENT:
        raise RecordError(f"time_window_hours goes with 'recent', and not with '{chosen}'.")
    if time_window_hours is not None and not 0.0 < time_window_hours <= _MOST_HOURS:
        raise RecordError(f"time_window_hours must be above 0, got {time_window_hours}.")
    return MemoryInjection(
        strategy=chosen,
        max_memories=max_memories,
        min_relevance=0.7 if min_relevance is None else min_relevance,
        time_window_hours=24.0 if time_window_hours is None else time_window_hours,
        provider=provider,
    )


@cache
def _warn_of_bound(min_relevance: float) -> None:
    """Log, once in a process, that a bound leaves out everything that was found."""
    logger.warning(
        "No memory that was found has a score of min_relevance %g, so none is given to the agent. "
        "Scores depend on the embedder: look at those of a search, and choose a smaller one.",
        min_relevance,
    )


def _score(memory: Mapping[str, Any]) -> float:
    """Return a memory's score; one without a score was found, which is all that is known."""
    return float(memory.get("score", 1.0) or 0.0)


def _is_since(memory: Mapping[str, Any], since: datetime) -> bool:
    """Tell whether a memory is of a time window; one without a time is not."""
    told = memory.get("timestamp") or memory.get("created_at")
    try:
        return told is not None and as_utc(datetime.fromisoformat(str(told))) >= since
    except ValueError:
        return False


def _query(bound: Mapping[str, Any]) -> str:
    named = next((bound[name] for name in _QUERIES if name in bound), None)
    if named is None:
        others = (value for name, value in bound.items() if name != "user_id")
        named = next((value for value in others if isinstance(value, str)), "")
    return str(named)


def _at(context: Any, path: str) -> Any:
    """Return what is at a path of attributes or keys; None where there is nothing."""
    for name in path.split("."):
        is_mapping = isinstance(context, Mapping)
        context = context.get(name) if is_mapping else getattr(context, name, None)
    return context


def _give(context: Any, found: list[dict[str, Any]]) -> None:
    """Set the memories of a context, an object or a dict."""
    if isinstance(context, MutableMapping):
        context["memories"] = found
        return
    try:
        context.memories = found
    except AttributeError as error:
        raise TypeError(
            f"The agent's context {context!r} takes no attribute 'memories'. Give the agent an "
            "argument memories and inject_memory a provider instead."
        ) from error
