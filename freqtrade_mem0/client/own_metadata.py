"""A caller's own metadata and filters: what they mean here, or why they can not be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.backends.filters import LOGICAL
from freqtrade_mem0.backends.payload import RESERVED_KEYS
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import Category, as_utc
from freqtrade_mem0.records.kinds import record_types
from freqtrade_mem0.words import mission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from freqtrade_mem0.records.memory import Scalar

_OURS = {
    "category": "the category of the memory",
    "strategy": "the strategy",
    "kind": "the kind of record",
    "mode": "the kind of run",
    "known_ts": "the time at which it became known",
    "recorded_ts": "the time at which it was noted",
    "schema_version": "the version of the record",
    "record": "the record itself",
}
"""Metadata that each of our memories has, and what it says."""

_FOUND_BY = {"pair", "side", "strategy", "profit_abs", "profit_ratio", "stake_amount", "enter_tag"}
"""Keys of a trade that Mem0's metadata has."""


def category_named(name: str) -> Category:
    """Return the category of this name or alias; raise `RecordError` naming the six otherwise."""
    try:
        return Category(mission.CATEGORIES.get(name, name))
    except ValueError:
        if any(map(str.isspace, str(name))):
            raise RecordError(
                f"The category is {name!r}. If that is what to look for, write query={name!r}."
            ) from None
        known = (*Category, *mission.CATEGORIES)
        raise RecordError(
            f"category {name!r} is unknown; the six are {', '.join(Category)}."
            f"{mission.did_you_mean(str(name), known)} Keep a name of your own under another key, "
            "such as 'topic'."
        ) from None


def flat(metadata: Mapping[str, Any], *, nan_is_none: bool = False) -> dict[str, Scalar]:
    """Return a caller's own metadata as Mem0 can keep it, nested values under names with dots.

    What is None is left out: it is not known. So is NaN where `nan_is_none`.

    >>> flat({"metrics": {"profit": 1.5, "pairs": ["A", "B"]}, "win": True, "fee": None})
    {'metrics.profit': 1.5, 'metrics.pairs.0': 'A', 'metrics.pairs.1': 'B', 'win': True}

    Raises
    ------
    RecordError
        A name is one that Mem0 or this memory uses itself, or a value can not be kept.
    """
    if not isinstance(metadata, Mapping):
        raise RecordError(f"metadata must be a mapping of names to values, got {metadata!r}.")
    flattened: dict[str, Scalar] = {}
    for key, value in _leaves(metadata, ""):
        if isinstance(value, float) and not isfinite(value):
            if nan_is_none:
                continue
            raise RecordError(f"metadata {key!r} must be a finite number, got {value!r}.")
        if key in flattened:
            raise RecordError(f"metadata {key!r} is given twice; choose another name for one.")
        flattened[key] = value
    for key in flattened:
        if key in _OURS:
            raise RecordError(
                f"metadata {key!r} is {_OURS[key]} here; choose another name, as in 'my_{key}'."
            )
        if key in RESERVED_KEYS:
            raise RecordError(
                f"metadata {key!r} is a name Mem0 keeps for itself; choose another, as in "
                f"'my_{key}'."
            )
    return flattened


def understood(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a caller's filter with the other names of keys and values beside his own.

    >>> understood({"asset": "BTC/USD", "category": "preferences"})
    {'category': 'user_preferences', 'AND': [{'OR': [{'asset': 'BTC/USD'}, {'pair': 'BTC/USD'}]}]}
    """
    if not isinstance(filters, Mapping):
        raise RecordError(f"filters must be a mapping of keys to values, got {filters!r}.")
    own: dict[str, Any] = {}
    either: list[dict[str, Any]] = []
    for key, wanted in filters.items():
        if key in LOGICAL and isinstance(wanted, Sequence) and not isinstance(wanted, str):
            nested = [understood(each) if isinstance(each, Mapping) else each for each in wanted]
            own[key] = nested
        elif key == "category":
            own[key] = _translated(wanted, lambda name: str(category_named(name)))
        elif key == "kind":
            own[key] = _translated(wanted, _kind_named)
        elif (other := _other_condition(key, wanted)) is not None:
            either.append({"OR": [{key: wanted}, other]})
        else:
            own[key] = wanted
    if not either:
        return own
    if "AND" in own:
        return {**own, "AND": [*own["AND"], *either]}
    return {**own, "AND": either}


def _other_condition(key: str, wanted: Any) -> dict[str, Any] | None:
    """Return the condition on our own key that means the same; None where there is none."""
    if key == "type":
        kind = mission.KINDS.get(wanted, wanted) if isinstance(wanted, str) else None
        return {"kind": kind} if kind in record_types() else None
    if key == "timestamp":
        return {"created_at": wanted}
    ours = mission.TRADE_KEYS.get(key)
    if ours not in _FOUND_BY:
        return None
    if ours == "side":
        return {ours: _translated(wanted, lambda name: mission.SIDES.get(name.lower(), name))}
    return {ours: wanted}


def _translated(wanted: Any, word: Callable[[str], str]) -> Any:
    """Translate the text or texts that a condition compares with; ranges and the like stay."""
    if wanted == "*":
        return wanted
    if isinstance(wanted, str):
        return word(wanted)
    if isinstance(wanted, Mapping):
        same = ("eq", "ne", "in", "nin")
        return {op: _translated(each, word) if op in same else each for op, each in wanted.items()}
    if isinstance(wanted, Sequence):
        return [_translated(each, word) for each in wanted]
    return wanted


def _kind_named(name: str) -> str:
    kind, known = mission.KINDS.get(name, name), tuple(record_types())
    if kind not in known:
        raise RecordError(
            f"kind {name!r} is unknown; there are {', '.join(known)}."
            f"{mission.did_you_mean(name, (*known, *mission.KINDS))}"
        )
    return kind


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Scalar]]:
    if value is None:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str) or not key:
                raise RecordError(f"metadata has the name {key!r}; names must be texts.")
            yield from _leaves(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{name}.{number}")
    elif isinstance(value, datetime):
        yield name, as_utc(value).isoformat()
    else:
        yield name, _scalar(value, name)


def _scalar(value: Any, name: str) -> Scalar:
    if not isinstance(value, str | bool | int | float):
        as_python = getattr(value, "item", None)  # NumPy's numbers
        value = as_python() if callable(as_python) else value
    if not isinstance(value, str | int | float | bool):
        raise RecordError(
            f"metadata {name!r} must be text, a number, a truth value or a time, or a list or "
            f"mapping of them, got {value!r}."
        )
    return value
