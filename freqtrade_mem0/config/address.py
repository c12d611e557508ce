"""Where a Mem0 server is."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from freqtrade_mem0.config.secrets import shown
from freqtrade_mem0.config.settings import ProviderSettings
from freqtrade_mem0.config.variables import variables
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.config.settings import Settings

DEFAULT_PORT = 8888
"""The port in Mem0's own docker-compose file."""


def server_url(settings: Settings) -> str | None:
    """Return the URL of the Mem0 REST server, without a slash at its end; None if not configured.

    A name without a scheme means http, at the port given or 8888.

    Raises
    ------
    ConfigError
        The address is invalid.
    """
    host, port = settings.host, settings.port
    if host is None:
        return None
    has_scheme = "://" in host
    try:
        parts = urlsplit(host if has_scheme else f"http://{host}")
        own_port = parts.port
    except ValueError:  # its message would show the address, which may contain a password
        raise ConfigError(
            "The address of the Mem0 server is wrong: its port must be a number, 1 to 65535. "
            "Correct 'mem0.host' or MEM0_URL."
        ) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or set("@?#") & set(host):
        raise ConfigError(
            f"The address of the Mem0 server must be a name, or http:// or https:// and a name, "
            f"without user, password and query; it begins with {shown(parts.scheme)}. "
            "Correct 'mem0.host' or MEM0_URL; the key goes into MEM0_API_KEY."
        )
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = own_port or port or (None if has_scheme else DEFAULT_PORT)
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}{parts.path}".rstrip("/")


def vector_store(
    settings: Settings, environ: Mapping[str, str] | None = None
) -> ProviderSettings | None:
    """Return the vector store of Mem0 in this process; None for the embedded one."""
    env = variables() if environ is None else environ
    if settings.vector_store is not None or settings.mode != "server":
        return settings.vector_store
    if env.get("QDRANT_URL", "").strip():
        # The variable's name, not its value: it may contain a key, and settings are printed.
        return ProviderSettings(provider="qdrant", config={"url": "env:QDRANT_URL"})
    return None


def check_address(settings: Settings, environ: Mapping[str, str] | None = None) -> None:
    """Raise ConfigError for mode `server` without address or vector store, or with a wrong one."""
    if settings.mode != "server":
        return
    if vector_store(settings, environ) is None and server_url(settings) is None:
        raise ConfigError(
            '"mem0.mode" is "server", but no server is configured. Set "mem0.host" (or MEM0_URL) '
            'for a self-hosted Mem0, or "mem0.vector_store" (or QDRANT_URL) for a database that '
            "Mem0 in this process uses."
        )
