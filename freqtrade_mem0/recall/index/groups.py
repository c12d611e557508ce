"""The groups of a strategy's trades, found by the values of a trade or an entry."""

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


class LevelIndex(NamedTuple):
    """A level and its groups.

    Parameters
    ----------
    level
        Its name.
    inside
        Names of the levels that it combines.
    made_of
        Returns the part of a trade's values that determines the group: a text, or several.
    known
        By the result of `made_of`, the groups that were looked up.
    """

    level: str
    inside: tuple[str, ...]
    made_of: Callable[[Values], str | tuple[str, ...]]
    known: dict[str | tuple[str, ...], Sums]


class Groups:
    """The groups of one strategy by number, 0 being the strategy itself, and by level and value."""

    def __init__(self, levels: Levels) -> None:
        self._levels = levels
        self._by_key: dict[Key, Sums] = {}
        self.by_number: list[Sums] = []
        self.places = [
            LevelIndex(level, levels.parts_of[level], itemgetter(*places), {})
            for level, places in levels.places
        ]
        """In the order of the levels. `Recall.of_entry` reads it directly, to save calls."""

    def __iter__(self) -> Iterator[Sums]:
        return iter(self.by_number)

    def get(self, key: Key) -> Sums | None:
        """Return a group; None where no trade was ever in it."""
        return self._by_key.get(key)

    def put(self, key: Key, inside: tuple[Key, ...] = ()) -> Sums:
        """Add a new group; `inside` are the groups it is a subset of."""
        sums = self._by_key[key] = Sums(key, len(self.by_number), inside)
        self.by_number.append(sums)
        return sums

    def found(self, place: LevelIndex, values: Values) -> tuple[str, Sums | None]:
        """Return the value of a trade at a level, "" if it has none, and the group if there is one.

        For a trade that `place.known` does not have yet.
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

        New groups are added.
        """
        return tuple([self._number(place, values) for place in self.places])

    def _number(self, place: LevelIndex, values: Values) -> int:
        sums = place.known.get(place.made_of(values))
        if sums is None:
            value, sums = self.found(place, values)
            if not value:
                return MISSING
            if sums is None:
                return self.number_of((place.level, value), self._levels.keys(values))
        return sums.number

    def number_of(self, key: Key, keys: tuple[Key, ...]) -> int:
        """Return the number of a group of a trade with the groups `keys`; a new group is added."""
        sums = self._by_key.get(key)
        return self.put(key, self._levels.inside(key, keys)).number if sums is None else sums.number
