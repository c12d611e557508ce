"""The `"encryption"` block: where the key is that encrypts the memory's files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from freqtrade_mem0.config.block import Block
from freqtrade_mem0.config.secrets import PREFIX
from freqtrade_mem0.config.variables import variables
from freqtrade_mem0.encryption.envelope import Secret
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = "file:"
_MOST_BYTES = 10_000


class EncryptionSettings(Block):
    """Encryption of the files in the memory's folder."""

    key: str | None = Field(
        None,
        description="`env:NAME` or `file:PATH`: the environment variable or the file with the"
        " owner's key, such as `openssl rand -base64 32` makes. With it the files in the memory's"
        " folder are encrypted. A memory that is there already is encrypted by `freqtrade-mem0"
        " encrypt`. Without the key nothing of it can be read, by anybody. Needs the extra"
        " `encryption`.",
    )

    @field_validator("key")
    @classmethod
    def _is_a_reference(cls, value: str | None) -> str | None:
        if value is not None and not _name_in(value):
            raise ValueError(
                f'must say where the key is, as "{PREFIX}MEM0_ENCRYPTION_KEY" or'
                f' "{_FILE}/run/secrets/mem0_key", and not hold the key itself'
            )
        return value

    def secret(self, environ: Mapping[str, str] | None = None) -> Secret | None:
        """Return the key; None where there is none.

        Parameters
        ----------
        environ
            Default: the process's environment and `.env.mem0`.

        Raises
        ------
        ConfigError
            The variable is not set, or the file can not be read or is empty.
        """
        return None if self.key is None else secret_at(self.key, "mem0.encryption.key", environ)


def secret_at(reference: str, named_by: str, environ: Mapping[str, str] | None = None) -> Secret:
    """Return the key that `env:NAME` or `file:PATH` names.

    Parameters
    ----------
    reference
        Where it is.
    named_by
        The config key or option that has the reference, for the message.
    environ
        Default: the process's environment and `.env.mem0`.

    Raises
    ------
    ConfigError
        The reference has another form, the variable is not set, or the file can not be read or is
        empty.
    """
    name = _name_in(reference)
    if not name:
        raise ConfigError(
            f"{named_by} must be {PREFIX}NAME or {_FILE}PATH, which say where the key is; the key "
            "itself must not stand there."
        )
    if reference.startswith(PREFIX):
        found = (variables() if environ is None else environ).get(name, "")
        place = f"the environment variable {name}, which is not set"
    else:
        place = f"the file {name}, which is empty"
        try:
            with Path(name).expanduser().open(encoding="utf-8") as file:
                found = file.read(_MOST_BYTES)
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no UTF-8 text"
            raise ConfigError(f'"{named_by}" names the file {name}: {why}.') from error
    text = found.strip()
    if not text:
        raise ConfigError(
            f'"{named_by}" names {place}. Without the key the memory can not be opened.'
        )
    return Secret(reference, text)


def _name_in(reference: str) -> str:
    for prefix in (PREFIX, _FILE):
        if reference.startswith(prefix):
            return reference.removeprefix(prefix).strip()
    return ""
