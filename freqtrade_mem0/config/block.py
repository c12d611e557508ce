"""What all blocks of the config have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Mapping


class Block(BaseModel):
    """A block of keys: frozen, and strict about their names."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=False, allow_inf_nan=False, hide_input_in_errors=True
    )


class PolicyBlock(Block):
    """The keys of one sizing policy; the docstring of the subclass describes it in the docs."""

    def check(self, sizing: Mapping[str, Any]) -> None:
        """Raise ValueError where a key contradicts one of the common keys of `"sizing"`."""

    def features(self) -> tuple[str, ...]:
        """Return the features of a situation that these keys name."""
        return ()
