"""What a client does to keep its memory in order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.client.asking import as_dict
from freqtrade_mem0.lifecycle.forget.scope import ForgetScope
from freqtrade_mem0.lifecycle.patterns import bots, bring_up_to_date, patterns_of
from freqtrade_mem0.records.base import as_utc
from freqtrade_mem0.records.mapping import to_memory
from freqtrade_mem0.views.forgetting import forget

if TYPE_CHECKING:
    from freqtrade_mem0.client.access import Access
    from freqtrade_mem0.memory_folder import MemoryFolder


class Upkeep:
    """The part of a `Mem0Client` that keeps its memory in order."""

    folder: MemoryFolder
    _user_id: str
    _access: Access

    def forget(self, *, strategy: str | None = None, run_id: str | None = None) -> dict[str, Any]:
        """Delete everything of this user, or of one strategy or run; return the receipt.

        What is in the receipt, and what is raised, `views.forgetting.forget` says.
        """
        scope = ForgetScope(user_id=self._user_id, strategy=strategy, run_id=run_id)
        return forget(self.folder, scope, point=self._access.reads.forget)

    def extract_patterns(self, now: datetime | None = None) -> list[dict[str, Any]]:
        """Look for patterns in the owner's bots' trades, record what changed, and return them.

        Bots do the same when a trade closes, and `freqtrade-mem0 maintain` for all of them.

        Parameters
        ----------
        now
            Aware UTC; None for the wall clock.

        Returns
        -------
        list of dict
            The patterns that hold now, in the form of `recall`.
        """
        moment = datetime.now(UTC) if now is None else as_utc(now)
        journal, settings = self.folder.journal, self.folder.settings
        found = []
        for origin in bots(journal, settings.user_id):
            bring_up_to_date(journal, origin, moment, settings.lifecycle)
            found += [each for each in patterns_of(journal, origin).values() if each.is_active]
        return [as_dict(to_memory(each)) for each in found]
