"""Verifies the webhooks of others: by a signature or a shared secret, and each of them once."""

from __future__ import annotations

import hmac
from contextlib import contextmanager
from typing import TYPE_CHECKING

from freqtrade_mem0.audit.log import AuditLog
from freqtrade_mem0.config.webhook_settings import secret_text
from freqtrade_mem0.errors import ConfigError, ScopeError
from freqtrade_mem0.webhooks.signature import (
    BEGINNING,
    ID,
    SIGNATURE,
    TOLERANCE_S,
    key_of,
    verified_id,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freqtrade_mem0.config.webhook_settings import IncomingSettings
    from freqtrade_mem0.webhooks.file import WebhookFile

SHARED = "x-webhook-secret"
_KEY = "mem0.webhooks.incoming"
_SHORTEST = 16
_REMEMBERED_MS = 2_000 * TOLERANCE_S
"""How long an id is known: as long as its time could be accepted."""


class Incoming:
    """Whose webhooks are taken.

    Parameters
    ----------
    settings
        The `"incoming"` block.
    file
        Where the ids of webhooks are noted.
    """

    def __init__(self, settings: IncomingSettings, file: WebhookFile) -> None:
        self._settings = settings
        self._file = file
        self._secrets()  # one that is missing or wrong is said at the start

    def shows(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request is to be verified here, and not by a key of the service."""
        has_secret = self._settings.secret is not None
        return has_secret and (SIGNATURE in headers or SHARED in headers)

    def verified(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """Return the id of a webhook, None where it has a shared secret and so no id.

        Raises
        ------
        ScopeError
            Signature, time or secret are wrong.
        """
        keys, shared = self._secrets()
        if SIGNATURE in headers and keys:
            message_id = verified_id(keys, headers, body, self._file.now_ms() / 1_000)
            self._note_use()
            return message_id
        shown = headers.get(SHARED, "").encode(errors="replace")
        matches = [hmac.compare_digest(shown, each.encode()) for each in shared]
        if not any(matches):
            what = f"a signature ({ID}, {SIGNATURE})" if keys else f"the header {SHARED}"
            raise ScopeError(f"This is not the secret that webhooks need. Send {what}.")
        self._note_use()
        return None

    @contextmanager
    def once(self, message_id: str | None) -> Iterator[bool]:
        """Give whether a webhook is new; if what is done about it fails, it may come again."""
        if message_id is None:
            yield True
            return
        now_ms = self._file.now_ms()
        with self._file.write() as sqlite:
            sqlite.execute("DELETE FROM heard WHERE at_ms < ?", [now_ms - _REMEMBERED_MS])
            is_new = sqlite.execute(
                "INSERT OR IGNORE INTO heard VALUES (?, ?)", [message_id, now_ms]
            ).rowcount
        try:
            yield bool(is_new)
        except BaseException:
            if is_new:
                with self._file.write() as sqlite:
                    sqlite.execute("DELETE FROM heard WHERE id = ?", [message_id])
            raise

    def _note_use(self) -> None:
        source = self._settings.secret or ""
        AuditLog(self._file.path.parent).note(f"{_KEY}.secret", source, "used")

    def _secrets(self) -> tuple[list[bytes], list[str]]:
        """Return the keys of signatures, and the texts that are shown as they are."""
        given = {"secret": self._settings.secret, "old_secret": self._settings.old_secret}
        keys, shared = [], []
        for which, setting in given.items():
            if setting is None:
                continue
            name = f"{_KEY}.{which}"
            text = secret_text(setting, name)
            if text.startswith(BEGINNING):
                keys.append(key_of(text, name))
            elif len(text) < _SHORTEST:
                raise ConfigError(
                    f'"{name}" stands for {len(text)} characters: a secret has at least '
                    f"{_SHORTEST}. 'freqtrade-mem0 webhooks secret' makes one."
                )
            else:
                shared.append(text)
        return keys, shared


def id_in(event: Mapping[str, object]) -> str | None:
    """Return the id of the memory that an event of Mem0 names; None where it names none.

    >>> id_in({"event_details": {"id": "a", "event": "ADD"}}), id_in({"event": "memory:add"})
    ('a', None)
    """
    for place in (event, event.get("event_details"), event.get("data")):
        if isinstance(place, dict):
            for name in ("id", "memory_id"):
                if isinstance(place.get(name), str):
                    return str(place[name])
    return None
