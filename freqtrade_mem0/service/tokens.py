"""Tokens that stand for a key for a quarter of an hour, so that the key itself travels rarely.

A token names its key; role and scope are those that the key has at each request. So a token ends
with its key.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import jwt

if TYPE_CHECKING:
    from freqtrade_mem0.service.file import ServiceFile

LASTS_S = 900
_ALGORITHM = "HS256"
_ISSUER, _AUDIENCE, _TYPE = "freqtrade-mem0", "freqtrade-mem0-service", "access"
_REQUIRED = ("exp", "iat", "aud", "iss", "sub", "jti", "type")
_SKEW_S = 5
_SECRET_LASTS_MS = 30 * 86_400_000
_N_SECRETS = 2
"""Secrets in the ring: the one that signs, and the one before, whose tokens may still be valid."""


class Tokens:
    """Makes and checks tokens with the ring of secrets in a service's file."""

    def __init__(self, file: ServiceFile) -> None:
        self._file = file

    def issue(self, key_id: str) -> str:
        """Return a token for a key."""
        kid, secret = self._signing()
        now_s = self._file.now_ms() // 1_000
        claims = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "sub": key_id,
            "iat": now_s,
            "exp": now_s + LASTS_S,
            "jti": secrets.token_hex(8),
            "type": _TYPE,
        }
        return jwt.encode(claims, secret, _ALGORITHM, headers={"kid": kid})

    def key_id(self, token: str) -> str | None:
        """Return the id of the key that a valid token stands for, or None."""
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            rows = self._file.rows("SELECT secret FROM signing WHERE kid = ?", [str(kid)])
            if not rows:
                return None
            claims = jwt.decode(
                token,
                rows[0][0],
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                issuer=_ISSUER,
                # The times are checked below, by the clock of the file.
                options={"require": list(_REQUIRED), "verify_exp": False, "verify_iat": False},
            )
        except (jwt.PyJWTError, UnicodeError):  # `kid` is half of a surrogate pair
            return None
        now_s, iat, exp = self._file.now_ms() / 1_000, claims["iat"], claims["exp"]
        has_times = type(iat) is int and type(exp) is int
        is_timely = has_times and iat <= now_s + _SKEW_S and now_s < exp <= iat + LASTS_S
        return str(claims["sub"]) if is_timely and claims["type"] == _TYPE else None

    def rotate(self) -> None:
        """Sign with a new secret, and refuse all tokens that exist."""
        with self._file.write() as sqlite:
            sqlite.execute("DELETE FROM signing")

    def _signing(self) -> tuple[str, bytes]:
        """Return the secret that signs; a new one once a month."""
        query = "SELECT kid, secret, made_ms FROM signing ORDER BY made_ms DESC, kid"
        now_ms = self._file.now_ms()
        newest = self._file.rows(f"{query} LIMIT 1")
        if newest and now_ms - newest[0][2] < _SECRET_LASTS_MS:
            return newest[0][0], newest[0][1]
        made = secrets.token_hex(4), secrets.token_bytes(64)
        with self._file.write() as sqlite:
            sqlite.execute("INSERT INTO signing VALUES (?, ?, ?)", [*made, now_ms])
            old = sqlite.execute(f"{query} LIMIT -1 OFFSET {_N_SECRETS}").fetchall()
            sqlite.executemany("DELETE FROM signing WHERE kid = ?", [(each[0],) for each in old])
        return made
