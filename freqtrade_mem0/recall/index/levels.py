"""The levels by which trades are grouped, and the groups a trade or an entry belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freqtrade_mem0.insight.shrinkage import Key

_COMBINES = "*"
_COMBINED = " & "
_FEATURES_OF = {"regime": ("volatility_regime", "trend_regime")}
"""Features that are combinations of others."""
_OWN = ("pair", "side", "enter_tag")
_BUCKET = "_bucket"
"""A feature is told apart by its bucket, where the situation has one."""

Values = tuple[str, ...]
"""A trade's pair, side, tag and features as texts; they determine its groups."""


class Levels:
    """The levels of a strategy.

    Parameters
    ----------
    names
        `pair`, `side`, `enter_tag`, a feature's name, or several of these combined by `*`.
    """

    def __init__(self, names: Sequence[str]) -> None:
        # Combined levels come after their parts, whose effect is subtracted from theirs.
        self.names = tuple(sorted(names, key=lambda level: len(_made_of(level))))
        self.parts_of = {level: _parts_of(level, self.names) for level in self.names}
        """By level, the levels among these whose groups its groups are subsets of."""
        parts = {level: level.split(_COMBINES) for level in self.names}
        read = dict.fromkeys(name for names in parts.values() for name in names)
        self._features = tuple(name for name in read if name not in _OWN)
        self._buckets = tuple((name, name + _BUCKET) for name in self._features)
        self.reads = frozenset(name for each in self._buckets for name in each)
        """Names of the features that determine a trade's groups."""
        place = {name: number for number, name in enumerate((*_OWN, *self._features))}
        self.places = [
            (level, tuple(place[name] for name in names)) for level, names in parts.items()
        ]
        """By level, the places in `Values` that its value is made of."""

    def values(
        self, pair: str, side: str, enter_tag: str, situation: Mapping[str, float | str]
    ) -> Values:
        """Return the texts that determine a trade's groups; "" where it has no value."""
        known: list[object] = [pair, side, enter_tag]
        get = situation.get
        known += [get(bucket) or get(name, "") for name, bucket in self._buckets]
        return tuple([value if type(value) is str else str(value) for value in known])

    def keys(self, values: Values) -> tuple[Key, ...]:
        """Return the groups of a trade; a level that it has no value for is left out."""
        made_of = ((level, [values[place] for place in places]) for level, places in self.places)
        return tuple([(level, _COMBINED.join(parts)) for level, parts in made_of if all(parts)])

    @staticmethod
    def value(made_of: str | tuple[str, ...]) -> str:
        """Return a trade's value at a level from its parts; "" if one of them is missing.

        >>> Levels.value("calm"), Levels.value(("calm", "uptrend")), Levels.value(("calm", ""))
        ('calm', 'calm & uptrend', '')
        """
        if isinstance(made_of, str):
            return made_of
        return _COMBINED.join(made_of) if all(made_of) else ""

    def inside(self, key: Key, keys: Sequence[Key]) -> tuple[Key, ...]:
        """Return the groups among a trade's `keys` that the group `key` of it is a subset of."""
        value_of = dict(keys)
        return tuple((name, value_of[name]) for name in self.parts_of[key[0]] if name in value_of)


def _parts_of(level: str, levels: Sequence[str]) -> tuple[str, ...]:
    made_of = _made_of(level)
    return tuple(other for other in levels if _made_of(other) < made_of)


def _made_of(level: str) -> frozenset[str]:
    names = level.split(_COMBINES)
    return frozenset(part for name in names for part in _FEATURES_OF.get(name, (name,)))
