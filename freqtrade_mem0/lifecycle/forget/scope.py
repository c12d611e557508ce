"""What is to be forgotten."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.journal.forgotten import BOTS, scope_key

if TYPE_CHECKING:
    from freqtrade_mem0.backends.port import Filters

DERIVED = ("pattern", "summary")
"""Kinds of records that are computed from others. Those of the strategies concerned are deleted
with them, and made anew of what is left by the next maintenance."""

_WITHOUT_STRATEGY = ("compared ", "pulled ")
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

    def where(self, *, with_derived: bool = False) -> tuple[str, list[Any]]:
        """Return the condition on rows that have user, strategy, mode and run, and its values.

        `with_derived` also takes rows, which must have a kind, that were computed from these.
        """
        owner, values = "user_id = ?", [self.user_id]
        if self.strategy is not None:
            owner, values = f"{owner} AND strategy = ?", [*values, self.strategy]
        terms: list[str] = ["1"]
        if self.run_id is not None:
            terms, values = [*terms, "run_id = ?"], [*values, self.run_id]
        if self.bots_only:
            terms.append(f"mode IN {tuple(map(str, BOTS))}")
        derived = f" OR kind IN {DERIVED}" if with_derived else ""
        return f"({owner} AND ({' AND '.join(terms)}{derived}))", values

    def filters(self) -> list[Filters]:
        """Return Mem0's filters for the memories of this scope, and for those derived from it."""
        owner: Filters = {"user_id": self.user_id}
        if self.strategy is not None:
            owner["agent_id"] = self.strategy
        whole = dict(owner)
        if self.run_id is not None:
            whole["run_id"] = self.run_id
        if self.bots_only:
            whole["mode"] = {"in": [str(mode) for mode in BOTS]}
        return [whole] if whole == owner else [whole, owner | {"kind": {"in": list(DERIVED)}}]

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
