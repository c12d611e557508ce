"""Events: what is sent of a record, a decision, or the state of delivery."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.decide.explain import headline
from freqtrade_mem0.decide.vetoes import is_vetoed
from freqtrade_mem0.records.base import Origin, Record, record_id
from freqtrade_mem0.records.codec import content_hash, to_plain
from freqtrade_mem0.records.kinds.pattern import Pattern
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.risk.events import EVENT_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.records.decision import Decision

TEST = "webhook.test"
"""The type of the event that `freqtrade-mem0 webhooks test` sends."""

KINDS = (TradeRecord.kind, RiskEvent.kind, Pattern.kind)
"""Kinds of records that are events."""

MOST_BYTES = 19_000
"""Of a body; receivers of Standard Webhooks take 20 kB."""

_LONGEST_TEXT = 1_000
_ALWAYS = ("id", "kind", "text", "origin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event; the same one has the same id wherever and whenever it is made.

    Parameters
    ----------
    id
        `webhook-id`.
    type
        One of `config.webhook_settings.EVENTS`.
    about
        What it is about: events about the same thing are sent in their order.
    version
        Differs where what is said about it differs.
    at
        Aware UTC: when it became known.
    data
        As in the body.
    origin
        Whose it is; None where it concerns no bot.
    """

    id: str
    type: str
    about: str
    version: str
    at: datetime
    data: dict[str, Any]
    origin: Origin | None = None

    def body(self) -> bytes:
        """Return the body; where it is too large, with the id and a short text alone."""
        made = self._body(self.data)
        if len(made) <= MOST_BYTES:
            return made
        kept = {name: self.data[name] for name in _ALWAYS if name in self.data}
        text = str(kept.get("text", ""))[:_LONGEST_TEXT]
        return self._body(kept | {"text": text, "is_cut": True})

    def _body(self, data: dict[str, Any]) -> bytes:
        moment = self.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        given = {"type": self.type, "timestamp": moment, "data": data}
        return json.dumps(given, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def event_id(*identity: str) -> str:
    """Return the `webhook-id` of what identifies an event."""
    return f"msg_{record_id('webhook', *identity)}"


def of_record(record: Record) -> Event | None:
    """Return the event that a record is; None for most kinds."""
    if isinstance(record, TradeRecord):
        return _of(record, "trade.closed", (record.id,))
    if isinstance(record, RiskEvent):
        event_type = EVENT_TYPES.get(record.event_type)
        is_drift = event_type is not None and event_type.is_drift
        return _of(record, "drift.triggered" if is_drift else "risk.event", (record.id,))
    if isinstance(record, Pattern):
        found = str(record.discovered_at.timestamp())
        if record.is_active:
            return _of(record, "pattern.found", (record.id, found))
        return _of(record, "pattern.withdrawn", (record.id, found, "withdrawn"))
    return None


def corrected(event: Event) -> Event:
    """Return the event that what an earlier one was about has changed."""
    name = "trade.corrected"
    return replace(event, id=event_id(name, event.about, event.version), type=name)


def of_decision(decision: Decision, threshold: float) -> Event | None:
    """Return the event that a decision is: one that changed a stake far, or refused the entry."""
    is_refused, proposed = is_vetoed(decision), decision.proposed_stake
    is_far = abs(decision.stake - proposed) > threshold * proposed
    if not decision.applied or not (is_refused or is_far):
        return None
    origin = decision.origin
    data = {
        "id": decision.id,
        "kind": "decision",
        "text": headline(decision),
        "origin": _plain_origin(origin),
        "decided_at": decision.decided_at.isoformat(),
        "pair": decision.pair,
        "side": decision.side,
        "enter_tag": decision.enter_tag,
        "proposed_stake": proposed,
        "stake": 0.0 if is_refused else decision.stake,
        "is_refused": is_refused,
        "reasons": [reason.words for reason in decision.reasons],
    }
    return Event(
        id=event_id("stake.changed", decision.id),
        type="stake.changed",
        about=decision.id,
        version="",
        at=decision.decided_at,
        data=data,
        origin=origin,
    )


def of_trouble(name: str, text: str, began: datetime, at: datetime, *, is_over: bool) -> Event:
    """Return the event that a trouble of memory has begun, or is over."""
    event_type = "memory.recovered" if is_over else "memory.trouble"
    return Event(
        id=event_id(event_type, name, began.isoformat()),
        type=event_type,
        about=f"trouble {name}",
        version="",
        at=at,
        data={"kind": "trouble", "name": name, "text": text, "since": began.isoformat()},
    )


def of_job(job: Mapping[str, Any]) -> Event | None:
    """Return the event that a job of the service has ended; None while it waits or runs."""
    if job["ended_at"] is None:
        return None
    kept = {name: job[name] for name in ("id", "name", "state", "asked_at", "ended_at", "error")}
    event_type = "job.failed" if job["error"] else "job.done"
    text = f"The job {job['name']} {'failed: ' + job['error'] if job['error'] else 'is done.'}"
    return Event(
        id=event_id("job", job["id"]),
        type=event_type,
        about=f"job {job['id']}",
        version="",
        at=datetime.fromisoformat(job["ended_at"]),
        data={"kind": "job", "text": text} | kept,
    )


def a_test() -> Event:
    """Return an event that says nothing, to try an endpoint with."""
    now = datetime.now(UTC)
    text = "A test of freqtrade-mem0: nothing has happened."
    return Event(
        id=event_id(TEST, now.isoformat()),
        type=TEST,
        about=TEST,
        version="",
        at=now,
        data={"kind": "test", "text": text},
    )


def _of(record: Record, event_type: str, identity: tuple[str, ...]) -> Event:
    data = {"kind": record.kind, "text": record.sentence()} | to_plain(record)
    return Event(
        id=event_id(event_type, *identity),
        type=event_type,
        about=record.id,
        version=content_hash(record),
        at=record.known_at,
        data=data,
        origin=record.origin,
    )


def _plain_origin(origin: Origin) -> dict[str, str]:
    return {
        "user_id": origin.user_id,
        "strategy": origin.strategy,
        "mode": str(origin.mode),
        "run_id": origin.run_id,
    }
