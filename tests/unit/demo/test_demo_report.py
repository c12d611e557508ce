"""What the demo prints of the user's own candles."""

from __future__ import annotations

import io
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from freqtrade_mem0.demo.candle_choice import Candles
from freqtrade_mem0.demo.freqtrade_run import Metrics
from freqtrade_mem0.demo.report import show_candles, show_comparison
from freqtrade_mem0.words.visible import visible
from tests.support.hostile_text import CONTROLS, HOSTILE_TEXTS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("text", HOSTILE_TEXTS[:-1], ids=ascii)
def test_the_demo_prints_names_as_they_are(text: str, tmp_path: Path) -> None:
    """Pairs, folders and currencies of the user's candles."""
    console = Console(file=io.StringIO(), width=400)
    candles = Candles(
        datadir=tmp_path / visible(text).replace("/", "-"),
        pairs=(text, "ETH/USDT"),
        timeframe=text,
        timerange=None,
        generated=False,
        n_candles=3,
    )
    metrics = Metrics(**dict.fromkeys((each.name for each in fields(Metrics)), 0))
    show_candles(console, candles)
    show_comparison(console, metrics, metrics, currency=text, generated=False)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert not CONTROLS - {"\n"} & set(shown)
    assert shown.count(visible(text)) >= 4
