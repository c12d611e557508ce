"""Webhooks as plain values: the endpoints, what waits for them, and what was given up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.records.base import from_ms
from freqtrade_mem0.views.values import Facts, iso
from freqtrade_mem0.webhooks.endpoint import configured
from freqtrade_mem0.webhooks.file import WebhookFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.webhooks.endpoint import Endpoint


class Totals(NamedTuple):
    """Messages that wait or were given up, and attempts that went well or failed."""

    waiting: int = 0
    dead: int = 0
    n_sent: int = 0
    n_failed: int = 0


def webhook_totals(folder: Path) -> Totals:
    """Return the totals of all endpoints of a memory."""
    counts = dict(_rows(folder, "SELECT state, count(*) FROM messages GROUP BY state"))
    attempts = _rows(folder, "SELECT total(n_sent), total(n_failed) FROM endpoints")
    n_sent, n_failed = map(int, attempts[0] if attempts else (0, 0))
    return Totals(counts.get("waiting", 0), counts.get("dead", 0), n_sent, n_failed)


def webhook_endpoints(folder: Path, user_id: str, endpoints: Sequence[Endpoint]) -> list[Facts]:
    """Return the endpoints of the config with what is known of each; no address shows its path."""
    noted = {
        name: row
        for name, *row in _rows(
            folder,
            "SELECT name, n_sent, n_failed, sent_ms, error, gone_ms, failures FROM endpoints",
        )
    }
    counts = {
        (endpoint, state): n
        for endpoint, state, n in _rows(
            folder, "SELECT endpoint, state, count(*) FROM messages GROUP BY endpoint, state"
        )
    }
    found = []
    for each in endpoints:
        key = f"{user_id} {each.name}"
        n_sent, n_failed, sent_ms, error, gone_ms, failures = noted.get(
            key, (0, 0, None, "", None, 0)
        )
        state = "gone" if gone_ms is not None else "failing" if failures else "ok"
        found.append(
            {
                "name": each.name,
                "address": each.shown,
                "events": list(each.settings.events),
                "is_signed": each.is_signed,
                "state": state if key in noted else "new",
                "waiting": counts.get((key, "waiting"), 0),
                "dead": counts.get((key, "dead"), 0),
                "sent": n_sent,
                "failed_attempts": n_failed,
                "sent_at": None if sent_ms is None else iso(from_ms(sent_ms)),
                "error": error,
            }
        )
    return found


def webhook_state(memory: MemoryFolder) -> tuple[str, str]:
    """Return for `doctor` whether events reach their endpoints: "ok" or "warning", and why."""
    settings = memory.settings
    found = webhook_endpoints(memory.folder, settings.user_id, configured(settings.webhooks))
    if not found:
        return "ok", "there are no endpoints"
    names = ", ".join(each["name"] for each in found)
    if not settings.webhooks.enabled:
        return "warning", f"nothing is sent to {names}: 'mem0.webhooks.enabled' is false"
    wrong = [
        f"{each['name']}: {each['waiting']} wait, {each['dead']} were given up; {each['error']}"
        for each in found
        if each["dead"] or each["state"] in {"failing", "gone"}
    ]
    if wrong:
        return "warning", f"{' '.join(wrong)} See 'freqtrade-mem0 webhooks list'."
    plain = ", ".join(each["name"] for each in found if not each["is_signed"])
    return "ok", f"events go to {names}" + (f"; not signed: {plain}" if plain else "")


def dead_webhooks(folder: Path, user_id: str) -> list[Facts]:
    """Return the messages of an owner that were given up, oldest first."""
    rows = _rows(
        folder,
        "SELECT id, endpoint, type, attempts, done_ms, error, body FROM messages"
        " WHERE state = 'dead' AND instr(endpoint, ? || ' ') = 1 ORDER BY number",
        [user_id],
    )
    return [
        {
            "id": message_id,
            "endpoint": endpoint.removeprefix(f"{user_id} "),
            "type": event_type,
            "attempts": attempts,
            "given_up_at": iso(from_ms(done_ms)),
            "error": error,
            "message": json.loads(body),
        }
        for message_id, endpoint, event_type, attempts, done_ms, error, body in rows
    ]


def _rows(folder: Path, query: str, values: Sequence[object] = ()) -> list[Any]:
    """Return the rows of a query; none where no webhook was ever sent."""
    file = WebhookFile(folder)
    if not file.path.exists():
        return []
    try:
        return file.rows(query, values)
    finally:
        file.close()
