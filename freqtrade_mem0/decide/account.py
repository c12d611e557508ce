"""Reads the response to volatility and memory's account as of an entry, from the known trades."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from freqtrade_mem0.insight.account import Account
from freqtrade_mem0.insight.response import EntrySums
from freqtrade_mem0.insight.stakes import StakeSums
from freqtrade_mem0.insight.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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
    """

    def __init__(
        self,
        recall: Recall,
        shares: Mapping[str, float],
        ask: Callable[[ClosedEntry, Response], Sequence[float]],
    ) -> None:
        self._read_on = recall.entries()
        self._ask = ask
        self._sums = EntrySums()
        self._account = Account(shares) if shares else None
        self._stakes = StakeSums(-self._account.floor if self._account else 0.0)
        self._known_ms: list[int] = []
        self._day: Standing | None = None
        self._narrowed: Standing | None = None
        """The same with less room for stakes: decisions in a row share it."""
        self._n_counted = [0]

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
        if entries or n_kept < len(known_ms):
            self._take_in(n_kept, entries)
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

    def _take_in(self, n_kept: int, entries: Sequence[ClosedEntry]) -> None:
        if n_kept < len(self._known_ms):
            del self._known_ms[n_kept:]
            self._sums.keep(n_kept)
            self._stakes.keep(n_kept)
            del self._n_counted[n_kept + 1 :]
            if self._account is not None:
                self._account.keep(self._n_counted[n_kept])
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
