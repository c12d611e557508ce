"""The fields of queries: the one table of names, units and meanings, also for the docs."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.query.wrong import WrongQueryError
from freqtrade_mem0.records.base import Category, Mode
from freqtrade_mem0.records.kinds import record_types
from freqtrade_mem0.words import mission

if TYPE_CHECKING:
    from collections.abc import Mapping


class Unit(StrEnum):
    """What the values of a field are."""

    TEXT = "text"
    NUMBER = "number"
    PERCENT = "percent of the stake"
    TIME = "time (UTC)"
    SWITCH = "true or false"
    OWN = "as it was stored"


class Place(StrEnum):
    """What is asked."""

    MEMORIES = "memories and records"
    LEDGER = "the ledger"


class Field(NamedTuple):
    """A field of queries."""

    unit: Unit
    keys: tuple[str, ...]
    """Metadata that holds its value, in its unit; one of them is enough."""
    meaning: str
    places: frozenset[Place] = frozenset(Place)
    choices: tuple[str, ...] = ()
    """All its values; () where they are open."""
    words: Mapping[str, str] = {}
    """Other words for values."""


_MEMORIES = frozenset({Place.MEMORIES})
_LEDGER = frozenset({Place.LEDGER})
_CHOICES = tuple(map(str, Category))

FIELDS: Mapping[str, Field] = {
    "strategy": Field(Unit.TEXT, ("strategy", "agent_id"), "the strategy's class name"),
    "pair": Field(Unit.TEXT, ("pair",), "as in BTC/USDT or BTC/USDT:USDT; small letters do, too"),
    "side": Field(Unit.TEXT, ("side",), "long or short", words=mission.SIDES),
    "enter_tag": Field(Unit.TEXT, ("enter_tag",), "the strategy's tag of the entry"),
    "exit_reason": Field(Unit.TEXT, ("exit_reason",), "why the trade was closed"),
    "mode": Field(Unit.TEXT, ("mode",), "the kind of run", choices=tuple(map(str, Mode))),
    "run_id": Field(Unit.TEXT, ("run_id",), "the backtest run or bot"),
    "trade_id": Field(Unit.TEXT, ("trade_id",), "the teller's own name of a trade; in the ledger "
                      "the id of its record"),
    "kind": Field(Unit.TEXT, ("kind",), "the kind of record", _MEMORIES, tuple(record_types()),
                  mission.KINDS),
    "type": Field(Unit.TEXT, ("type", "kind"), "the caller's own type, or the kind of record",
                  _MEMORIES, words=mission.KINDS),
    "category": Field(Unit.TEXT, ("category",), "one of the six", _MEMORIES, _CHOICES,
                      mission.CATEGORIES),
    "text": Field(Unit.TEXT, ("data",), "the text of the memory contains this", _MEMORIES),
    "event_type": Field(Unit.TEXT, ("event_type",), "the type of a risk event", _MEMORIES),
    "cause": Field(Unit.TEXT, ("cause",), "of a failed order: timed_out, cancelled, rejected, "
                   "not_placed", _MEMORIES),
    "why": Field(Unit.TEXT, ("why",), "an entry was not made: vetoed, refused, not_filled, no_slot",
                 _MEMORIES),
    "best_move": Field(Unit.NUMBER, ("best_move",), "what an entry that was not made would have "
                       "gained at best; a ratio", _MEMORIES),
    "worst_move": Field(Unit.NUMBER, ("worst_move",), "at worst", _MEMORIES),
    "last_move": Field(Unit.NUMBER, ("last_move",), "in the end", _MEMORIES),
    "timeframe": Field(Unit.TEXT, ("timeframe",), "of a backtest, as in 5m", _MEMORIES),
    "policy": Field(Unit.TEXT, ("policy",), "the sizing policy that decided", _LEDGER),
    "profit": Field(Unit.PERCENT, ("profit", "metrics.profit"), "profit after fees; also "
                    "`profit` and `metrics.profit` as they were stored"),
    "profit_ratio": Field(Unit.NUMBER, ("profit_ratio",), "profit after fees; 0.018 is 1.8 %"),
    "profit_abs": Field(Unit.NUMBER, ("profit_abs",), "profit in stake currency"),
    "stake_amount": Field(Unit.NUMBER, ("stake_amount",), "the stake in stake currency"),
    "leverage": Field(Unit.NUMBER, ("leverage",), "1 on spot"),
    "entry_slippage": Field(Unit.NUMBER, ("entry_slippage",), "a ratio; positive is a cost"),
    "exit_slippage": Field(Unit.NUMBER, ("exit_slippage",), "a ratio; positive is a cost"),
    "trades": Field(Unit.NUMBER, ("n_trades", "trades", "metrics.trades"), "how many trades a "
                    "backtest has", _MEMORIES),
    "win_rate": Field(Unit.NUMBER, ("win_rate", "metrics.win_rate"), "as it was stored", _MEMORIES),
    "multiplier": Field(Unit.NUMBER, ("multiplier",), "what the proposed stake was multiplied by",
                        _LEDGER),
    "proposed_stake": Field(Unit.NUMBER, ("proposed_stake",), "in stake currency", _LEDGER),
    "n_effective": Field(Unit.NUMBER, ("n_effective",), "how many trades were known", _LEDGER),
    "applied": Field(Unit.SWITCH, ("applied",), "false in shadow mode", _LEDGER),
    "is_evidence": Field(Unit.SWITCH, ("is_evidence",), "whether a trade counts as evidence"),
    "timestamp": Field(Unit.TIME, ("created_at", "timestamp"), "when it became known; in the "
                       "ledger, when it was decided"),
    "open_date": Field(Unit.TIME, ("open_ts",), "when the trade was opened"),
    "close_date": Field(Unit.TIME, ("close_ts",), "when the trade was closed"),
    "known_at": Field(Unit.TIME, ("known_ts",), "when it became known", _MEMORIES),
    "recorded_at": Field(Unit.TIME, ("recorded_ts",), "when it was noted", _MEMORIES),
    "start_date": Field(Unit.TIME, ("start_ts",), "the first candle of a backtest", _MEMORIES),
    "end_date": Field(Unit.TIME, ("end_ts",), "the last candle of a backtest", _MEMORIES),
}  # fmt: skip
"""Fields by name."""

OWN = "metadata."
"""Stands before a key of the caller's own metadata, where another field has its name, or none."""

ALIASES: Mapping[str, str] = {
    said: ours for said, ours in mission.TRADE_KEYS.items() if said not in FIELDS and ours in FIELDS
}
"""Other names of fields; a key of that name in a caller's own metadata is asked, too."""


def field_named(name: str, at: int, place: Place) -> Field:
    """Return the field that a query names at a position; `WrongQueryError` where there is none."""
    ours = ALIASES.get(name, name)
    field = FIELDS.get(ours)
    if field is not None:
        if place not in field.places:
            raise WrongQueryError(
                at, f"{name!r} is a field of {next(iter(field.places))}, and not of {place}."
            )
        return field._replace(keys=(*field.keys, name)) if ours != name else field
    if name.startswith("at_") or name in mission.KEPT_KEYS:
        return Field(Unit.OWN, (name,), "")
    own = name.removeprefix(OWN)
    if "." in name and own:
        return Field(Unit.OWN, (own,), "")
    hint = mission.did_you_mean(name.lower(), (*FIELDS, *ALIASES))
    raise WrongQueryError(
        at,
        f"There is no field {name!r}.{hint} A key of your own metadata is {OWN}{name}; a text with "
        "a colon needs quotes.",
    )


def is_field(name: str) -> bool:
    """Tell whether a name is that of a field of ours."""
    return name in FIELDS or name in ALIASES
