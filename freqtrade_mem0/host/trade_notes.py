"""Writes notes on trades to a bot's trade database, as Freqtrade's custom data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEY = "mem0"


class TradeNote(NamedTuple):
    """A note on an open or closed trade."""

    trade_id: int
    """Freqtrade's id, which it may reuse."""
    pair: str
    value: Mapping[str, Any]
    """JSON."""


def write_notes(notes: Iterable[TradeNote], *, own_thread: bool) -> None:
    """Write each note with a transaction of its own, as Freqtrade does.

    Custom data has a session of its own in Freqtrade, so nothing of Freqtrade's own unfinished work
    is committed with it. A trade that was deleted meanwhile gets none.

    Parameters
    ----------
    notes
        What to write.
    own_thread
        Whether this is a thread of ours. Its sessions are closed at the end; Freqtrade's are not.
    """
    from freqtrade.persistence import CustomDataWrapper, Trade
    from freqtrade.persistence.custom_data import _CustomData
    from sqlalchemy import select

    try:
        for note in notes:
            pair = Trade.session.scalar(select(Trade.pair).filter(Trade.id == note.trade_id))
            if own_thread:
                Trade.session.rollback()  # a write must not wait for our own read
            if pair == note.pair:
                CustomDataWrapper.set_custom_data(note.trade_id, KEY, dict(note.value))
    except Exception:
        _CustomData.session.rollback()
        raise
    finally:
        if own_thread:
            Trade.session.remove()
            _CustomData.session.remove()
