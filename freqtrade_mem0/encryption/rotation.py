"""Puts another key of the owner in the place of the present one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.encryption import envelope as envelopes
from freqtrade_mem0.encryption.envelope import FILE_NAME, Secret
from freqtrade_mem0.encryption.keyring import KEYRING
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def rotate_key(folder: Path, old: Secret, new: Secret) -> None:
    """Wrap the data key of a memory's folder by another key; a kill leaves the old or the new one.

    Parameters
    ----------
    folder
        The memory's folder. Whoever uses it goes on.
    old, new
        The owner's keys.

    Raises
    ------
    ConfigError
        The memory is not encrypted, or by another key than the old one, or both keys are the same.
    """
    path = folder / FILE_NAME
    envelope = envelopes.read(path)
    if envelope is None:
        raise ConfigError(f"The memory in {folder} is not encrypted: there is no key to change.")
    if old.text == new.text:
        raise ConfigError(f"{old.source} and {new.source} name the same key.")
    KEYRING.unlock(folder, old)
    data_key = KEYRING.open(envelope, folder)
    envelopes.write(path, envelopes.wrap(data_key, new))
    KEYRING.unlock(folder, new)
