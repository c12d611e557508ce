"""What all records share: kind, category, origin, the two clocks, and a deterministic id."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from json.encoder import encode_basestring_ascii as _quoted
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from freqtrade_mem0.records.limits import EARLIEST, Instant, Name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from freqtrade_mem0.records.memory import Scalar

try:
    # With cold caches, as between two candles, OpenSSL's implementation takes five times as long.
    from _sha1 import sha1  # type: ignore[import-not-found]
except ImportError:
    from hashlib import sha1

NAMESPACE = UUID("6f0f7a5e-3f0b-5c64-9a35-6d1f6d0a5e10")
"""UUIDv5 namespace of all record ids. Changing it would orphan every record ever written."""

_NAMESPACE_BYTES = NAMESPACE.bytes
_VARIANTS = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}
"""The hexadecimal digit that holds a UUID's variant, by the digit of the hash in its place."""


class Category(StrEnum):
    """The six categories of memory. The names are fixed: users and other tools rely on them."""

    USER_PREFERENCES = "user_preferences"
    MARKET_CONDITIONS = "market_conditions"
    STRATEGY_PERFORMANCE = "strategy_performance"
    RISK_PROFILE = "risk_profile"
    PORTFOLIO_PATTERNS = "portfolio_patterns"
    LEARNING_INSIGHTS = "learning_insights"


class Mode(StrEnum):
    """The kind of run a record comes from. Recall keeps them apart; the docs have a table."""

    BACKTEST = "backtest"
    DRY_RUN = "dry_run"
    LIVE = "live"
    MANUAL = "manual"
    """Written by a person or a tool through `TradeMemory`, outside Freqtrade."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who noted a record.

    Parameters
    ----------
    user_id
        The owner; Mem0's `user_id`.
    strategy
        The strategy's class name; Mem0's `agent_id`.
    mode
        The kind of run.
    run_id
        Freqtrade's own run id of a backtest, the bot's id otherwise; Mem0's `run_id`.
    """

    user_id: Name
    strategy: Name
    mode: Mode
    run_id: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A fact that does not change. A correction is a new record with the same id.

    Parameters
    ----------
    id
        UUIDv5 of what identifies the fact: noting the same fact twice gives the same id.
    origin
        Who noted it.
    known_at
        Aware UTC market time at which the fact became known (a fill, a candle's end). Recall as of
        `t` sees only records with `known_at < t`.
    recorded_at
        Aware UTC wall time at which it was noted. Never used for a decision.
    """

    # For pydantic, which turns records into JSON: no NaN is allowed, and no unknown key.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"allow_inf_nan": False, "extra": "forbid"}

    kind: ClassVar[str]
    """Name of the kind: a key in the journal, in Mem0 and in `--kind`."""
    default_category: ClassVar[Category]
    added_later: ClassVar[tuple[str, ...]] = ()
    """The JSON of each field that a later version added, at its default; the last fields, in order.
    Content hashes leave them out at the end, so that records of earlier versions keep theirs."""

    ages_as: ClassVar[str | None] = ""
    """The key of `retention` and `importance` that memories of this kind age by; "" takes that of
    their category, None never lets them age."""
    text_is_content: ClassVar[bool] = False
    """Whether a memory of this kind says all it has to say in its text, so that of two with nearly
    the same text one can go."""

    id: Name
    origin: Origin
    known_at: Instant
    recorded_at: Instant

    @property
    def category(self) -> Category:
        """The category the record is filed under."""
        return self.default_category

    @property
    def retracts(self) -> str | None:
        """Id of the record that no longer counts because of this one; None for most kinds."""
        return None

    @property
    def deletes(self) -> str | None:
        """Id of the memory that is deleted in Mem0 because of this record; None for most kinds."""
        return self.retracts

    def keeping(self, earlier: Record) -> Record:
        """Return this record with what only an earlier version of it knows, if anything."""
        del earlier
        return self

    def sentence(self) -> str:
        """Return the record as one sentence, for people and for semantic search, without dates."""
        raise NotImplementedError(f"{type(self).__name__} has no sentence")

    def filter_keys(self) -> Mapping[str, Scalar]:
        """Return the metadata of this kind that people filter by in Mem0; times end in `_ts`."""
        return {}


def record_id(*identity: str | float) -> str:
    """Return the UUIDv5 (canonical text) of the parts that identify a fact.

    >>> record_id("trade", "me", "ETH/USDT", 1) == record_id("trade", "me", "ETH/USDT", 1)
    True
    """
    # The same as json.dumps and uuid.uuid5 (RFC 9562, 5.5), faster: each trade needs several ids.
    return _uuid(sha1(_NAMESPACE_BYTES + f"[{_listed(identity)}]".encode(), usedforsecurity=False))


def record_ids(*first: str | float) -> Callable[[int], str]:
    """Return `record_id` for facts that differ in a last number alone, which takes a third.

    >>> record_ids("trade", "me", "ETH/USDT")(1) == record_id("trade", "me", "ETH/USDT", 1)
    True
    """
    begun = sha1(_NAMESPACE_BYTES + f"[{_listed(first)},".encode(), usedforsecurity=False)

    def numbered(last: int) -> str:
        hashed = begun.copy()
        hashed.update(b"%d]" % last)
        return _uuid(hashed)

    return numbered


def _uuid(hashed: Any) -> str:
    digits = hashed.hexdigest()
    return (
        f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}"
        f"-{_VARIANTS[digits[16]]}{digits[17:20]}-{digits[20:32]}"
    )


def _listed(parts: Sequence[str | float]) -> str:
    return ",".join([_as_json(part) for part in parts])


def _as_json(part: str | float) -> str:
    if isinstance(part, str):
        return _quoted(part)
    return str(part) if type(part) is int else json.dumps(part)


def as_utc(moment: datetime) -> datetime:
    """Return `moment` as aware UTC; a naive time is taken as UTC, as Freqtrade stores it.

    >>> as_utc(datetime(2024, 1, 1)).isoformat()
    '2024-01-01T00:00:00+00:00'
    """
    if moment.tzinfo is UTC:
        return moment
    zone = moment.tzinfo
    if zone is None or getattr(zone, "key", None) == "UTC":  # as that of Freqtrade's dates
        # In half the time of `astimezone`, and a quarter of that of `replace`.
        return datetime.combine(moment.date(), moment.time(), UTC)
    return moment.astimezone(UTC)


def to_ms(moment: datetime) -> int:
    """Return epoch milliseconds of an aware time, exactly (no detour over a float).

    >>> to_ms(datetime(2024, 1, 1, 0, 0, 0, 250000, tzinfo=UTC))
    1704067200250
    """
    delta = moment - EARLIEST
    return (delta.days * 86_400 + delta.seconds) * 1_000 + delta.microseconds // 1_000


def utc_ms(moment: datetime) -> int:
    """Return epoch milliseconds of a time; a naive one is taken as UTC, see `as_utc`.

    Where the zone is UTC by name, as of Freqtrade's dates, in a third of the time of `to_ms`.

    >>> utc_ms(datetime(2024, 1, 1, 0, 0, 0, 250000))
    1704067200250
    """
    zone = moment.tzinfo
    if zone is not None and zone is not UTC and getattr(zone, "key", None) != "UTC":
        return to_ms(moment)
    minutes = (moment.toordinal() * 24 + moment.hour) * 60 + moment.minute - _MINUTES_BEFORE_1970
    return (minutes * 60 + moment.second) * 1_000 + moment.microsecond // 1_000


_MINUTES_BEFORE_1970 = datetime(1970, 1, 1, tzinfo=UTC).toordinal() * 24 * 60
_FIRST_MS = to_ms(datetime.min.replace(tzinfo=UTC))
_LAST_MS = to_ms(datetime.max.replace(tzinfo=UTC))


def to_seconds(moment: datetime) -> float:
    """Return epoch seconds of an aware time, to the millisecond, as Mem0's filters use them."""
    return to_ms(moment) / 1_000


def from_ms(milliseconds: int) -> datetime:
    """Return the aware UTC time of epoch milliseconds; the nearest one outside years 1 to 9999.

    >>> from_ms(1704067200250).isoformat()
    '2024-01-01T00:00:00.250000+00:00'
    """
    seconds, rest = divmod(min(max(milliseconds, _FIRST_MS), _LAST_MS), 1_000)
    return datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=rest * 1_000)
