"""What all blocks of the config have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import core_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema


class Block(BaseModel):
    """A block of keys: frozen, and strict about their names.

    What checks its keys is built when it checks the first ones: most configs give few blocks, and
    every backtest and every worker of a hyperopt would wait for all of them. So the default of a
    block in a block is `model_construct`, which checks nothing.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=False,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        defer_build=True,
    )


class _WhenGiven:
    """Lets a block inside another be built only where the config gives it."""

    def __get_pydantic_core_schema__(
        self, source: type[Block], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            source.model_validate,
            serialization=core_schema.plain_serializer_function_ser_schema(_dumped, info_arg=True),
        )


def _dumped(block: Block, info: core_schema.SerializationInfo) -> dict[str, Any]:
    return block.model_dump(mode=info.mode)


WHEN_GIVEN = _WhenGiven()
"""Belongs into the annotation of such a block."""


class PolicyBlock(Block):
    """The keys of one sizing policy; the docstring of the subclass describes it in the docs."""

    def check(self, sizing: Mapping[str, Any]) -> None:
        """Raise ValueError where a key contradicts one of the common keys of `"sizing"`."""

    def features(self) -> tuple[str, ...]:
        """Return the features of a situation that these keys name."""
        return ()
