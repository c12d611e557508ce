"""What is told apart below a strategy, and the groups that a trade or an entry belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freqtrade_mem0.insight import Key

_COMBINES = "*"
_OWN = ("pair", "side", "enter_tag")


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
        parts = {level: tuple(level.split(_COMBINES)) for level in self.names}
        single = (name for names in parts.values() for name in names)
        self._features = tuple(dict.fromkeys(name for name in single if name not in _OWN))
        self._parts = tuple(parts.items())

    def keys(
        self, pair: str, side: str, enter_tag: str, situation: Mapping[str, float | str]
    ) -> list[Key]:
        """Return the level keys of a trade; a level it has no value for is left out."""
        values = {"pair": pair, "side": side, "enter_tag": enter_tag}
        for name in self._features:
            value = situation.get(name, "")
            values[name] = value if type(value) is str else str(value)
        keys = []
        for level, parts in self._parts:
            if len(parts) == 1:
                text = values[level]
                if text:
                    keys.append((level, text))
            else:
                texts = [values[name] for name in parts]
                if all(texts):
                    keys.append((level, " & ".join(texts)))
        return keys

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
