"""What all blocks of the configuration share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Block(BaseModel):
    """A block of keys: frozen, and with no key but the ones it names."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=False, allow_inf_nan=False, hide_input_in_errors=True
    )
