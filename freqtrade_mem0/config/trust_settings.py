"""The `"trust"` block: whose records from Mem0 may count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from freqtrade_mem0.config.block import Block
from freqtrade_mem0.config.secrets import PREFIX, resolved
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHORTEST = 16


class TrustSettings(Block):
    """Whose records from Mem0 may count."""

    key: str | None = Field(
        None,
        description="`env:NAME` names an environment variable with a secret of the owner, at least"
        " 16 characters. With it, records in Mem0 are signed, and what comes from Mem0 without this"
        " signature is set aside and counts for nothing. All machines of the owner need the same"
        " key. `freqtrade-mem0 deliver --again` signs what is in Mem0 already.",
    )

    @field_validator("key")
    @classmethod
    def _names_a_variable(cls, value: str | None) -> str | None:
        if value is not None and not value.removeprefix(PREFIX).strip():
            raise ValueError(f'must name an environment variable, such as "{PREFIX}MEM0_TRUST_KEY"')
        return value

    def secret(self, environ: Mapping[str, str] | None = None) -> bytes | None:
        """Return the key itself; raise `ConfigError` where it is not set, or too short."""
        if self.key is None:
            return None
        text: str = resolved({"key": self.key}, "mem0.trust", environ)["key"]
        if len(text) < _SHORTEST:
            raise ConfigError(
                f'"mem0.trust.key" names the environment variable {self.key.removeprefix(PREFIX)}, '
                f"which holds {len(text)} characters: a key has at least {_SHORTEST}. Make one "
                "with 'openssl rand -hex 32'."
            )
        return text.encode()
