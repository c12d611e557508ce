"""What is told apart below a strategy, and the groups that a trade or an entry belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freqtrade_mem0.insight.shrinkage import Key

_COMBINES = "*"
_COMBINED = " & "
_OWN = ("pair", "side", "enter_tag")

Values = tuple[str, ...]
"""Texts of a trade's pair, side, tag and features; equal ones mean equal keys."""


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
        self.places = [
            (level, tuple(place[name] for name in names)) for level, names in parts.items()
        ]
        """By level: where in a trade's values those are that its value is made of."""

    def values(
        self, pair: str, side: str, enter_tag: str, situation: Mapping[str, float | str]
    ) -> Values:
        """Return all that the keys of a trade are made of; "" where it has no value."""
        known: list[object] = [pair, side, enter_tag]
        known += [situation.get(name, "") for name in self._features]
        return tuple([value if type(value) is str else str(value) for value in known])

    def keys(self, values: Values) -> tuple[Key, ...]:
        """Return the level keys of a trade; a level it has no value for is left out."""
        made_of = ((level, [values[place] for place in places]) for level, places in self.places)
        return tuple([(level, _COMBINED.join(parts)) for level, parts in made_of if all(parts)])

    @staticmethod
    def value(made_of: str | tuple[str, ...]) -> str:
        """Return a trade's value at a level, from what it is made of; "" if some of it is missing.

        >>> Levels.value("calm"), Levels.value(("calm", "uptrend")), Levels.value(("calm", ""))
        ('calm', 'calm & uptrend', '')
        """
        if isinstance(made_of, str):
            return made_of
        return _COMBINED.join(made_of) if all(made_of) else ""

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
