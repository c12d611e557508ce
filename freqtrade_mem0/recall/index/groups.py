"""The groups of trades below a strategy, found by what a trade or an entry is made of."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.recall.index.columns import MISSING
from freqtrade_mem0.recall.index.sums import Sums

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from freqtrade_mem0.insight.shrinkage import Key
    from freqtrade_mem0.recall.index.levels import Levels, Values

STRATEGY: Key = ("strategy", "")


class Place(NamedTuple):
    """A level, and where its groups are.

    Parameters
    ----------
    level
        Its name.
    inside
        Names of the levels that it combines.
    made_of
        Gives what its value is made of: a text, or the texts that it combines.
    known
        By what `made_of` gives: the sums of the groups that were asked for.
    """

    level: str
    inside: tuple[str, ...]
    made_of: Callable[[Values], str | tuple[str, ...]]
    known: dict[str | tuple[str, ...], Sums]


class Groups:
    """The groups of one strategy by number, 0 being the strategy itself, and by level and value.

    Parameters
    ----------
    levels
        What is told apart.
    """

    def __init__(self, levels: Levels) -> None:
        self._levels = levels
        self._by_key: dict[Key, Sums] = {}
        self.by_number: list[Sums] = []
        self.places = [
            Place(level, levels.parts_of[level], itemgetter(*places), {})
            for level, places in levels.places
        ]
        """In the order of the levels. A decision looks at all of them, so it does so itself."""

    def __iter__(self) -> Iterator[Sums]:
        return iter(self.by_number)

    def get(self, key: Key) -> Sums | None:
        """Return the sums of a group; None where no trade was ever in it."""
        return self._by_key.get(key)

    def put(self, key: Key, inside: tuple[Key, ...] = ()) -> Sums:
        """Add a group that is not there.

        Parameters
        ----------
        key
            Its level and value.
        inside
            The groups it is a part of.
        """
        sums = self._by_key[key] = Sums(key, len(self.by_number), inside)
        self.by_number.append(sums)
        return sums

    def found(self, place: Place, values: Values) -> tuple[str, Sums | None]:
        """Return the value of a trade at a level, "" if it has none, and the group if there is one.

        Parameters
        ----------
        place
            One of `places`, whose `known` did not have it.
        values
            What the trade is made of.
        """
        made_of = place.made_of(values)
        value = self._levels.value(made_of)
        if not value:
            return "", None
        sums = self._by_key.get((place.level, value))
        if sums is not None:
            place.known[made_of] = sums
        return value, sums

    def numbers(self, values: Values) -> tuple[int, ...]:
        """Return by level the number of a trade's group, `MISSING` where it has no value.

        Groups that are not there are added.

        Parameters
        ----------
        values
            What the trade is made of.
        """
        return tuple([self._number(place, values) for place in self.places])

    def _number(self, place: Place, values: Values) -> int:
        sums = place.known.get(place.made_of(values))
        if sums is None:
            value, sums = self.found(place, values)
            if not value:
                return MISSING
            if sums is None:
                return self.number_of((place.level, value), self._levels.keys(values))
        return sums.number

    def number_of(self, key: Key, keys: tuple[Key, ...]) -> int:
        """Return the number of a group, which is added if it is not there.

        Parameters
        ----------
        key
            Which one.
        keys
            All of the same trade.
        """
        sums = self._by_key.get(key)
        return self.put(key, self._levels.inside(key, keys)).number if sums is None else sums.number
