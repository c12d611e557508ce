"""The envelope of a memory's data key: the file `encryption.json` in its folder.

All files of a folder are encrypted by one random data key, which never changes. The envelope holds
it, encrypted by the owner's key (scrypt, then AES-256-GCM). So another key of the owner changes the
envelope, and no other file.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b, scrypt
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FILE_NAME = "encryption.json"
KEY_BYTES = 32
ARGUMENT = "the argument encryption_key"
"""The source of a key that a program gives itself."""

_FORMAT = 1
_SALT_BYTES = 16
_NONCE_BYTES = 12
_SCRYPT = {"n": 1 << 14, "r": 8, "p": 1}
"""16 MB and some 50 ms a guess. A random key needs none of it; a passphrase does."""


@dataclass(frozen=True, slots=True)
class Secret:
    """The owner's key; its text is not shown in `repr`.

    Parameters
    ----------
    source
        Where it is from, such as `env:MEM0_ENCRYPTION_KEY`.
    text
        The key itself.
    """

    source: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A wrapped data key.

    Parameters
    ----------
    data_key_id
        A hash that tells data keys apart.
    source
        Where the owner's key was found that wrapped it.
    salt, nonce, wrapped
        Of scrypt and AES-GCM, and the result, in hexadecimal digits.
    """

    data_key_id: str
    source: str
    salt: str
    nonce: str
    wrapped: str


def new_data_key() -> bytes:
    """Return a random data key."""
    return os.urandom(KEY_BYTES)


def wrap(data_key: bytes, secret: Secret) -> Envelope:
    """Return a data key encrypted by the owner's key."""
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    identity = blake2b(data_key, digest_size=16, person=b"m0 key id").hexdigest()
    wrapped = _aes(secret.text, salt).encrypt(nonce, data_key, identity.encode())
    return Envelope(identity, secret.source, salt.hex(), nonce.hex(), wrapped.hex())


@lru_cache(maxsize=16)
def unwrap(envelope: Envelope, secret: Secret) -> bytes | None:
    """Return the data key; None where the owner's key is another one."""
    from cryptography.exceptions import InvalidTag

    aes = _aes(secret.text, bytes.fromhex(envelope.salt))
    try:
        return aes.decrypt(
            bytes.fromhex(envelope.nonce),
            bytes.fromhex(envelope.wrapped),
            envelope.data_key_id.encode(),
        )
    except InvalidTag:
        return None


def read(path: Path) -> Envelope | None:
    """Return the envelope in a file; None where there is none.

    Raises
    ------
    ConfigError
        The file can not be read, or is no envelope.
    """
    try:
        return from_json(path.read_bytes(), str(path))
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None
    except OSError as error:
        raise ConfigError(f"{path} can not be read: {error.strerror}.") from error


def from_json(content: bytes, name: str) -> Envelope:
    """Return the envelope that a file `name` holds; raise `ConfigError` if it holds none."""
    try:
        found = json.loads(content)
        if found["format"] > _FORMAT:
            raise ConfigError(
                f"{name} has format {found['format']}, this version of freqtrade_mem0 reads up to "
                f"{_FORMAT}. Upgrade freqtrade_mem0."
            )
        envelope = Envelope(**{each: str(found[each]) for each in Envelope.__slots__})
        for digits in (envelope.salt, envelope.nonce, envelope.wrapped):
            bytes.fromhex(digits)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{name} is damaged, and without it nothing in its folder can be read. Copy it from a "
            "backup of this memory: every backup has it."
        ) from error
    return envelope


def to_json(envelope: Envelope) -> bytes:
    """Return an envelope as the content of a file."""
    items = {each: getattr(envelope, each) for each in Envelope.__slots__}
    return (json.dumps({"format": _FORMAT, **items}, indent=2) + "\n").encode()


def write(path: Path, envelope: Envelope, *, replace: bool = True) -> bool:
    """Write an envelope for its owner alone, at once or not at all.

    Parameters
    ----------
    path
        The file.
    envelope
        Its content.
    replace
        Whether a file that is there is replaced.

    Returns
    -------
    bool
        False where a file was there that is not replaced.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(to_json(envelope))
            file.flush()
            os.fsync(descriptor)
        if replace:
            fresh.replace(path)
        else:
            os.link(fresh, path)
    except FileExistsError:
        return False
    finally:
        fresh.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True


def share(folder: Path, work: Path) -> bool:
    """Let the files of another folder be encrypted as those of a memory's folder are.

    Returns
    -------
    bool
        Whether they are.
    """
    envelope = read(folder / FILE_NAME)
    if envelope is not None:
        write(work / FILE_NAME, envelope)
    return envelope is not None


def _aes(text: str, salt: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(scrypt(text.encode(), salt=salt, dklen=KEY_BYTES, **_SCRYPT))
