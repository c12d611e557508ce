"""Which rows of the journal to read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.records.base import Mode, to_ms

if TYPE_CHECKING:
    from freqtrade_mem0.records.base import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which records or decisions to read; None is "any".

    Parameters
    ----------
    user_id, strategy, run_id, pair
        Equal to this.
    modes
        One of these.
    kind
        Kind of record ("trade", ...); without meaning for decisions.
    since
        Known, or decided, at or after this moment, aware UTC.
    """

    user_id: str | None = None
    strategy: str | None = None
    modes: Collection[Mode] | None = None
    run_id: str | None = None
    pair: str | None = None
    kind: str | None = None
    since: datetime | None = None

    def in_run(self, origin: Origin) -> Scope:
        """Return the part of this scope that one run of one owner noted."""
        return replace(
            self,
            user_id=origin.user_id,
            strategy=origin.strategy,
            modes=[origin.mode],
            run_id=origin.run_id,
        )

    def where(self, *, prefix: str = "", with_kind: bool = True) -> tuple[str, list[Any]]:
        """Return the scope as an SQL condition, and the values to bind to it.

        `prefix` stands before the names of columns, as in "d."; decisions have no kind. With a
        kind, `since` is left to the caller.
        """
        names = ["user_id", "strategy", "run_id", "pair", *(["kind"] if with_kind else [])]
        equal = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        terms = ["1", *(f"{prefix}{name} = ?" for name in equal)]
        values = list(equal.values())
        if self.modes is not None:
            terms.append(f"{prefix}mode IN ({', '.join('?' * len(self.modes))})")
            values += sorted(self.modes)
        if self.since is not None and not with_kind:
            terms.append(f"{prefix}decided_ms >= ?")
            values.append(to_ms(self.since))
        return " AND ".join(terms), values
