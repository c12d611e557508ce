"""Blocks inside blocks: their defaults are not checked when they are taken, and must be right."""

from __future__ import annotations

import pytest

from freqtrade_mem0.config.block import Block
from freqtrade_mem0.config.settings import Settings


def _blocks_in(block: Block) -> list[Block]:
    inside = [value for _, value in block if isinstance(value, Block)]
    return inside + [deeper for each in inside for deeper in _blocks_in(each)]


DEFAULTS = {type(block): block for block in _blocks_in(Settings())}


@pytest.mark.parametrize("kind", DEFAULTS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_the_defaults_of_a_block_pass_its_own_checks(kind: type[Block]) -> None:
    """Unchecked defaults are what the block makes of no keys at all."""
    assert kind.model_validate({}) == DEFAULTS[kind]


def test_settings_survive_the_way_to_another_process() -> None:
    """A block that was given and one that was not come back equal from JSON."""
    settings = Settings.model_validate({"sizing": {"min_multiplier": 0.5}, "bot_id": "b"})

    again = Settings.model_validate_json(settings.model_dump_json())

    assert again.model_dump() == settings.model_dump()
    assert again.sizing.min_multiplier == 0.5
