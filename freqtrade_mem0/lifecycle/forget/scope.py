"""What is to be forgotten."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.journal.forgotten import BOTS, scope_key

if TYPE_CHECKING:
    from freqtrade_mem0.backends.port import Filters

_WITHOUT_STRATEGY = ("compared ", "pulled ", "agent_files ")
"""Beginnings of the names of marks that do not name the strategy; they are made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetScope:
    """A user, or one strategy or run of that user.

    Parameters
    ----------
    user_id
        The owner.
    strategy, run_id
        None: every one.
    bots_only
        Only what bots noted, in dry-run or live; not backtests of the same name.
    """

    user_id: str
    strategy: str | None = None
    run_id: str | None = None
    bots_only: bool = False

    @property
    def key(self) -> bytes:
        """The hash under which the journal keeps that it was forgotten."""
        return scope_key(self.user_id, self.strategy, self.run_id, bots_only=self.bots_only)

    @property
    def is_whole_user(self) -> bool:
        """Whether everything of the user is meant."""
        return self.strategy is None and self.run_id is None and not self.bots_only

    def where(self) -> tuple[str, list[Any]]:
        """Return the condition on rows that have user, strategy, mode and run, and its values.

        Patterns and summaries are of one bot's trades, and have its names.
        """
        named = {"user_id": self.user_id, "strategy": self.strategy, "run_id": self.run_id}
        equal = {name: value for name, value in named.items() if value is not None}
        terms = [f"{name} = ?" for name in equal]
        if self.bots_only:
            terms.append(f"mode IN {tuple(map(str, BOTS))}")
        return f"({' AND '.join(terms)})", list(equal.values())

    def filters(self) -> Filters:
        """Return Mem0's filter for the memories of this scope."""
        named = {"user_id": self.user_id, "agent_id": self.strategy, "run_id": self.run_id}
        filters: Filters = {name: value for name, value in named.items() if value is not None}
        return filters | ({"mode": {"in": [str(mode) for mode in BOTS]}} if self.bots_only else {})

    def names_mark(self, name: str) -> bool:
        """Return whether the name of a mark has the names of this scope in it.

        Names of marks have user, strategy, mode and run in this order, or some of them.
        """
        words, owner = f" {name} ", self.user_id
        if self.strategy is not None and not name.startswith(_WITHOUT_STRATEGY):
            owner = f"{owner} {self.strategy}"
        return f" {owner} " in words and (self.run_id is None or words.endswith(f" {self.run_id} "))

    def owns(self, owners: str) -> bool:
        """Return whether owners in the embedded store, as JSON, are of this scope."""
        whose: list[object] = json.loads(owners)
        user_id, strategy, run_id = whose[:3]
        return (
            user_id == self.user_id
            and self.strategy in {None, strategy}
            and self.run_id in {None, run_id}
        )
