"""What is told apart below a strategy, and the groups that a trade or an entry belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freqtrade_mem0.insight import Key

_COMBINES = "*"
_OWN = ("pair", "side", "enter_tag")

Values = tuple[str, ...]
"""Texts of a trade's pair, side, tag and features; equal ones mean equal keys."""

N_REMEMBERED = 4_096
"""Situations whose keys are kept at hand; beyond it, all are put together anew."""


class Levels:
    """The levels of a strategy.

    Parameters
    ----------
    names
        `pair`, `side`, `enter_tag`, a feature's name, or several of these combined by `*`.
    """

    def __init__(self, names: Sequence[str]) -> None:
        # What others combine stands before them: what it explains is not counted again.
        self.names = tuple(sorted(names, key=lambda level: level.count(_COMBINES)))
        self.parts_of = {level: _parts_of(level, self.names) for level in self.names}
        """By combined level: the levels among these that it combines."""
        parts = {level: level.split(_COMBINES) for level in self.names}
        read = dict.fromkeys(name for names in parts.values() for name in names)
        self._features = tuple(name for name in read if name not in _OWN)
        place = {name: number for number, name in enumerate((*_OWN, *self._features))}
        self._places = [
            (level, tuple(place[name] for name in names)) for level, names in parts.items()
        ]
        self._keys_of: dict[Values, tuple[Key, ...]] = {}

    def values(
        self, pair: str, side: str, enter_tag: str, situation: Mapping[str, float | str]
    ) -> Values:
        """Return all that the keys of a trade are made of; "" where it has no value."""
        known: list[object] = [pair, side, enter_tag]
        known += [situation.get(name, "") for name in self._features]
        return tuple([value if type(value) is str else str(value) for value in known])

    def keys(self, values: Values) -> tuple[Key, ...]:
        """Return the level keys of a trade; a level it has no value for is left out."""
        # Few situations make up most trades, as long as no level is a number.
        keys = self._keys_of.get(values)
        if keys is None:
            if len(self._keys_of) >= N_REMEMBERED:
                self._keys_of.clear()
            keys = self._keys_of[values] = tuple(self._made(values))
        return keys

    def _made(self, values: Values) -> Iterator[Key]:
        for level, places in self._places:
            parts = [values[place] for place in places]
            if all(parts):
                yield level, " & ".join(parts)

    def inside(self, key: Key, keys: Sequence[Key]) -> tuple[Key, ...]:
        """Return the groups that one of a trade's is a part of.

        Parameters
        ----------
        key
            Which one.
        keys
            All of the same trade.
        """
        value_of = dict(keys)
        return tuple((name, value_of[name]) for name in self.parts_of[key[0]])


def _parts_of(level: str, levels: Sequence[str]) -> tuple[str, ...]:
    names = level.split(_COMBINES)
    return tuple(name for name in names if name in levels) if len(names) > 1 else ()
