"""Session memory in Redis, for several processes and machines."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote, urlsplit

from freqtrade_mem0.errors import BackendError, ConfigError
from freqtrade_mem0.session_memory.store import TIMEOUT_S
from freqtrade_mem0.words.extras import how_to_install

_PAGE = 500


class RedisStore:
    """Texts in Redis, which ends them itself. See `SessionStore`.

    A key of Redis is the prefix, the owner and the key, both percent-encoded.

    Parameters
    ----------
    url
        For example `redis://localhost:6379/0`, or `rediss://` with TLS.
    prefix
        Beginning of all keys.

    Raises
    ------
    ConfigError
        The package `redis` is not installed, or the address is none of Redis.
    """

    def __init__(self, url: str, prefix: str) -> None:
        try:
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError as error:
            raise ConfigError(
                f"Session memory in Redis needs the package redis: {how_to_install('redis')}."
            ) from error
        self._error: type[Exception] = redis.RedisError
        try:
            self._redis: Any = redis.Redis.from_url(
                url,
                decode_responses=True,
                socket_timeout=TIMEOUT_S,
                socket_connect_timeout=TIMEOUT_S,
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError as error:
            raise ConfigError(
                f"{_shown(url)!r} is no address of Redis; write redis://HOST:6379."
            ) from error
        self._where = _shown(url)
        self._prefix = prefix

    def put(self, owner: str, key: str, text: str, ttl_s: float) -> None:
        """Keep a text for a time."""
        self._do("set", self._name(owner, key), text, px=_ms(ttl_s))

    def get(self, owner: str, key: str, *, ttl_s: float | None = None) -> str | None:
        """Return a text, or None."""
        name = self._name(owner, key)
        found = self._do("get", name) if ttl_s is None else self._do("getex", name, px=_ms(ttl_s))
        return None if found is None else str(found)

    def items(self, owner: str) -> dict[str, str]:
        """Return all texts of an owner."""
        found: dict[str, str] = {}
        names = self._names(owner)
        for first in range(0, len(names), _PAGE):
            page = names[first : first + _PAGE]
            for name, text in zip(page, self._do("mget", page), strict=True):
                if text is not None:
                    found[unquote(name.rpartition(":")[2])] = text
        return dict(sorted(found.items()))

    def delete(self, owner: str, key: str) -> bool:
        """Delete a text."""
        return bool(self._do("delete", self._name(owner, key)))

    def clear(self, owner: str) -> int:
        """Delete all texts of an owner."""
        names = self._names(owner)
        return int(self._do("delete", *names)) if names else 0

    def purge(self) -> int:
        """Return 0: Redis ends texts itself."""
        return 0

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def _name(self, owner: str, key: str) -> str:
        return f"{self._prefix}{quote(owner, safe='')}:{quote(key, safe='')}"

    def _names(self, owner: str) -> list[str]:
        beginning = self._name(owner, "")
        pattern = "".join(f"\\{each}" if each in "*?[]\\" else each for each in beginning)
        cursor, names = 0, set[str]()
        while True:
            cursor, page = self._do("scan", cursor, match=f"{pattern}*", count=_PAGE)
            names.update(page)
            if cursor == 0:
                return sorted(names)

    def _do(self, command: str, *values: Any, **options: Any) -> Any:
        try:
            return getattr(self._redis, command)(*values, **options)
        except self._error as error:
            raise BackendError(
                f"Redis at {self._where} did not do {command.upper()}: {error}"
            ) from error


def _ms(ttl_s: float) -> int:
    return max(1, round(ttl_s * 1_000))


def _shown(url: str) -> str:
    """Return an address without user and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
