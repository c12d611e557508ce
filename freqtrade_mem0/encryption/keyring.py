"""The data keys that this process has unlocked, and which of them a file is encrypted by.

They are kept for the life of the process: a key of the owner that is changed meanwhile does not end
what runs. Whoever opens a memory's folder with a key tells it here (`unlock`); whoever opens a file
asks here (`data_key`).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from freqtrade_mem0.encryption import envelope as envelopes
from freqtrade_mem0.encryption.envelope import FILE_NAME, Envelope, Secret
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_DEPTH = 4
"""In so many folders an envelope is looked for: unfinished copies are below their memory."""


class Keyring:
    """See the module. Safe to share between threads, and over a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._data_keys: dict[str, bytes] = {}
        self._offered: dict[Secret, None] = {}
        self._wanted: dict[Path, Secret] = {}
        """Folders in which new files are encrypted, also after they were deleted."""

    def offer(self, secret: Secret) -> None:
        """Try a key of the owner with every envelope that is met from now on."""
        with self._lock:
            self._offered[secret] = None

    def unlock(self, folder: Path, secret: Secret | None) -> None:
        """Unlock a memory's folder, or prepare it to be encrypted once a file is made in it.

        Raises
        ------
        ConfigError
            It is encrypted and there is no key, or another one; or it is plain and there is one.
        """
        found = envelopes.read(folder / FILE_NAME)
        if secret is None:
            if found is not None:
                raise _no_key(folder, found)
            with self._lock:
                self._wanted.pop(folder.resolve(), None)
            return
        self.offer(secret)
        plain = data_files(folder) if found is None else []
        if found is not None:
            self._keep(found, _unwrapped(folder, found, secret))
        elif plain:
            raise ConfigError(
                f'{plain[0]} is not encrypted, and "mem0.encryption.key" asks for an '
                "encrypted memory. Stop what uses it and run 'freqtrade-mem0 encrypt', or take the "
                "key out of the config."
            )
        with self._lock:
            self._wanted[folder.resolve()] = secret

    def data_key(self, path: Path) -> bytes | None:
        """Return the key that a file is encrypted by; None where it is plain.

        Parameters
        ----------
        path
            A file, which may be missing, in a memory's folder or in one below it.

        Raises
        ------
        ConfigError
            It is encrypted, and this process has no key for it.
        """
        for folder in tuple(path.parents)[:_DEPTH]:
            found = envelopes.read(folder / FILE_NAME)
            if found is not None:
                return self.open(found, folder)
        place = path.parent.resolve()
        with self._lock:
            secret = self._wanted.get(place)
        return None if secret is None or is_filled(path) else self._started(place, secret)

    def open(self, envelope: Envelope, folder: Path) -> bytes:
        """Return the data key in an envelope; raise `ConfigError` where no key offered fits."""
        with self._lock:
            known, offered = self._data_keys.get(envelope.data_key_id), tuple(self._offered)
        for secret in offered if known is None else ():
            known = envelopes.unwrap(envelope, secret)
            if known is not None:
                self._keep(envelope, known)
                break
        if known is None:
            raise _no_key(folder, envelope) if not offered else _wrong_key(folder, envelope)
        return known

    def _started(self, folder: Path, secret: Secret) -> bytes:
        data_key = envelopes.new_data_key()
        envelope = envelopes.wrap(data_key, secret)
        if not envelopes.write(folder / FILE_NAME, envelope, replace=False):
            found = envelopes.read(folder / FILE_NAME)  # another process was first
            if found is not None:
                envelope, data_key = found, _unwrapped(folder, found, secret)
        self._keep(envelope, data_key)
        return data_key

    def _keep(self, envelope: Envelope, data_key: bytes) -> None:
        with self._lock:
            self._data_keys[envelope.data_key_id] = data_key


KEYRING = Keyring()
"""That of this process."""


def data_files(folder: Path) -> list[Path]:
    """Return the SQLite files of a memory that are not empty, plain or encrypted."""
    found = (path for ending in ("*.sqlite", "*.db") for path in folder.glob(ending))
    return sorted(path for path in found if is_filled(path))


def is_filled(path: Path) -> bool:
    """Return whether a file is there and not empty."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _unwrapped(folder: Path, envelope: Envelope, secret: Secret) -> bytes:
    data_key = envelopes.unwrap(envelope, secret)
    if data_key is None:
        raise _wrong_key(folder, envelope)
    return data_key


def _no_key(folder: Path, envelope: Envelope) -> ConfigError:
    return ConfigError(
        f"The memory in {folder} is encrypted, and the config has no key. Set "
        f'"mem0.encryption.key" to {_named(envelope)}.'
    )


def _wrong_key(folder: Path, envelope: Envelope) -> ConfigError:
    return ConfigError(
        f'The memory in {folder} is encrypted by another key than "mem0.encryption.key" names. Let '
        f"it name the right one: when the key was set, that was {_named(envelope)}."
    )


def _named(envelope: Envelope) -> str:
    return f'"{envelope.source}"' if ":" in envelope.source else f"that of {envelope.source}"
