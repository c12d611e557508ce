"""Looks for patterns in the trades known at a moment."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from freqtrade_mem0.insight.patterns.cells import TradeTable
from freqtrade_mem0.insight.patterns.effect import Effect, effect
from freqtrade_mem0.insight.patterns.evidence import (
    FALSE_SHARE,
    accepted,
    log_evidence,
    weights,
)
from freqtrade_mem0.insight.patterns.features import EXIT, MISSING, pattern_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from freqtrade_mem0.insight.patterns.cells import Cells
    from freqtrade_mem0.insight.patterns.trade import PatternTrade

Conditions = tuple[tuple[str, str], ...]
"""Features and values of a pattern, sorted."""

_MONTHS = 12
_LOOKS_BACK = 12
"""Most moments in the past at which it is looked whether a pattern was accepted."""
_ALMOST = 0.99


class Rules(NamedTuple):
    """When a pattern is told of.

    Parameters
    ----------
    min_occurrences
        Fewest trades, those that overlap counted as one.
    min_confidence
        Smallest probability that its sign is right, in [0, 1].
    max_patterns
        Most patterns, those with the most evidence.
    """

    min_occurrences: int = 5
    min_confidence: float = 0.7
    max_patterns: int = 500


class FoundPattern(NamedTuple):
    """A pattern, as of a moment.

    Parameters
    ----------
    conditions
        Features and values of its trades.
    pattern_type
        "trade", "timing", "market" or "exit".
    log_evidence
        Natural logarithm of its evidence.
    sign
        1 where its results are better than those it is compared with, -1 where they are worse.
    n_occurrences, n_blocks
        Number of its trades, and the same with those that overlap counted as one.
    success_rate
        Share of them that gained, in [0, 1].
    mean_ratio, spread_ratio
        Mean and standard deviation of their profit ratios.
    first_ms, last_ms
        When the first and last of them was opened; milliseconds since 1970 in UTC.
    confidence
        Probability that its sign is right, given all known trades and how it was found.
    discovered_ms
        The look at which it was accepted, and since which it has been.
    before
        The effect in the trades by which it was found, shrunk.
    after
        The effect in the trades known since; None with fewer than three blocks.
    """

    conditions: Conditions
    pattern_type: str
    log_evidence: float
    sign: int
    n_occurrences: int
    n_blocks: int
    success_rate: float
    mean_ratio: float
    spread_ratio: float
    first_ms: int
    last_ms: int
    confidence: float
    discovered_ms: int
    before: Effect | None
    after: Effect | None


class Nearest(NamedTuple):
    """The cell that is nearest to being accepted: the share of the evidence that it has, (0, 1)."""

    conditions: Conditions
    n_occurrences: int
    share: float


class Look(NamedTuple):
    """What is found in the trades known before a moment; `n_tested` cells were tried."""

    n_trades: int
    n_tested: int
    patterns: tuple[FoundPattern, ...]
    nearest: Nearest | None


def look(
    trades: Iterable[PatternTrade],
    now_ms: int,
    rules: Rules,
    since: Mapping[Conditions, int] | None = None,
    *,
    looks_back: bool = True,
    pause: Callable[[], object] = lambda: None,
) -> Look:
    """Return the patterns that are accepted at a moment.

    The result depends on the trades known strictly before `now_ms` only, not on their order.

    Parameters
    ----------
    trades
        Of one strategy.
    now_ms
        The moment, milliseconds since 1970 in UTC.
    rules
        When a pattern is told of.
    since
        By pattern, since when it has been accepted, where that was noted before. For others this is
        the first of a month since which it has been accepted at the first of each (in histories of
        more than a year of each second month, and so on).
    looks_back
        If false, patterns that are not in `since` are found now.
    pause
        Called every few milliseconds.
    """
    known = sorted((t for t in trades if t.known_ms < now_ms), key=attrgetter("known_ms", "id"))
    tried = _Tried(known, rules, pause)
    discovered = dict(since or {})
    unknown = tried.accepted.difference(discovered)
    if unknown and looks_back:
        discovered |= _discovered(known, unknown, rules, pause)
    found = (
        tried.pattern(place, discovered.get(tried.conditions(place), now_ms))
        for place in tried.best_first(tried.is_accepted)
    )
    shown = [each for each in found if each.confidence >= rules.min_confidence]
    return Look(len(known), len(tried.cells), tuple(shown[: rules.max_patterns]), tried.nearest())


def _discovered(
    known: Sequence[PatternTrade],
    patterns: set[Conditions],
    rules: Rules,
    pause: Callable[[], object],
) -> dict[Conditions, int]:
    """Return since which look back each pattern has been accepted, where it was before now."""
    firsts = list(_firsts_of_months(known[0].known_ms, known[-1].known_ms))
    since: dict[Conditions, int] = {}
    for moment in firsts[:: -(len(firsts) // _LOOKS_BACK + 1)]:
        past = [trade for trade in known if trade.known_ms < moment]
        patterns = patterns & _Tried(past, rules, pause).accepted
        if not patterns:
            break
        since |= dict.fromkeys(patterns, moment)
    return since


def _firsts_of_months(after_ms: int, before_ms: int) -> Iterator[int]:
    first = datetime.fromtimestamp(after_ms / 1_000, tz=UTC)
    month = first.year * _MONTHS + first.month
    while True:
        moment = datetime(month // _MONTHS, month % _MONTHS + 1, 1, tzinfo=UTC)
        moment_ms = round(moment.timestamp() * 1_000)
        if moment_ms >= before_ms:
            return
        yield moment_ms
        month += 1


class _Tried:
    """All cells of some sorted trades, with their evidence."""

    def __init__(
        self, trades: Sequence[PatternTrade], rules: Rules, pause: Callable[[], object]
    ) -> None:
        self._trades = trades
        tested: list[Cells] = []
        if trades:
            self._table = TradeTable(trades, pause)
            tested = list(self._table.cells(rules.min_occurrences))
        self.cells = [(cells, number) for cells in tested for number in cells.numbers.tolist()]
        evidence = [log_evidence(cells.totals, cells.variances) for cells in tested]
        self._log_evidence, self._sign = (
            np.concatenate([np.zeros(0), *(part[which] for part in evidence)]) for which in (0, 1)
        )
        self._n_blocks = [n for cells in tested for n in cells.n_blocks.tolist()]
        self._log_weight = np.log(weights(tested))
        self.is_accepted = accepted(self._log_evidence, self._log_weight)
        self.accepted = {self.conditions(place) for place in self.best_first(self.is_accepted)}

    def best_first(self, which: NDArray[np.bool_]) -> list[int]:
        """Return the places of some cells, those with the most evidence first."""
        evidence = self._log_evidence + self._log_weight
        places = np.flatnonzero(which)
        order: list[int] = places[np.argsort(-evidence[places], kind="stable")].tolist()
        return order

    def conditions(self, place: int) -> Conditions:
        """Return the features and values of a cell."""
        cells, number = self.cells[place]
        return tuple(sorted(cells.conditions(number).items()))

    def nearest(self) -> Nearest | None:
        """Return the cell with the most evidence that is not accepted."""
        places = self.best_first(~self.is_accepted & (self._log_evidence > 0.0))
        if not places:
            return None
        place = places[0]
        needed = -math.log(FALSE_SHARE) - self._log_weight[place]
        share = min(float(self._log_evidence[place] / needed), _ALMOST)
        return Nearest(self.conditions(place), int(self._inside(place).sum()), share)

    def pattern(self, place: int, discovered_ms: int) -> FoundPattern:
        """Return what is known of a cell."""
        cells, _ = self.cells[place]
        inside, sign = self._inside(place), float(self._sign[place])
        table, names = self._table, cells.names
        compared = np.ones_like(inside)
        if EXIT in names:
            exits = cells.features[names.index(EXIT)].codes
            alone = len(names) == 1
            compared = exits != MISSING if alone else exits == exits[np.argmax(inside)]
        is_later = table.known_ms >= discovered_ms
        whole, before, after = (
            effect(
                table.ratios[part], table.block[part], inside[part], sign, shrunk=part is not later
            )
            for later in (compared & is_later,)
            for part in (compared, compared & ~is_later, later)
        )
        own = table.ratios[inside]
        opened = table.open_ms[inside]
        return FoundPattern(
            conditions=self.conditions(place),
            pattern_type=pattern_type(names),
            log_evidence=float(self._log_evidence[place]),
            sign=int(sign),
            n_occurrences=len(own),
            n_blocks=self._n_blocks[place],
            success_rate=float(np.mean(own > 0.0)),
            mean_ratio=float(own.mean()),
            spread_ratio=float(own.std()),
            first_ms=int(opened.min()),
            last_ms=int(opened.max()),
            confidence=0.5 if whole is None else whole.sign_probability,
            discovered_ms=discovered_ms,
            before=before,
            after=after,
        )

    def _inside(self, place: int) -> NDArray[np.bool_]:
        cells, number = self.cells[place]
        inside: NDArray[np.bool_] = cells.codes == number
        return inside
