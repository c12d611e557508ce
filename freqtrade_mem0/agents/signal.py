"""Reads the signal that an agent asks about, and says what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from freqtrade_mem0.agents.pairs import meant_pair
from freqtrade_mem0.words import mission
from freqtrade_mem0.words.visible import brief

_KEYS = {
    **{key: ours for key, ours in mission.TRADE_KEYS.items() if ours in {"pair", "side"}},
    "signal": "side",
    "pair": "pair",
    "market": "pair",
    "ticker": "pair",
    "side": "side",
    "strategy": "strategy",
    "strategy_name": "strategy",
    "enter_tag": "enter_tag",
    "entry_tag": "enter_tag",
    "tag": "enter_tag",
    "setup": "enter_tag",
}
"""Keys of a signal -> ours, in small letters."""

_SITUATIONS = ("situation", "features", "indicators", "market_conditions", "market_context")
"""Keys whose value is a mapping of features."""

_NO_ENTRY = ("hold", "wait", "neutral", "none", "flat", "close", "exit", "sell_to_close", "skip")
_CLOSE_NAME = 0.8


def problem(key: str, value: object, rule: str) -> dict[str, str]:
    """Return what is wrong with one value, for the answer."""
    return {"key": brief(key)[1:-1], "value": brief(value), "rule": rule}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A proposed entry, as far as it could be read.

    Parameters
    ----------
    pair, side
        "" where it can not be read.
    action
        What was said of the side.
    strategy
        None where none is named.
    enter_tag
        "" where there is none.
    situation
        Features by name.
    problems
        What was wrong: `key`, `value` and `rule`.
    guesses
        What was guessed, as sentences.
    """

    pair: str = ""
    side: str = ""
    action: str = ""
    strategy: str | None = None
    enter_tag: str = ""
    situation: Mapping[str, float | str] = field(default_factory=dict)
    problems: Sequence[Mapping[str, str]] = ()
    guesses: Sequence[str] = ()


def named_strategy(given: object) -> str | None:
    """Return the strategy that a signal names, or None."""
    if not isinstance(given, Mapping):
        return None
    named = given.get("strategy") or given.get("strategy_name")
    return (named.strip() or None) if isinstance(named, str) else None


def read_signal(
    given: object, pairs: Sequence[str], features: Sequence[str], sides: Sequence[str]
) -> Signal:
    """Read a signal; nothing in it raises.

    Parameters
    ----------
    given
        A mapping that names at least a pair.
    pairs
        Known pairs, the preferred ones first.
    features
        Features that levels or known trades have.
    sides
        Sides of known trades; where the signal says none and there is one, that is taken.
    """
    if not isinstance(given, Mapping):
        return Signal(problems=[problem("signal", given, "must be a mapping of keys to values")])
    told, situation, problems = _sorted_out(given, features)
    guesses: list[str] = []
    pair = ""
    if not isinstance(symbol := told.get("pair"), str) or not symbol.strip():
        problems.append(problem("pair", symbol, "must name a pair, as in 'BTC/USDT'"))
    else:
        meant = meant_pair(symbol, pairs)
        pair = meant.pair
        guesses += [meant.guess] * bool(meant.guess)
        if meant.problem:
            problems.append(problem("pair", symbol, meant.problem))
    action = told.get("side")
    side = _side(action, problems)
    if action is None:
        side = sides[0] if len(sides) == 1 else "long"
        guesses.append(f"No side is said; {side} is taken.")
    texts = {name: _text(name, told.get(name), problems) for name in ("strategy", "enter_tag")}
    return Signal(
        pair=pair,
        side=side,
        action="" if action is None else str(action),
        strategy=texts["strategy"] or None,
        enter_tag=texts["enter_tag"],
        situation=situation,
        problems=problems,
        guesses=guesses,
    )


def _sorted_out(
    given: Mapping[Any, Any], features: Sequence[str]
) -> tuple[dict[str, Any], dict[str, float | str], list[dict[str, str]]]:
    told: dict[str, Any] = {}
    described: dict[str, Any] = {}
    problems: list[dict[str, str]] = []
    for key, value in given.items():
        name = str(key).strip().lower()
        if value is None:
            continue
        if name in _KEYS:
            told.setdefault(_KEYS[name], value)
        elif name in _SITUATIONS:
            if isinstance(value, Mapping):
                described |= {str(each): inner for each, inner in value.items()}
            else:
                rule = "must be a mapping of features to values"
                problems.append(problem(name, value, rule))
        elif key in features:
            described[str(key)] = value
        elif hint := mission.did_you_mean(name, tuple(_KEYS), _CLOSE_NAME):
            problems.append(problem(str(key), value, f"is not a key of a signal.{hint}"))
    return told, _features(described, features, problems), problems


def _features(
    described: Mapping[str, Any], known: Sequence[str], problems: list[dict[str, str]]
) -> dict[str, float | str]:
    """Return the features that can be used; what is wrong with others goes into `problems`."""
    situation: dict[str, float | str] = {}
    for name, value in described.items():
        if name not in known:
            hint = mission.did_you_mean(name, tuple(known))
            rule = f"is a feature that no level and no known trade has; it does not count.{hint}"
            problems.append(problem(name, value, rule))
        elif isinstance(value, str):
            situation[name] = value
        elif isinstance(value, bool) or not isinstance(value, int | float):
            problems.append(problem(name, value, "must be a number or a text"))
        elif not _is_finite(value):
            problems.append(problem(name, value, "must be a finite number"))
        else:
            situation[name] = float(value)
    return situation


def _is_finite(value: float) -> bool:
    try:
        return isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def _side(action: object, problems: list[dict[str, str]]) -> str:
    if action is None:
        return ""
    name = action.strip().lower() if isinstance(action, str) else ""
    if name in mission.SIDES:
        return mission.SIDES[name]
    rule = "must be BUY or LONG, SELL or SHORT: what opens the trade"
    if name in _NO_ENTRY:
        rule = "opens no trade, so there is no stake to size"
    problems.append(problem("side", action, rule))
    return ""


def _text(name: str, value: object, problems: list[dict[str, str]]) -> str:
    if value is None or isinstance(value, str):
        return (value or "").strip()
    problems.append(problem(name, value, "must be a text"))
    return ""
