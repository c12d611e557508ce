"""The trades from which the questions of agents are answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from freqtrade_mem0.agents.nearest import NearestTrades
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.revoked import fingerprint, revoked
from freqtrade_mem0.records.kinds.agent_decision import AgentDecision
from freqtrade_mem0.records.kinds.agent_outcome import AgentOutcome
from freqtrade_mem0.records.kinds.note import Note
from freqtrade_mem0.records.kinds.parameter_update import ParameterStep, ParameterUpdate
from freqtrade_mem0.records.kinds.rule import Rule
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.views.entries import KnownRun, features_of, is_newest, known_run
from freqtrade_mem0.words import mission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.memory_folder import MemoryFolder

_OF_RUNS = "FROM records WHERE is_current = 1 AND mode IN ('live', 'dry_run', 'backtest') AND"
_MOST_RUNS = 8
_OF_AGENTS = tuple(
    each.kind for each in (AgentDecision, AgentOutcome, ParameterUpdate, ParameterStep, Rule, Note)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The run that a question is about, and what its trades have."""

    run: KnownRun
    features: dict[str, None]
    sides: set[str]
    nearest: NearestTrades

    def follow(self, after_seq: int) -> bool:
        """Learn what came into the journal after a row; return False where that is not possible."""
        news = self.run.follow(after_seq)
        if news is None:
            return False
        self.nearest.add(news)
        for trade in news:
            self.features.update(dict.fromkeys(trade.situation))
            self.sides.add(trade.side)
        return True


class KnownTrades:
    """Finds the run that answers for a strategy. `of` is for one thread at a time.

    A bot's run is followed as the journal gets new rows. A run is read again where that is not
    enough: another one is the newest, something was taken back, or another writer is revoked.

    Parameters
    ----------
    memory
        The memory.
    reach
        What may answer.
    place
        Where the memory is, for sentences.
    """

    def __init__(self, memory: MemoryFolder, reach: Scope, place: str) -> None:
        self._memory = memory
        self._place = place
        self._reach = reach
        self._state: tuple[int, str] = (0, "")
        self._found: dict[str | None, Asked | None] = {}
        self._seen = (0, 0)
        """The last row that was looked at, and the last one that may change an answer."""
        self._pairs: tuple[int, list[str]] = (-1, [])

    @property
    def exists(self) -> bool:
        """Whether there is a memory in the folder."""
        return self._memory.journal.path.exists()

    @property
    def levels(self) -> Sequence[str]:
        """The levels by which trades are grouped."""
        return self._memory.settings.sizing.levels

    def of(self, strategy: str | None) -> Asked | None:
        """Return the run to ask for a strategy, or for any; None where there is no trade."""
        if not self.exists:
            return None
        journal = self._memory.journal
        state = (self._changed_seq(), fingerprint(revoked(journal)))
        if state != self._state or len(self._found) >= _MOST_RUNS:
            before, self._state = self._state, state
            found, self._found = self._found, {}
            if before[1] == state[1] and 0 <= before[0] <= state[0] and len(found) < _MOST_RUNS:
                self._found = {
                    name: asked
                    for name, asked in found.items()
                    if asked is not None and self._follows(name, asked, before[0])
                }
        if strategy not in self._found:
            self._found[strategy] = self._read(strategy)
        return self._found[strategy]

    def pairs(self) -> list[str]:
        """Return the pairs that memory knows, those with the most trades first."""
        if not self.exists:
            return []
        last_seq, (known_seq, known) = self._changed_seq(), self._pairs
        if last_seq != known_seq:
            known = self._column("pair", "GROUP BY pair ORDER BY count(*) DESC, pair")
            self._pairs = last_seq, known
        return known

    def why_nothing(self, strategy: str | None) -> str:
        """Return why nothing is known about a strategy."""
        of = f" of the strategy {strategy}" if strategy else ""
        text = f"no closed trade{of} is in {self._place}."
        known = self._column("strategy", "GROUP BY strategy ORDER BY strategy")
        if not strategy or not known:
            return text
        hint = mission.did_you_mean(strategy, tuple(known))
        others = f" Known strategies: {', '.join(known[:10])}."
        return text + (hint or others)

    def _follows(self, strategy: str | None, asked: Asked, after_seq: int) -> bool:
        return is_newest(self._memory, self._scope(strategy), asked.run) and asked.follow(after_seq)

    def _read(self, strategy: str | None) -> Asked | None:
        if strategy is not None and self._reach.strategy not in {None, strategy}:
            return None
        try:
            run = known_run(self._memory, self._scope(strategy), keeps_trades=True)
        except RecordError:
            return None
        features = dict.fromkeys(features_of(self.levels))
        for trade in run.trades:
            features |= dict.fromkeys(trade.situation)
        sides = {trade.side for trade in run.trades}
        nearest = NearestTrades((*run.trades, *run.replay.prior.trades), run.replay.recall)
        return Asked(run=run, features=features, sides=sides, nearest=nearest)

    def _scope(self, strategy: str | None) -> Scope:
        return replace(self._reach, strategy=strategy or self._reach.strategy)

    def _changed_seq(self) -> int:
        """Return the number of the newest row that may change an answer; agents write others."""
        journal, (seen_seq, changed_seq) = self._memory.journal, self._seen
        last_seq = journal.last_seq()
        if last_seq < seen_seq:  # rows were deleted
            seen_seq, changed_seq = 0, -last_seq
        if last_seq > seen_seq:
            marks = ", ".join("?" * len(_OF_AGENTS))
            query = f"SELECT max(seq) FROM records WHERE seq > ? AND kind NOT IN ({marks})"  # noqa: S608
            (newest,) = journal.connection.row(query, [seen_seq, *_OF_AGENTS])
            changed_seq = changed_seq if newest is None else newest
        self._seen = last_seq, changed_seq
        return changed_seq

    def _column(self, name: str, order: str) -> list[str]:
        if not self.exists:
            return []
        where, values = replace(self._reach, kind=TradeRecord.kind).where()
        query = f"SELECT {name} {_OF_RUNS} {where} {order}"
        rows = self._memory.journal.connection.rows(query, values)
        return [value for (value,) in rows]
