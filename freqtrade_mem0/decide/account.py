"""Reads the response to volatility and memory's account as of an entry, from the known trades."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from freqtrade_mem0.insight.account import MS_PER_DAY, Account
from freqtrade_mem0.insight.closed_entry import EntryColumns
from freqtrade_mem0.insight.response import EntrySums, logs_of
from freqtrade_mem0.insight.stakes import StakeSums
from freqtrade_mem0.insight.standing import Standing
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.recall.index.history import EntryReader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from freqtrade_mem0.insight.closed_entry import ClosedEntry
    from freqtrade_mem0.insight.response import Response
    from freqtrade_mem0.recall.index.entry_list import EntryList

_MOST_NOTED = 1_000
_EVER = -(1 << 62)
_KEPT_MS = 180 * MS_PER_DAY
"""How far back a checkpoint keeps each trade. One that closes was hardly opened before that, else
all trades are taken in again, 1 us each."""


class Checkpoint(NamedTuple):
    """What was computed from the trades known before a moment.

    Parameters
    ----------
    n
        How many these are.
    digest
        Of all their entries, see `Recall.digest`: it depends on nothing else.
    n_earlier
        How many of them are in its sums alone.
    kept_ms
        The start of the day from which on it keeps each of them.
    days
        See `Account.after`.
    parts
        Columns of numbers, of the trades after these.
    """

    n: int
    digest: str
    n_earlier: int
    kept_ms: int
    days: Sequence[Any]
    parts: Sequence[bytes]


class AccountReader:
    """The response and the account of one strategy. For one thread at a time.

    Both depend on the set of known trades only: what the experts said at the entry of a trade is
    computed again from the trades known then, so nothing but the trades has to be kept.

    Parameters
    ----------
    recall
        The strategy's known trades.
    shares
        What each expert begins with.
    ask
        Returns each expert's multiplier for the entry of a closed trade, from its response.
    ask_all
        The same for many entries, from the multipliers of their responses.
    """

    def __init__(
        self,
        recall: Recall | EntryList,
        shares: Mapping[str, float],
        ask: Callable[[ClosedEntry, Response], Sequence[float]],
        ask_all: Callable[[NDArray[np.float64]], Sequence[NDArray[np.float64]]],
    ) -> None:
        self._recall, self._shares = recall, shares
        self._reader = EntryReader()
        self._read_on = recall.entries(self._reader)
        self._ask, self._ask_all = ask, ask_all
        self._day: Standing | None = None
        self._narrowed: Standing | None = None
        """The same with less room for stakes: decisions in a row share it."""
        self._begin()

    def _begin(self) -> None:
        self._sums = EntrySums()
        self._account = Account(self._shares) if self._shares else None
        self._stakes = StakeSums(-self._account.floor if self._account else 0.0)
        self._known_ms = array("q")
        self._n_counted = array("i", [0])
        self._n_earlier, self._kept_ms = 0, _EVER
        """Trades that are in the sums of a checkpoint alone: how many, and known until when. All
        other numbers of trades are without these."""
        self._n_asked = 0
        self._of_day: tuple[int, int, int, Standing | None] | None = None
        """The account, where all trades are taken in: as of which version of recall, from which
        moment on, and before which one."""
        self._noted: dict[tuple[int, float], tuple[int, float, float, float]] = {}
        """By moment and volatility of an entry, what `note` was told; as long as nothing that was
        known at one of them has changed."""

    def at(self, now_ms: int, volatility: float) -> tuple[Response, Standing | None]:
        """Return the response of an entry, and the account at the start of its UTC day.

        Parameters
        ----------
        now_ms
            Moment of the entry; only trades known strictly before it count.
        volatility
            Of its situation, 0.0 where it is unknown.
        """
        known = self._of_day
        if known is None or known[0] != self._recall.version or not known[1] <= now_ms < known[2]:
            return self._read(now_ms, volatility)
        n_known = self._n_asked = len(self._known_ms)
        return self._sums.response(n_known, volatility), known[3]

    def _read(self, now_ms: int, volatility: float) -> tuple[Response, Standing | None]:
        """Take in what is new, and do what `at` does."""
        version, is_all = self._recall.version, False
        while not is_all:  # page by page
            n_kept, entries, is_all = self._read_on(now_ms)
            n_kept -= self._n_earlier
            if not entries and n_kept == len(self._known_ms):
                continue
            if self._kept_ms != _EVER and self._reaches_back(n_kept, entries):
                self._start_over()
                is_all = False
                continue
            if n_kept < len(self._known_ms):
                self._keep(n_kept)
            if isinstance(entries, EntryColumns):
                self._take_in_columns(entries)
            else:
                self._take_in(entries)
        known_ms = self._known_ms
        is_latest = not known_ms or known_ms[-1] < now_ms
        n_known = self._n_asked = len(known_ms) if is_latest else bisect_left(known_ms, now_ms)
        if now_ms < self._kept_ms:
            self._start_over()
            return self._read(now_ms, volatility)
        response = self._sums.response(n_known, volatility)
        standing = None if self._account is None else self._narrow(self._account, now_ms, n_known)
        if is_latest and self.n_known == len(self._recall):
            day_ms = now_ms - now_ms % MS_PER_DAY
            since_ms = max(day_ms, known_ms[-1] + 1) if known_ms else day_ms
            self._of_day = version, since_ms, day_ms + MS_PER_DAY, standing
        return response, standing

    def _narrow(self, account: Account, now_ms: int, n_known: int) -> Standing:
        standing, room = account.at(now_ms), self._stakes.room(n_known)
        if standing.room == room:
            return standing
        if self._day is not standing or self._narrowed is None or self._narrowed.room != room:
            self._day, self._narrowed = standing, tuple.__new__(Standing, (*standing[:-1], room))
        return self._narrowed

    @property
    def n_known(self) -> int:
        """How many trades are taken in."""
        return self._n_earlier + len(self._known_ms)

    def checkpoint(self) -> Checkpoint | None:
        """Return what a later start can `restore`; None where not all trades are taken in."""
        known_ms = self._known_ms
        if not known_ms or self._account is None:
            return None
        day = max((known_ms[-1] - _KEPT_MS) // MS_PER_DAY, self._kept_ms // MS_PER_DAY)
        n = bisect_left(known_ms, day * MS_PER_DAY)
        n_counted = self._n_counted[n]
        n_all, digest = self._digest(known_ms[-1] + 1)
        after = self._account.after(n_counted, day)
        if after is None or n_all != self.n_known:
            return None
        days, columns = after
        counted = array("i", [each - n_counted for each in self._n_counted[n:]])
        others = [known_ms[n:].tobytes(), counted.tobytes()]
        parts = [*others, *self._sums.after(n), *self._stakes.after(n), *columns]
        return Checkpoint(n_all, digest, self._n_earlier + n, day * MS_PER_DAY, days, parts)

    def restore(self, checkpoint: Checkpoint) -> int:
        """Begin with a checkpoint, if it is of the trades that are known; return how many."""
        n_all, digest, n_earlier, kept_ms, days, parts = checkpoint
        known_ms = array("q", parts[0])
        if self._account is None or self._digest(known_ms[-1] + 1) != (n_all, digest):
            return 0
        self._begin()
        self._known_ms, self._n_counted = known_ms, array("i", parts[1])
        self._sums.restore(*parts[2:4])
        self._stakes.restore(parts[4])
        self._account.restore(days, parts[5:])
        self._n_earlier, self._kept_ms = n_earlier, kept_ms
        self._reader.skip(n_all, known_ms[-1] + 1)
        return n_all

    def _digest(self, now_ms: int) -> tuple[int, str]:
        assert isinstance(self._recall, Recall)  # noqa: S101 - only a bot has checkpoints
        return self._recall.digest(now_ms)

    def _reaches_back(self, n_kept: int, entries: Sequence[ClosedEntry] | EntryColumns) -> bool:
        """Return whether a change or an entry is earlier than what a checkpoint keeps.

        `n_kept` is without the trades that are in its sums alone.
        """
        if n_kept < 0:
            return True
        kept_ms = self._kept_ms
        if isinstance(entries, EntryColumns):
            return bool(min(entries.open_ms.min(), entries.known_ms[0]) < kept_ms)
        return any(min(each.open_ms, each.known_ms) < kept_ms for each in entries)

    def _start_over(self) -> None:
        self._reader.start_over()
        self._begin()

    def note(
        self, now_ms: int, volatility: float, multiplier: float, moved: float, account: Standing
    ) -> None:
        """Keep what the only expert said at the moment that `at` was just asked about.

        A trade that was opened then is taken in without working it out again.

        Parameters
        ----------
        now_ms, volatility
            As in `at`.
        multiplier
            The expert's.
        moved
            How far the stake was moved from the mean one, see `Standing.held_back`.
        account
            At that moment.
        """
        if len(self._noted) >= _MOST_NOTED:  # entries that were not filled, or not then
            self._noted.clear()
        said = self._n_asked, multiplier, moved, account.usual_result
        self._noted[now_ms, volatility] = said

    def _keep(self, n_kept: int) -> None:
        self._noted.clear()
        del self._known_ms[n_kept:]
        self._sums.keep(n_kept)
        self._stakes.keep(n_kept)
        del self._n_counted[n_kept + 1 :]
        if self._account is not None:
            self._account.keep(self._n_counted[n_kept])

    def _take_in(self, entries: Sequence[ClosedEntry]) -> None:
        account, noted, all_known_ms = self._account, self._noted, self._known_ms
        for entry in entries:
            known_ms, open_ms, ratio, weight, volatility, _, _, _ = entry
            moved = usual = 0.0
            if account is not None and weight > 0.0:
                # A trade is known after it was opened, so the trades known then are there.
                opened_ms = min(known_ms, open_ms)
                n_known = bisect_left(all_known_ms, opened_ms)
                said = noted.pop((opened_ms, volatility), None)
                if said is not None and said[0] == n_known and weight == 1.0:
                    _, multiplier, moved, usual = said
                    multipliers: Sequence[float] = (multiplier,)
                else:
                    response = self._sums.response(n_known, volatility)
                    multipliers = self._ask(entry, response)
                    if weight == 1.0:  # memory had no part in the stakes of priors
                        standing, room = account.at(opened_ms), self._stakes.room(n_known)
                        usual = standing.usual_result
                        moved = standing.held_back(multipliers, room)[1]
                account.add(known_ms, ratio, weight, multipliers)
            self._stakes.add(moved, ratio / usual if usual > 0.0 else 0.0)
            self._sums.add(entry)
            all_known_ms.append(known_ms)
            self._n_counted.append(self._n_counted[-1] + (weight > 0.0))

    def _take_in_columns(self, page: EntryColumns) -> None:
        """Do what `_take_in` does, with the same result to the last bit."""
        known_ms, open_ms, ratios, weights, volatility, *_ = page
        counts = weights > 0.0
        opened_ms = np.minimum(open_ms, known_ms)
        self._known_ms.frombytes(known_ms.tobytes())
        # These are before the trade in the order, as it is known after it was opened.
        n_known = np.searchsorted(np.frombuffer(self._known_ms, np.int64), opened_ms)
        logs = logs_of(volatility)
        self._sums.extend(page, logs)
        wanted = results = np.zeros(len(counts))
        if self._account is not None and counts.any():
            # Of all first: the sums do not depend on the account, and days are closed when asked.
            said = self._ask_all(self._sums.multipliers(n_known, logs))
            its_said = [each[counts] for each in said]
            self._account.extend(known_ms[counts], ratios[counts], weights[counts], its_said)
            has_stake = weights == 1.0  # memory had no part in the stakes of priors
            wanted, usual = _wanted(self._account, opened_ms // MS_PER_DAY, said)
            is_usual = has_stake & (usual > 0.0)
            results = np.where(is_usual, ratios, 0.0) / np.where(is_usual, usual, 1.0)
        self._stakes.extend(wanted, results, n_known)
        n_counted = self._n_counted[-1] + np.cumsum(counts)
        self._n_counted.frombytes(n_counted.astype("i").tobytes())


def _wanted(
    account: Account, days: NDArray[np.int64], said: Sequence[NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far stakes want to be from the mean one, and the usual results, by UTC day."""
    different, which = np.unique(days, return_inverse=True)
    standings = [account.at(day * MS_PER_DAY) for day in different.tolist()]
    wanted = np.zeros(len(days))
    by_expert = zip(*(standing.shares.values() for standing in standings), strict=True)
    for multipliers, shares in zip(said, by_expert, strict=True):
        weight, _, mean = np.array(shares)[which].T
        wanted += weight * (multipliers / mean - 1.0)
    return wanted, np.array([standing.usual_result for standing in standings])[which]
