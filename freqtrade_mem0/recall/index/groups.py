"""The groups of a strategy's trades, found by the values of a trade or an entry."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.recall.index.columns import MISSING
from freqtrade_mem0.recall.index.sums import Sums

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from freqtrade_mem0.insight.shrinkage import Key
    from freqtrade_mem0.recall.index.levels import Levels, Values
    from freqtrade_mem0.recall.index.sums import Plain

STRATEGY: Key = ("strategy", "")
_FOREIGN = "~"
"""Before the level of a group of other machines' trades, which have groups of their own."""


def foreign_key(key: Key) -> Key:
    """Return the key of the same group of other machines' trades."""
    return _FOREIGN + key[0], key[1]


def own_key(key: Key) -> Key:
    """Return the key of a group without the mark of other machines' trades."""
    return key[0].removeprefix(_FOREIGN), key[1]


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
    """The groups of one strategy, by number and by level and value.

    Number 0 are all trades of this machine, number 1 all trades of others.
    """

    def __init__(self, levels: Levels) -> None:
        self._levels = levels
        self._by_key: dict[Key, Sums] = {}
        self.by_number: list[Sums] = []
        self.places = [
            LevelIndex(level, levels.parts_of[level], itemgetter(*places), {})
            for level, places in levels.places
        ]
        """In the order of the levels. `Recall.of_entry` reads it directly, to save calls."""
        self.put(STRATEGY)
        self.put(foreign_key(STRATEGY))

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

    def restore(self, groups: Iterable[tuple[Key, tuple[Key, ...], Plain]]) -> None:
        """Take the groups of a snapshot in place of none."""
        self._by_key.clear()
        self.by_number.clear()
        for key, inside, plain in groups:
            self.put(key, inside).plain = plain

    def numbers(self, values: Values, *, is_foreign: bool = False) -> tuple[int, ...]:
        """Return by level the number of a trade's group, `MISSING` where it has no value.

        New groups are added.
        """
        if is_foreign:
            return self.numbers_of(tuple(map(foreign_key, self._levels.keys(values))))
        found = []
        for place in self.places:
            _, _, made_of, known = place
            sums = known.get(made_of(values))
            found.append(self._number(place, values) if sums is None else sums.number)
        return tuple(found)

    def numbers_of(self, keys: tuple[Key, ...]) -> tuple[int, ...]:
        """Return by level the number of the group among a trade's `keys`; new groups are added."""
        number_of = {own_key(key)[0]: self._number_of(key, keys) for key in keys}
        return tuple(number_of.get(level, MISSING) for level in self._levels.names)

    def _number(self, place: LevelIndex, values: Values) -> int:
        value, sums = self.found(place, values)
        if not value:
            return MISSING
        if sums is None:
            return self._number_of((place.level, value), self._levels.keys(values))
        return sums.number

    def _number_of(self, key: Key, keys: tuple[Key, ...]) -> int:
        sums = self._by_key.get(key)
        if sums is None:
            inside = self._levels.inside(own_key(key), tuple(map(own_key, keys)))
            if own_key(key) != key:
                inside = tuple(map(foreign_key, inside))
            sums = self.put(key, inside)
        return sums.number
