"""Keys of the service: made, found, listed, revoked. Only hashes of them are stored."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.client.asking import checked_user
from freqtrade_mem0.client.scoped import Bound
from freqtrade_mem0.client.told_note import checked_strategy
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import from_ms
from freqtrade_mem0.views.values import iso

if TYPE_CHECKING:
    from datetime import timedelta

    from freqtrade_mem0.service.file import ServiceFile
    from freqtrade_mem0.views.values import Facts

BEGINNING = "fm0_"
_COLUMNS = (
    "id, hash, name, role, user_id, strategy, bot_id, made_ms, expires_ms, used_ms, revoked_ms"
)
_N_SECRET_BYTES = 32
_N_ID_BYTES = 6


class Role(IntEnum):
    """What a key may do; each role may also do what the ones before it may."""

    READER = 1
    WRITER = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key without its secret; times are epoch milliseconds."""

    id: str
    name: str
    role: Role
    bound: Bound
    made_ms: int
    expires_ms: int | None = None
    used_ms: int | None = None
    revoked_ms: int | None = None

    def is_valid(self, now_ms: int) -> bool:
        """Return whether it is neither revoked nor expired."""
        return self.revoked_ms is None and (self.expires_ms is None or now_ms < self.expires_ms)

    def facts(self, now_ms: int) -> Facts:
        """Return it as a JSON object."""

        def moment(ms: int | None) -> str | None:
            return None if ms is None else iso(from_ms(ms))

        return {
            "id": self.id,
            "name": self.name,
            "role": self.role.name.lower(),
            "user_id": self.bound.user_id,
            "strategy": self.bound.strategy,
            "bot_id": self.bound.bot_id,
            "is_valid": self.is_valid(now_ms),
            "made_at": moment(self.made_ms),
            "expires_at": moment(self.expires_ms),
            "used_at": moment(self.used_ms),
            "revoked_at": moment(self.revoked_ms),
        }


class Keys:
    """The keys in a service's file."""

    def __init__(self, file: ServiceFile) -> None:
        self._file = file

    def add(
        self,
        role: Role,
        *,
        name: str = "",
        bound: Bound | None = None,
        expires_in: timedelta | None = None,
    ) -> tuple[Key, str]:
        """Make a key; return it and its text, which is shown this once.

        `RecordError`: what it is bound to can be no user, strategy or bot.
        """
        bound = bound or Bound()
        if bound.user_id is not None:
            checked_user(bound.user_id)
        for each in (bound.strategy, bound.bot_id):
            if each is not None:
                checked_strategy(each)
        key_id, secret = secrets.token_hex(_N_ID_BYTES), secrets.token_urlsafe(_N_SECRET_BYTES)
        now_ms = self._file.now_ms()
        lasts_ms = None if expires_in is None else round(expires_in.total_seconds() * 1_000)
        key = Key(
            id=key_id,
            name=name or key_id,
            role=role,
            bound=bound,
            made_ms=now_ms,
            expires_ms=None if lasts_ms is None else now_ms + lasts_ms,
        )
        with self._file.write() as sqlite:
            sqlite.execute(
                f"INSERT INTO keys ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)",  # noqa: S608
                [
                    *(key.id, _hash(secret), key.name, role.name.lower()),
                    *(bound.user_id, bound.strategy, bound.bot_id, key.made_ms, key.expires_ms),
                ],
            )
        return key, f"{BEGINNING}{key_id}_{secret}"

    def found(self, text: str) -> Key | None:
        """Return the valid key that a text is, or None."""
        key_id, _, secret = text.removeprefix(BEGINNING).partition("_")
        row = self._row(key_id) if text.startswith(BEGINNING) else None
        # Compared also where there is no such key, so that the time does not tell.
        is_same = hmac.compare_digest(_hash(secret), bytes(32) if row is None else row[1])
        key = None if row is None or not is_same else _key(row)
        return key if key is not None and key.is_valid(self._file.now_ms()) else None

    def by_id(self, key_id: str) -> Key | None:
        """Return the valid key with an id, or None."""
        row = self._row(key_id)
        key = None if row is None else _key(row)
        return key if key is not None and key.is_valid(self._file.now_ms()) else None

    def all(self) -> list[Key]:
        """Return all keys, the oldest first."""
        rows = self._file.rows(f"SELECT {_COLUMNS} FROM keys ORDER BY made_ms, id")  # noqa: S608
        return [_key(row) for row in rows]

    def has_valid(self) -> bool:
        """Return whether a key would be accepted now."""
        now_ms = self._file.now_ms()
        return any(key.is_valid(now_ms) for key in self.all())

    def revoke(self, key_id: str) -> Key:
        """Revoke a key; it is refused from the next request on. `RecordError`: there is none."""
        with self._file.write() as sqlite:
            sqlite.execute(
                "UPDATE keys SET revoked_ms = ? WHERE id = ? AND revoked_ms IS NULL",
                [self._file.now_ms(), key_id],
            )
        row = self._row(key_id)
        if row is None:
            raise RecordError(f"There is no key {key_id!r}. 'freqtrade-mem0 keys list' lists them.")
        return _key(row)

    def used(self, at_ms: dict[str, int]) -> None:
        """Note when keys were used last, by id."""
        if at_ms:
            with self._file.write() as sqlite:
                sqlite.executemany(
                    "UPDATE keys SET used_ms = ? WHERE id = ?",
                    [(moment, key_id) for key_id, moment in at_ms.items()],
                )

    def _row(self, key_id: str) -> Any:
        rows = self._file.rows(f"SELECT {_COLUMNS} FROM keys WHERE id = ?", [key_id])  # noqa: S608
        return rows[0] if rows else None


def _hash(secret: str) -> bytes:
    return sha256(secret.encode(errors="replace")).digest()


def _key(row: Any) -> Key:
    key_id, _, name, role, user_id, strategy, bot_id, made, expires, used, revoked = row
    return Key(
        id=key_id,
        name=name,
        role=Role[role.upper()],
        bound=Bound(user_id=user_id, strategy=strategy, bot_id=bot_id),
        made_ms=made,
        expires_ms=expires,
        used_ms=used,
        revoked_ms=revoked,
    )
