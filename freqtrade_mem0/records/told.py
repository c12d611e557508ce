"""What a trade told by a person or a tool has, and one that Freqtrade reports has not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from freqtrade_mem0.records.limits import Integer, LongText, Name, Number

if TYPE_CHECKING:
    from freqtrade_mem0.records.memory import Scalar

_KEYS = {"open_date": "open_ts", "close_date": "close_ts"}
"""Where the metadata in Mem0 has another name for a field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was told beside a trade's numbers, and which of those were not told.

    Parameters
    ----------
    trade_id
        The teller's own name of the trade; "" if there is none.
    unknown
        Fields of the trade that are not known. They hold 0.0, "" or the other date, which nobody
        may read: lists and metadata show null or nothing in their place.
    metadata
        The teller's own keys, flat values.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"allow_inf_nan": False, "extra": "forbid"}

    trade_id: Name = ""
    unknown: tuple[Name, ...] = ()
    metadata: Mapping[Name, LongText | Integer | Number | bool] = field(default_factory=dict)

    def completed(self, keys: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
        """Return a trade's metadata with the teller's keys, and without what is not known."""
        hidden = {_KEYS.get(name, name) for name in self.unknown}
        known = {key: value for key, value in keys.items() if key not in hidden}
        named = {"trade_id": self.trade_id} if self.trade_id else {}
        return {**self.metadata, **known, **named}
