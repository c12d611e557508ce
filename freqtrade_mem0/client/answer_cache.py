"""A bounded memory of answers: the least recently used go first, none is repeated when it is old.

An answer that is still on its way is held like one that is there, so that who asks the same
meanwhile waits for it instead of asking again.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from freqtrade_mem0.records.memory import Memory

Key: TypeAlias = "tuple[Hashable, ...]"
"""The kind of question ("get", "search", ...) and its arguments."""

Answer: TypeAlias = "tuple[Memory, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheStats:
    """What a cache did since it was made.

    Parameters
    ----------
    hits
        Questions answered from the cache.
    joined
        Questions that waited for the answer to an equal one under way.
    misses
        Questions that were asked.
    evictions
        Answers dropped because newer ones needed their place.
    memories
        Memories held in answers now, each as often as it stands in one.
    """

    hits: int
    joined: int
    misses: int
    evictions: int
    memories: int


@dataclass(slots=True, eq=False)
class Claim:
    """A place for the answer to one question; whoever made it must settle it."""

    asked_at_s: float
    hold_s: float
    future: Future[Answer] = field(default_factory=Future)
    weight: int = 0
    """Memories in the answer, at least one; 0 while it is on its way."""


class AnswerCache:
    """Answers by question; safe to share between threads, empty again in a forked child.

    Parameters
    ----------
    max_memories
        Most memories held, >= 1; an answer without one counts as one. A longer answer is not held.
    ttl_s
        How long an answer is repeated, counted from when it was asked for, in seconds, >= 0. With
        0 nothing is repeated and nobody waits for another's answer.
    clock
        Monotonic seconds.

    Examples
    --------
    >>> cache = AnswerCache(max_memories=100, ttl_s=5, clock=lambda: 0.0)
    >>> claim, is_new = cache.claim(("get", "an id"))
    >>> is_held = cache.settle(("get", "an id"), claim, ())
    >>> is_new, cache.claim(("get", "an id"))[1], cache.stats().hits
    (True, False, 1)
    """

    def __init__(self, *, max_memories: int, ttl_s: float, clock: Callable[[], float]) -> None:
        if max_memories < 1:
            raise ValueError(f"max_memories must be at least 1, it is {max_memories}.")
        if not ttl_s >= 0:
            raise ValueError(f"ttl_s must be 0 or more seconds, it is {ttl_s}.")
        self.max_memories = max_memories
        self._ttl_s = ttl_s
        self._clock = clock
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._claims: OrderedDict[Key, Claim] = OrderedDict()
        self._hits = self._joined = self._misses = self._evictions = self._memories = 0

    def claim(self, key: Key, *, hold_s: float | None = None) -> tuple[Claim, bool]:
        """Return the place of an answer, and whether the caller has to ask for it.

        Parameters
        ----------
        key
            The question.
        hold_s
            Ask anew, and hold the answer so long instead of `ttl_s`; seconds.
        """
        self._part_from_the_parent()
        with self._lock:
            known = None if hold_s is not None else self._claims.get(key)
            now_s = self._clock()
            if known is not None and not self._is_old(known, now_s):
                self._claims.move_to_end(key)
                if known.weight:
                    self._hits += 1
                else:
                    self._joined += 1
                return known, False
            self._misses += 1
            self._remove(key)
            claim = Claim(now_s, self._ttl_s if hold_s is None else hold_s)
            if claim.hold_s > 0:
                self._claims[key] = claim
            return claim, True

    def settle(
        self, key: Key, claim: Claim, answer: Answer, parts: Iterable[tuple[Key, Answer]] = ()
    ) -> bool:
        """Hand the answer to all who wait for it; return whether it is held for later ones.

        Parameters
        ----------
        key, claim
            As they were claimed. What was dropped meanwhile is not held.
        answer
            The memories.
        parts
            Other questions that are answered with it; held where it is, and as long.
        """
        with self._lock:
            is_held = self._claims.get(key) is claim
            if is_held:
                self._hold(key, claim, answer)
                for part, its_answer in parts:
                    self._remove(part)
                    its_claim = self._claims[part] = Claim(claim.asked_at_s, claim.hold_s)
                    its_claim.future.set_result(its_answer)
                    self._hold(part, its_claim, its_answer)
                is_held = self._claims.get(key) is claim
        claim.future.set_result(answer)
        return is_held

    def held(self, key: Key) -> Answer | None:
        """Return an answer that is held, or None where the caller has to ask; nobody waits."""
        self._part_from_the_parent()
        with self._lock:
            known = self._claims.get(key)
            if known is None or not known.weight or self._is_old(known, self._clock()):
                self._misses += 1
                return None
            self._hits += 1
            self._claims.move_to_end(key)
            return known.future.result()

    def fail(self, key: Key, claim: Claim, error: BaseException) -> None:
        """Hand an error to all who wait for the answer; the next one asks anew."""
        with self._lock:
            if self._claims.get(key) is claim:
                self._remove(key)
        if not isinstance(error, Exception):  # of the thread that asked, and of no other
            error = BackendError("The asking was interrupted before an answer came; ask again.")
        claim.future.set_exception(error)

    def drop(self, is_stale: Callable[[Key], bool] = lambda _key: True) -> None:
        """Forget answers, also those on their way: they reach who waits and are held no longer."""
        self._part_from_the_parent()
        with self._lock:
            for key in [key for key in self._claims if is_stale(key)]:
                self._remove(key)

    def stats(self) -> CacheStats:
        """Return what was counted so far."""
        with self._lock:
            return CacheStats(
                hits=self._hits,
                joined=self._joined,
                misses=self._misses,
                evictions=self._evictions,
                memories=self._memories,
            )

    def _part_from_the_parent(self) -> None:
        """In a forked child, begin anew: another thread of the parent may have held the lock."""
        if self._pid != os.getpid():
            self._start_afresh()

    def _hold(self, key: Key, claim: Claim, answer: Answer) -> None:
        if len(answer) > self.max_memories:
            self._remove(key)
            return
        claim.weight = max(1, len(answer))
        self._memories += claim.weight
        self._claims.move_to_end(key)
        while self._memories > self.max_memories:
            self._remove(next(key for key, each in self._claims.items() if each.weight))
            self._evictions += 1

    def _is_old(self, claim: Claim, now_s: float) -> bool:
        return bool(claim.weight) and now_s >= claim.asked_at_s + claim.hold_s

    def _remove(self, key: Key) -> None:
        claim = self._claims.pop(key, None)
        if claim is not None:
            self._memories -= claim.weight
