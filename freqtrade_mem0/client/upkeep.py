"""What a client does to keep its memory in order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.client.asking import as_dict
from freqtrade_mem0.lifecycle.cycle import run_cycle
from freqtrade_mem0.lifecycle.forget.scope import ForgetScope
from freqtrade_mem0.lifecycle.metrics import metrics
from freqtrade_mem0.lifecycle.patterns import bots, bring_up_to_date, patterns_of
from freqtrade_mem0.records.base import as_utc
from freqtrade_mem0.records.mapping import to_memory
from freqtrade_mem0.views.forgetting import forget

if TYPE_CHECKING:
    from collections.abc import Callable

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

    def read_anew(self) -> None:
        """Keep no answers of Mem0: another process changed what is there."""
        self._access.reads.forget()

    def deliver_later(self, later: Callable[[], None]) -> None:
        """Call `later` after each write instead of delivering; it sees to `deliver_now`."""
        self._access.later = later

    def deliver_now(self) -> bool:
        """Deliver what waits in the journal, without retries; return whether nothing waits."""
        return self._access.deliver_now()

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

    def execute_pruning_cycle(
        self, *, dry_run: bool = False, now: datetime | None = None
    ) -> dict[str, Any]:
        """Run one cycle of pruning, patterns, tiers and compression over the whole memory.

        Parameters
        ----------
        dry_run
            Change nothing, and report what would be done.
        now
            Aware UTC; None for the wall clock.

        Returns
        -------
        dict
            `duration` in seconds; `initial_count` and `final_count`, how many records had a memory
            of their own; `pruned` with `by_age`, `by_relevance` and `by_redundancy`;
            `patterns_extracted`; `compressed`; `reduction_ratio`, the share of these memories that
            went; and `report`, what `freqtrade-mem0 maintain --json` prints.

        Raises
        ------
        JournalError, BackendError
            As `lifecycle.cycle.run_cycle`.
        """
        self.folder.asked.write()
        report = run_cycle(self.folder, now or datetime.now(UTC), dry_run=dry_run)
        self._access.reads.forget()
        before, after = (
            sum(tiers[tier]["memories"] for tier in ("hot", "warm"))
            for tiers in (report.before, report.after)
        )
        return {
            "duration": report.duration_s,
            "initial_count": before,
            "final_count": after,
            "pruned": report.counts["pruned"],
            "patterns_extracted": report.counts["patterns"]["found"],
            "compressed": report.counts["compressed"],
            "reduction_ratio": 1 - after / before if before else 0.0,
            "report": report.as_dict(),
        }

    def migrate_tiers(self) -> dict[str, int]:
        """Run one cycle; return how many memories moved, as in `{"hot_to_warm": 3}`."""
        migrated: dict[str, int] = self.execute_pruning_cycle()["report"]["migrated"]
        return migrated

    def collect_metrics(self) -> dict[str, Any]:
        """Return how many memories are in which tier, and how they are used.

        Returns
        -------
        dict
            `total_memories`, `tier_distribution`, `category_distribution`, `pattern_count`,
            `pruning` (totals since the journal was made, by reason), `pruning_efficiency` (share of
            all records whose memory was pruned), `compression_ratio` (share of bytes that tiers
            saved), `access_patterns` (`total_accesses`, `top_accessed` as pairs of id and count,
            `avg_accesses`), `storage_usage` (bytes of each file).
        """
        self.folder.asked.write()
        return metrics(self.folder)
