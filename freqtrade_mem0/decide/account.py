"""Reads the response to volatility and memory's account as of an entry, from the known trades."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.insight.account import MS_PER_DAY, Account
from freqtrade_mem0.insight.closed_entry import EntryColumns
from freqtrade_mem0.insight.response import EntrySums, logs_of
from freqtrade_mem0.insight.stakes import StakeSums
from freqtrade_mem0.insight.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from freqtrade_mem0.insight.closed_entry import ClosedEntry
    from freqtrade_mem0.insight.response import Response
    from freqtrade_mem0.recall import Recall


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
        recall: Recall,
        shares: Mapping[str, float],
        ask: Callable[[ClosedEntry, Response], Sequence[float]],
        ask_all: Callable[[NDArray[np.float64]], Sequence[NDArray[np.float64]]],
    ) -> None:
        self._read_on = recall.entries()
        self._ask, self._ask_all = ask, ask_all
        self._sums = EntrySums()
        self._account = Account(shares) if shares else None
        self._stakes = StakeSums(-self._account.floor if self._account else 0.0)
        self._known_ms = array("q")
        self._day: Standing | None = None
        self._narrowed: Standing | None = None
        """The same with less room for stakes: decisions in a row share it."""
        self._n_counted = array("i", [0])

    def at(self, now_ms: int, volatility: float) -> tuple[Response, Standing | None]:
        """Return the response of an entry, and the account at the start of its UTC day.

        Parameters
        ----------
        now_ms
            Moment of the entry; only trades known strictly before it count.
        volatility
            Of its situation, 0.0 where it is unknown.
        """
        n_kept, entries = self._read_on(now_ms)
        known_ms = self._known_ms
        while entries or n_kept < len(known_ms):  # page by page
            self._keep(n_kept)
            if isinstance(entries, EntryColumns):
                self._take_in_columns(entries)
            else:
                self._take_in(entries)
            n_kept, entries = self._read_on(now_ms)
        is_all = not known_ms or known_ms[-1] < now_ms
        n_known = len(known_ms) if is_all else bisect_left(known_ms, now_ms)
        response = self._sums.response(n_known, volatility)
        if self._account is None:
            return response, None
        standing, room = self._account.at(now_ms), self._stakes.room(n_known)
        if standing.room == room:
            return response, standing
        if self._day is not standing or self._narrowed is None or self._narrowed.room != room:
            self._day, self._narrowed = standing, tuple.__new__(Standing, (*standing[:-1], room))
        return response, self._narrowed

    def _keep(self, n_kept: int) -> None:
        if n_kept < len(self._known_ms):
            del self._known_ms[n_kept:]
            self._sums.keep(n_kept)
            self._stakes.keep(n_kept)
            del self._n_counted[n_kept + 1 :]
            if self._account is not None:
                self._account.keep(self._n_counted[n_kept])

    def _take_in(self, entries: Sequence[ClosedEntry]) -> None:
        account = self._account
        for entry in entries:
            known_ms, open_ms, ratio, weight, volatility, *_ = entry
            counts, moved, usual = weight > 0.0, 0.0, 0.0
            if account is not None and counts:
                # A trade is known after it was opened, so the trades known then are there.
                opened_ms = min(open_ms, known_ms)
                n_known = bisect_left(self._known_ms, opened_ms)
                response = self._sums.response(n_known, volatility)
                multipliers = self._ask(entry, response)
                if weight == 1.0:  # memory had no part in the stakes of priors
                    standing, room = account.at(opened_ms), self._stakes.room(n_known)
                    usual = standing.usual_result
                    moved = standing.held_back(multipliers, room)[1]
                account.add(known_ms, ratio, weight, multipliers)
            self._stakes.add(moved, ratio / usual if usual > 0.0 else 0.0)
            self._sums.add(entry)
            self._known_ms.append(known_ms)
            self._n_counted.append(self._n_counted[-1] + counts)

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
