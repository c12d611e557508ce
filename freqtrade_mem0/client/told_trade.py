"""The record of a trade that a person or a tool tells of: what is not told stays unknown."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from freqtrade_mem0.client.own_metadata import category_named, flat
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import Category, as_utc, record_id, to_ms
from freqtrade_mem0.records.codec import validated
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.records.mapping import CLOCK_SKEW
from freqtrade_mem0.records.told import Told
from freqtrade_mem0.words import mission

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freqtrade_mem0.records.base import Origin

_NUMBERS = (
    "open_rate",
    "close_rate",
    "amount",
    "stake_amount",
    "max_stake_amount",
    "leverage",
    "fee_open",
    "fee_close",
    "funding_fees",
    "profit_ratio",
    "profit_abs",
    "n_entries",
    "n_exits",
)
_PLACEHOLDERS: dict[str, Any] = {
    **dict.fromkeys(_NUMBERS, 0),
    "leverage": 1.0,
    "side": "",
    "enter_tag": "",
    "exit_reason": "",
}
_SET_BY_US = ("id", "origin", "known_at", "recorded_at", "decision_id", "told")
_OURS = {field.name for field in fields(TradeRecord)} - set(_SET_BY_US)
_KNOWN = (*_OURS, "strategy", "trade_id", "duration_minutes", *mission.TRADE_KEYS)
_PERCENTAGES = ("profit_pct", "profit_percent", "pnl_pct", "pnl_percent")
"""Keys of a profit ratio in per cent."""

_CLOSE_NAME = 0.84
"""How much alike a key and one of ours must be for it to be taken for a mistyped one."""

_COSTS = 0.02
"""The largest share of a stake by which costs may turn a gain of the price into a loss."""


def told_trade(
    trade: Mapping[str, Any],
    origin_of: Callable[[str | None], Origin],
    earlier: Callable[[str], TradeRecord | None],
) -> TradeRecord:
    """Return the record of a trade that somebody told; see `TradeMemory.record_trade`.

    Parameters
    ----------
    trade
        What was told, under our names or those of `words.mission`.
    origin_of
        Returns the origin of a strategy's records.
    earlier
        Returns the trade recorded under an id, if any. What it knows of the time stays where this
        one does not say it.
    """
    told, said, extras = _sorted_out(trade)
    strategy, trade_id = told.pop("strategy", None), _text(told, "trade_id")
    origin = origin_of(None if strategy is None else str(strategy))
    _set_side(told, extras)
    numbers = {key: _number(said[key], told.pop(key)) for key in _NUMBERS if key in told}
    _leave_out_zeros(numbers)
    _set_ratio(numbers, told.get("side", ""))
    if "stake_amount" in numbers:
        numbers.setdefault("max_stake_amount", numbers["stake_amount"])
    known = told | numbers
    now = datetime.now(UTC)
    named = record_id("trade", origin.user_id, origin.mode, origin.strategy, "", trade_id)
    before = earlier(named) if trade_id else None
    has_time = bool({"open_date", "close_date", "duration_minutes"} & told.keys())
    unknown = {name for name in (*_NUMBERS, "side") if name not in known}
    unknown |= _set_times(known, now, before)
    draft = validated(
        TradeRecord,
        _PLACEHOLDERS
        | known
        | {
            "id": named,
            "origin": origin,
            "known_at": known["close_date"],
            "recorded_at": now,
            "is_evidence": "profit_ratio" not in unknown and known.get("is_evidence", True),
            "told": Told(trade_id=trade_id, unknown=tuple(sorted(unknown)), metadata=flat(extras)),
        },
    )
    if trade_id:
        return draft
    # Without a name, the time at which it was opened tells it from others.
    when = to_ms(draft.open_date) if has_time and "open_date" not in unknown else uuid4().hex
    identity = ("trade", origin.user_id, origin.mode, origin.strategy, draft.pair, draft.side, when)
    return replace(draft, id=record_id(*identity))


def _sorted_out(
    trade: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, str], dict[str, Any]]:
    """Return what is known of a trade under our names, their names for it, and other keys."""
    told: dict[str, Any] = {}
    said: dict[str, str] = {}
    extras: dict[str, Any] = {}
    for key, value in trade.items():
        ours = mission.TRADE_KEYS.get(key, key)
        if key in _PERCENTAGES:
            ours = "profit_ratio"
        if key == "category" and category_named(value) is Category.STRATEGY_PERFORMANCE:
            continue
        if ours not in _KNOWN:
            if key not in mission.KEPT_KEYS:
                hint = mission.did_you_mean(str(key).lower(), _KNOWN, _CLOSE_NAME)
                if hint:
                    raise RecordError(f"{key!r} is not a key of a trade.{hint}")
            extras[key] = value
        elif value is not None:
            meant = _number(key, value) / 100 if key in _PERCENTAGES else value
            if ours in told and told[ours] != meant:
                raise RecordError(
                    f"{said[ours]!r} and {key!r} of a trade are the same, but one says "
                    f"{told[ours]!r} and the other {meant!r}. Leave one of them out."
                )
            told[ours], said[ours] = meant, key
    if not told.get("pair"):
        raise RecordError(
            f"A trade needs 'pair' (or 'asset'); got {', '.join(map(str, trade)) or 'nothing'}."
        )
    return told, said, extras


def _set_side(told: dict[str, Any], extras: dict[str, Any]) -> None:
    """Turn an action into a side; one without direction stays as it is and says no side."""
    if "side" not in told:
        return
    action = told["side"]
    name = action.strip().lower() if isinstance(action, str) else ""
    if name in mission.SIDELESS_ACTIONS:
        del told["side"]
        extras.setdefault("action", action)
    elif name in mission.SIDES:
        told["side"] = mission.SIDES[name]
    else:
        raise RecordError(
            f"The action (or side) of a trade is {action!r}. It must be what opened the trade: BUY "
            "or LONG where it gains when the price rises, SELL or SHORT where it gains when the "
            "price falls."
        )


def _leave_out_zeros(numbers: dict[str, float]) -> None:
    """Take a price of 0 for one that is not known, and the profit that goes with it."""
    for key in ("open_rate", "close_rate"):
        if numbers.get(key) == 0:
            del numbers[key]
            if numbers.get("profit_abs") == 0:
                del numbers["profit_abs"]


def _set_ratio(numbers: dict[str, Any], side: str) -> None:
    """Compute the profit ratio from stake and profit, or from the prices, unless it is told."""
    if "profit_ratio" in numbers:
        return
    profit = numbers.get("profit_abs")
    if profit is not None and numbers.get("stake_amount"):
        numbers["profit_ratio"] = profit / numbers["stake_amount"]
        return
    if not side or "open_rate" not in numbers or "close_rate" not in numbers:
        return
    move = numbers["close_rate"] / numbers["open_rate"] - 1.0
    gain = (move if side == "long" else -move) * numbers.get("leverage", 1.0)
    if profit is None or (profit > 0.0) == (gain > 0.0) or profit == 0.0:
        numbers["profit_ratio"] = gain
    elif profit > 0.0 or gain > _COSTS:
        raise RecordError(
            f"A {side} trade from {numbers['open_rate']:g} to {numbers['close_rate']:g} makes "
            f"{gain:+.2%}, but its profit is {profit:g}. Correct the action (BUY or LONG, SELL or "
            "SHORT: what opened the trade), a price or the profit."
        )
    # Else costs made a loss of a small gain: how large the loss is, is not known.


def _set_times(known: dict[str, Any], now: datetime, before: TradeRecord | None) -> set[str]:
    """Set both dates; return the names of those that are not known."""
    given = (known.get("open_date"), known.get("close_date"))
    opened = None if given[0] is None else told_moment("open_date", given[0])
    closed = None if given[1] is None else told_moment("close_date", given[1])
    lasted = None
    if "duration_minutes" in known:
        minutes = _number("duration_minutes", known.pop("duration_minutes"))
        if not 0.0 <= minutes < 1e8:  # noqa: PLR2004 - two centuries
            raise RecordError(f"duration_minutes must be at least 0, got {minutes:g}.")
        lasted = timedelta(minutes=minutes)
    if closed is None:
        if opened is not None and lasted is not None:
            closed = opened + lasted
        elif opened is None and before is not None:  # told again
            closed = before.close_date
            if lasted is None and "open_date" not in (before.told or Told()).unknown:
                opened = before.open_date
        else:
            closed = now
    if opened is None and lasted is not None:
        opened = closed - lasted
    known["close_date"], known["open_date"] = closed, opened or closed
    if opened is not None and opened > closed:
        raise RecordError(
            f"close_date {closed.isoformat()} lies before open_date {opened.isoformat()}."
        )
    if closed > now + CLOCK_SKEW:
        raise RecordError(
            f"close_date {closed.isoformat()} lies in the future. A time without a zone is taken "
            "as UTC; give one with its zone."
        )
    return {"open_date"} if opened is None else set()


def told_moment(key: str, value: Any) -> datetime:
    """Return a time that somebody gave as aware UTC: a datetime, ISO text or epoch seconds."""
    try:
        if isinstance(value, datetime):
            return as_utc(value)
        if isinstance(value, str):
            return as_utc(datetime.fromisoformat(value.strip()))
        if isinstance(value, int | float) and not isinstance(value, bool):
            is_ms = abs(value) > 1e11  # noqa: PLR2004 - in seconds, the year 5138
            return datetime.fromtimestamp(value / 1_000 if is_ms else value, tz=UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise RecordError(
        f"{key}: {value!r} is no time; give a datetime or a text such as 2024-10-28T09:30:00Z."
    )


def _number(key: str, value: Any) -> float:
    try:
        number = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not abs(number) < float("inf"):
        raise RecordError(f"{key}: {value!r} is no finite number.")
    return number


def _text(told: dict[str, Any], key: str) -> str:
    value = told.pop(key, None)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise RecordError(f"{key} must be a text or a whole number, got {value!r}.")
    return str(value)
