"""Runs the service: one for a memory, on an address that is safe to open."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import socket
import ssl
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn

from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.service.app import build_app
from freqtrade_mem0.service.connections import Connection
from freqtrade_mem0.service.guard import LOOPBACK_NAMES
from freqtrade_mem0.sqlite_files.alone import alone
from freqtrade_mem0.sqlite_files.opening import make_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from freqtrade_mem0.config.service_settings import ServiceSettings
    from freqtrade_mem0.service.state import Service

LOCK = "service.lock"
_STOP_S = 5
_MOST_CONNECTIONS = 1_000
_SWITCH_S = 0.0005
"""How long a thread may compute before another one's turn: a short answer does not wait long."""

_MMAP_THRESHOLD, _LARGE_BYTES = -3, 1 << 18
"""The parameter of glibc's `mallopt`, and from which size on memory goes back when it is freed."""

_WAITING = 128
"""Connections that the system holds until they are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where and how the service listens.

    Parameters
    ----------
    host, port
        As in `ServiceSettings`; port 0 takes a free one.
    behind_proxy
        Whether something before it makes TLS, and says who asks.
    """

    host: str
    port: int
    behind_proxy: bool = False

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in LOOPBACK_NAMES


def serve(service: Service, where: Listening, say: Callable[[str], None]) -> None:
    """Answer until the process is told to stop; `say` is told each sentence for the person.

    Raises
    ------
    ConfigError
        The address is in use or not safe to open, the certificate can not be used, or another
        service runs on this memory.
    """
    settings = service.memory.settings.service
    _refuse_unsafe(service, where, settings)
    _refuse_bad_certificate(settings)
    with _only_one(service) as told, _bound(where) as bound:
        port = bound.getsockname()[1]
        told(f"{where.host}:{port}")
        scheme = "https" if settings.certificate else "http"
        shown = f"[{where.host}]" if ":" in where.host else where.host
        address = f"{scheme}://{shown}:{port}"
        say(f"The memory in {service.memory.folder} is served at {address} (Ctrl-C ends it).")
        if settings.maintain_hours is not None:
            say(
                f"Every {settings.maintain_hours:g} hours it does what 'freqtrade-mem0 maintain' "
                "does: searches then find old trades as summaries alone. 'freqtrade-mem0 maintain "
                "--dry-run' tells before; mem0.service.maintain_hours: null leaves that out."
            )
        if service.no_auth:
            say("Without keys: everybody on this machine can read, change and delete everything.")
        elif where.is_loopback:
            say(f"Open once in a browser: {address}/login?code={service.make_link()}")
        app = build_app(
            service,
            hosts=(*LOOPBACK_NAMES, where.host, *settings.allowed_hosts),
            takes_addresses=not where.is_loopback,
        )
        service.start()
        sys.setswitchinterval(_SWITCH_S)
        _give_back_large_memory()
        try:
            for each in (signal.SIGINT, signal.SIGTERM):
                # Uvicorn ends at them, and raises them once more when it has ended.
                signal.signal(each, lambda *_: None)
            _Server(_config(app, where, settings), service.pages.news.stop).run(sockets=[bound])
        finally:
            service.stop()


def _give_back_large_memory() -> None:
    """Let the system have back what a page computed with, where the C library can be told to.

    Otherwise each thread keeps freed arrays of some megabytes for later: with a million trades, a
    gigabyte after some pages.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)


class _Server(uvicorn.Server):
    """Calls `ends` when it is told to end, so that it need not wait for streams."""

    def __init__(self, config: uvicorn.Config, ends: Callable[[], None]) -> None:
        super().__init__(config)
        self._ends = ends

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal."""
        self._ends()
        super().handle_exit(sig, frame)


def _config(app: object, where: Listening, settings: ServiceSettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=where.behind_proxy,
        forwarded_allow_ips=list(settings.trusted_proxies),
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.certificate_key,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_STOP_S,
        ws="none",
        http=Connection,
    )


def _refuse_unsafe(service: Service, where: Listening, settings: ServiceSettings) -> None:
    if where.is_loopback:
        return
    if service.no_auth:
        raise ConfigError(
            f"--no-auth works on this machine alone, and {where.host} is reached from others. "
            "Leave out --no-auth and make a key ('freqtrade-mem0 keys add --role reader'), or use "
            "--host 127.0.0.1."
        )
    if not service.keys.has_valid():
        raise ConfigError(
            f"{where.host} is reached from other machines, and there is no key yet. Make one with "
            "'freqtrade-mem0 keys add --role reader', or use --host 127.0.0.1."
        )
    if settings.certificate is None and not where.behind_proxy:
        raise ConfigError(
            f"{where.host} is reached from other machines, and keys would travel in the clear. Set "
            "'mem0.service.certificate' and 'certificate_key', or say --behind-proxy where a proxy "
            "makes TLS or the network is private, as in Docker."
        )


def _refuse_bad_certificate(settings: ServiceSettings) -> None:
    if settings.certificate is None:
        return
    try:
        # The password is that of an encrypted key, which nobody is there to type.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            settings.certificate, settings.certificate_key, password=""
        )
    except OSError as error:  # `ssl.SSLError` is one
        raise ConfigError(
            f"'mem0.service.certificate' ({settings.certificate}) and 'certificate_key' "
            f"({settings.certificate_key}) can not be used: {error}. They must be files in PEM "
            "form that belong together, and the key must not be encrypted."
        ) from error


@contextmanager
def _only_one(service: Service) -> Iterator[Callable[[str], None]]:
    """Hold the lock of the memory's folder, and give what writes the address into it.

    The system releases it when the process ends.
    """
    path = service.memory.folder / LOCK
    make_folder(path.parent)
    with alone(path) as file:
        if file is None:
            by = path.read_text(encoding="utf-8", errors="replace")
            raise ConfigError(
                f"Another 'freqtrade-mem0 serve' ({by}) serves the memory in "
                f"{service.memory.folder}. Use that one, or stop it first."
            )

        def told(address: str) -> None:
            os.truncate(file, 0)
            os.write(file, f"process {os.getpid()}, {address}".encode())

        yield told


@contextmanager
def _bound(where: Listening) -> Iterator[socket.socket]:
    """Open the port before anything else, so that a port in use is said in a sentence."""
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    bound = socket.socket(family)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((where.host, where.port))
            bound.listen(_WAITING)  # who comes before it answers waits a moment
        except OSError as error:
            why = "is in use by another program" if error.errno == errno.EADDRINUSE else str(error)
            raise ConfigError(
                f"Port {where.port} of {where.host} can not be opened: it {why}. Choose another "
                "with --port."
            ) from error
        except OverflowError as error:
            raise ConfigError(f"There is no port {where.port}.") from error
        yield bound
    finally:
        bound.close()
