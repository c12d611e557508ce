"""Where a Mem0 server is: from the config, or from the environment, which overrides it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from freqtrade_mem0.config.secrets import shown
from freqtrade_mem0.config.settings import ProviderSettings
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.config.settings import Settings

DEFAULT_PORT = 8888
"""The port in Mem0's own docker-compose file."""


def server_url(settings: Settings, environ: Mapping[str, str] | None = None) -> str | None:
    """Return the URL of the Mem0 REST server, without a slash at its end; None if not configured.

    MEM0_HOST and MEM0_PORT override the keys `host` and `port`. A name without a scheme means http,
    at the port given or 8888.

    Raises
    ------
    ConfigError
        MEM0_PORT is no port, or the address is invalid.
    """
    env = os.environ if environ is None else environ
    host = env.get("MEM0_HOST", "").strip() or settings.host
    if host is None:
        return None
    own_port_text = env.get("MEM0_PORT", "").strip()
    port = _port(own_port_text) if own_port_text else settings.port
    has_scheme = "://" in host
    try:
        parts = urlsplit(host if has_scheme else f"http://{host}")
        own_port = parts.port
    except ValueError:  # its message would show the address, which may contain a password
        raise ConfigError(
            "The address of the Mem0 server is wrong: its port must be a number, 1 to 65535. "
            "Correct 'mem0.host' or MEM0_HOST."
        ) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or set("@?#") & set(host):
        raise ConfigError(
            f"The address of the Mem0 server must be a name, or http:// or https:// and a name, "
            f"without user, password and query; it begins with {shown(parts.scheme)}. "
            "Correct 'mem0.host' or MEM0_HOST; the key goes into MEM0_API_KEY."
        )
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = own_port or port or (None if has_scheme else DEFAULT_PORT)
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}{parts.path}".rstrip("/")


def vector_store(
    settings: Settings, environ: Mapping[str, str] | None = None
) -> ProviderSettings | None:
    """Return the vector store of Mem0 in this process; None for the embedded one."""
    env = os.environ if environ is None else environ
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
    if vector_store(settings, environ) is None and server_url(settings, environ) is None:
        raise ConfigError(
            '"mem0.mode" is "server", but no server is configured. Set "mem0.host" (or MEM0_HOST) '
            'for a self-hosted Mem0, or "mem0.vector_store" (or QDRANT_URL) for a database that '
            "Mem0 in this process uses."
        )


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:  # noqa: PLR2004 - what TCP has
        raise ConfigError(f"MEM0_PORT is {shown(text)}: it must be a port, 1 to 65535.")
    return int(text)
