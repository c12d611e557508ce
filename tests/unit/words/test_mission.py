"""The table of aliases leads to things that are there, and shadows none of ours."""

from __future__ import annotations

from dataclasses import fields

import freqtrade_mem0
from freqtrade_mem0.client import Mem0Client
from freqtrade_mem0.config.settings import CategorySettings
from freqtrade_mem0.records.base import Category
from freqtrade_mem0.records.kinds import record_types
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.words import mission

OF_A_TRADE = {field.name for field in fields(TradeRecord)}
TOLD_BESIDE = {"strategy", "trade_id", "duration_minutes"}


def test_aliases_lead_to_ours() -> None:
    """To a category, a kind of record, a field of a trade, a side."""
    assert set(mission.CATEGORIES.values()) <= set(map(str, Category))
    assert set(mission.KINDS.values()) <= set(record_types())
    assert set(mission.TRADE_KEYS.values()) <= OF_A_TRADE | TOLD_BESIDE
    assert set(mission.SIDES.values()) == {"long", "short"}
    switches = {f"MEM0_STORE_{name.upper()}" for name in CategorySettings.model_fields}
    assert switches <= set(mission.ENVIRONMENT)


def test_no_alias_hides_a_name_of_ours() -> None:
    """Else the name that the docs give would mean something else."""
    assert not set(mission.CATEGORIES) & set(map(str, Category))
    assert not set(mission.KINDS) & set(record_types())
    assert not (set(mission.TRADE_KEYS) - {"id"}) & (OF_A_TRADE | TOLD_BESIDE)
    assert not set(mission.KEPT_KEYS) & (set(mission.TRADE_KEYS) | OF_A_TRADE | TOLD_BESIDE)
    assert not set(mission.NAMES) & set(freqtrade_mem0.__all__)
    assert not any(hasattr(Mem0Client, name) for name in mission.METHODS)


def test_what_is_offered_instead_is_there() -> None:
    """The first name in each piece of advice for a method is one of the client's."""
    for name, instead in mission.METHODS.items():
        assert callable(getattr(Mem0Client, instead.partition("(")[0])), name
