"""Cells of trades, and for each the sum of scores that tells it from its surroundings.

A cell of depth 1 holds the trades with one value of one feature; it is compared with the
strategy's other trades. A cell of depth 2 holds those with two values; it is compared with the
other trades of each of the two cells around it, and counts as far as it differs from both.

Scores are compared within stretches of `STRATUM` trades, so a cell whose trades come in good times
is not better than others: in the same times these were as good. Trades of a block move together,
so the sum over a block counts as one observation where it varies more than single trades would.

An exit reason may be part of the result (stop losses lose). Only reasons with gains and losses make
cells; these are compared with each other, and those of depth 2 with trades of the same reason.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from freqtrade_mem0.insight.patterns.blocks import blocks
from freqtrade_mem0.insight.patterns.features import EXIT, MISSING, Feature, features
from freqtrade_mem0.insight.patterns.scores import scores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from freqtrade_mem0.insight.patterns.trade import PatternTrade

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

STRATUM = 50
"""Trades that are compared with each other, those of a block together."""

_PRIOR = 30.0
"""How many trades' worth the variance that is usual weighs beside that of a cell's own blocks."""

_MOST_SHARED = 0.95
_BINARY = 2


class Cells(NamedTuple):
    """The cells of some features that are tested.

    Parameters
    ----------
    features
        One or two.
    codes
        The cell of each trade, shape (n_trades,).
    numbers
        The cells, shape (n_cells,).
    n_blocks
        By cell its number of trades, those that overlap counted as one; see `blocks`.
    totals, variances
        By surrounding and cell, how its scores differ from those around it, shape (n_surroundings,
        n_cells). Where they do not, E[exp(t * total)] <= exp(t ** 2 * variance / 2) for each t.
    """

    features: tuple[Feature, ...]
    codes: Ints
    numbers: Ints
    n_blocks: Ints
    totals: Floats
    variances: Floats

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the features."""
        return tuple(each.name for each in self.features)

    def conditions(self, number: int) -> dict[str, str]:
        """Return the values that the trades of a cell have, by feature."""
        *outer, last = self.features
        rest, value = divmod(number, len(last.values))
        found = {each.name: each.values[rest] for each in outer}
        return found | {last.name: last.values[value]}

    def only(self, kept: Bools) -> Cells:
        """Return some of the cells."""
        return self._replace(
            numbers=self.numbers[kept],
            n_blocks=self.n_blocks[kept],
            totals=self.totals[:, kept],
            variances=self.variances[:, kept],
        )


class _Strata(NamedTuple):
    """The scored trades of each cell around others, in stretches of time.

    `trades` are places, sorted by cell and block, and `strata`, `rows` (blocks) and `centred`
    (the score minus the mean of its stratum) are theirs. `sizes` are trades by stratum; `counts`
    and `sums` are trades and centred scores by row.
    """

    trades: Ints
    strata: Ints
    rows: Ints
    centred: Floats
    sizes: Ints
    counts: Ints
    sums: Floats


class TradeTable:
    """Trades as columns.

    Parameters
    ----------
    trades
        Sorted by when they became known, then by id; at least one.
    pause
        Called every few milliseconds.
    """

    def __init__(
        self, trades: Sequence[PatternTrade], pause: Callable[[], object] = lambda: None
    ) -> None:
        self._pause = pause
        self.known_ms = np.array([trade.known_ms for trade in trades], dtype=np.int64)
        self.open_ms = np.array([trade.open_ms for trade in trades], dtype=np.int64)
        close_ms = np.array([trade.close_ms for trade in trades], dtype=np.int64)
        self.ratios = np.array([trade.ratio for trade in trades], dtype=np.float64)
        self.block = blocks(self.open_ms, close_ms)
        pause()
        self.features = features(trades, pause)
        self._scores = self._apart(scores(self.ratios, self.known_ms, self.open_ms))
        # Cells of the same trades have the same sum of marks.
        self._marks = np.random.default_rng(1).random(len(trades))
        self._seen: set[tuple[int, float]] = set()

    def cells(self, min_blocks: int) -> Iterator[Cells]:
        """Yield the cells of depth 1 and 2 with at least so many blocks, features by features."""
        self._seen.clear()
        entry = [each for each in self.features if each.name != EXIT]
        whole = Feature("", ("",), np.zeros_like(self.block))
        around = {each.name: self._strata(each.codes, self._scores) for each in (whole, *entry)}
        for each in entry:
            yield self._tested((whole, each), {"": around[""]}, min_blocks)
        for pair in combinations(entry, 2):
            outer = {each.name: around[each.name] for each in pair}
            yield self._tested(pair, outer, min_blocks)
        for exits in self.features:
            if exits.name == EXIT:
                yield from self._exit_cells(exits, entry, min_blocks)

    def _exit_cells(
        self, exits: Feature, entry: Sequence[Feature], min_blocks: int
    ) -> Iterator[Cells]:
        is_open = exits.codes != MISSING
        whole = Feature("", ("",), np.where(is_open, 0, MISSING))
        outer = {"": self._strata(whole.codes, self._scores_within(whole.codes))}
        yield self._tested((whole, exits), outer, min_blocks)
        outer = {EXIT: self._strata(exits.codes, self._scores_within(exits.codes))}
        for each in entry:
            yield self._tested((exits, each), outer, min_blocks)

    def _tested(
        self,
        pair: tuple[Feature, Feature],
        around: dict[str, _Strata],
        min_blocks: int,
    ) -> Cells:
        """Return the cells of two features, of which the first may be that of all trades."""
        self._pause()
        one, other = pair
        width = len(other.values)
        missing = (one.codes == MISSING) | (other.codes == MISSING)
        codes = np.where(missing, MISSING, one.codes * width + other.codes)
        numbers = np.arange(len(one.values) * width)
        found = [_contrast(codes, len(numbers), strata) for strata in around.values()]
        totals, variances, (n_blocks, *_) = (np.array(each) for each in zip(*found, strict=True))
        tested = (n_blocks >= min_blocks) & (variances > 0.0).all(axis=0)
        if len(numbers) == _BINARY and not missing.any():
            tested &= numbers == np.argmin(n_blocks)  # the other one is its mirror
        marks = np.bincount(codes[~missing], self._marks[~missing], len(numbers))
        for number in np.flatnonzero(tested).tolist():
            mark = (int(n_blocks[number]), float(marks[number]))
            tested[number] = mark not in self._seen
            self._seen.add(mark)
        shown = tuple(each for each in pair if each.name)
        return Cells(shown, codes, numbers, n_blocks, totals, variances).only(tested)

    def _scores_within(self, codes: Ints) -> Floats:
        """Return each trade's score among the earlier trades of the same cell."""
        found = np.full(len(codes), np.nan)
        for code in range(int(codes.max()) + 1):
            at = np.flatnonzero(codes == code)
            found[at] = scores(self.ratios[at], self.known_ms[at], self.open_ms[at])
        return self._apart(found)

    def _apart(self, score: Floats) -> Floats:
        """Return scores less what those of a block share, as far as they share anything.

        The generalised least squares of a random effect: with no correlation in blocks scores stay
        as they are, with much of it they are compared within blocks.
        """
        at = np.flatnonzero(~np.isnan(score))
        block, own = self.block[at], score[at]
        sizes, sums = np.bincount(block), np.bincount(block, own)
        n_pairs = float((sizes * (sizes - 1)).sum())
        shared = float(np.square(sums).sum() - np.square(own).sum()) / max(n_pairs, 1.0)
        shared = min(max(shared, 0.0), _MOST_SHARED)
        taken = 1.0 - np.sqrt((1.0 - shared) / (1.0 - shared + sizes * shared))
        found = score.copy()
        found[at] = (own - (taken * sums / np.maximum(sizes, 1))[block]) / np.sqrt(1.0 - shared)
        return found

    def _strata(self, codes: Ints, score: Floats) -> _Strata:
        at = np.flatnonzero((codes != MISSING) & ~np.isnan(score))
        at = at[np.lexsort((self.block[at], codes[at]))]
        code, block = codes[at], self.block[at]
        is_first = (np.diff(code, prepend=-1) != 0) | (np.diff(block, prepend=-1) != 0)
        rows = np.cumsum(is_first) - 1
        place = np.flatnonzero(is_first)[rows] - np.searchsorted(code, code)
        _, strata = np.unique(code * len(codes) + place // STRATUM, return_inverse=True)
        sizes = np.bincount(strata)
        centred = score[at] - (np.bincount(strata, score[at]) / np.maximum(sizes, 1))[strata]
        sums: Floats = np.bincount(rows, centred).astype(np.float64)
        return _Strata(at, strata, rows, centred, sizes, np.bincount(rows), sums)


def _contrast(codes: Ints, n_cells: int, around: _Strata) -> tuple[Floats, Floats, Ints]:
    """Return total, variance and number of blocks of each cell among the trades around it.

    With the share `p` of a cell in a stratum, a trade of the cell has the weight 1 - p, another
    one -p. The variance is that of the weighted sum of independent scores of variance 1, times how
    much more or less the sums over blocks vary, once the difference is taken out.
    """
    code = codes[around.trades]
    inside = np.flatnonzero(code != MISSING)
    n_rows, n_strata = len(around.counts), len(around.sizes)
    keys, place, n_own = np.unique(
        code[inside] * max(n_rows, 1) + around.rows[inside], return_inverse=True, return_counts=True
    )
    cells, rows = np.divmod(keys, max(n_rows, 1))
    own = np.bincount(place, around.centred[inside], len(keys))
    of_row = np.zeros(n_rows, dtype=np.int64)
    of_row[around.rows] = around.strata
    pairs, part = np.unique(cells * max(n_strata, 1) + of_row[rows], return_inverse=True)
    in_cell, stratum = np.divmod(pairs, max(n_strata, 1))
    share = np.bincount(part, n_own, len(pairs)) / around.sizes[stratum]
    totals: Floats = np.bincount(cells, own, n_cells).astype(np.float64)
    usual = np.bincount(in_cell, around.sizes[stratum] * share * (1.0 - share), n_cells)
    effect = totals / np.maximum(usual, 1.0)
    squares = np.bincount(of_row, np.square(around.sums), n_strata)
    p, all_sums = share[part], around.sums[rows]
    expected = effect[cells] * (n_own * (1.0 - 2.0 * p) + p * p * around.counts[rows])
    seen = np.square(own - p * all_sums - expected) - np.square(p * all_sums)
    varied = np.bincount(cells, seen, n_cells)
    varied += np.bincount(in_cell, np.square(share) * squares[stratum], n_cells)
    variances: Floats = usual * (varied + _PRIOR) / (usual + _PRIOR)
    return totals, variances, np.bincount(cells, minlength=n_cells).astype(np.int64)
