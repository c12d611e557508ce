"""Whatever a client of the MCP server says is answered within 2 kB, or refused with a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.mcp_server.encoding import as_json
from freqtrade_mem0.mcp_server.fitting import MOST_BYTES, fitted
from freqtrade_mem0.mcp_server.server import TOOLS
from tests.support.agent_stage import Stage, bots_trades
from tests.support.hostile_values import anything, nested

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMES = sorted({name for tool in TOOLS.values() for name in tool.arguments})
_SAID = st.dictionaries(
    st.sampled_from(_NAMES) | st.text(max_size=8),
    anything | nested | st.sampled_from(["BTCUSDT", "BUY", "recent", "profit:>1", 1, 3, 0.5]),
    max_size=6,
)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A memory with trades of a bot."""
    with TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        stage.remember(*bots_trades(20))
        yield stage
        stage.memory.close()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(sorted(TOOLS)), _SAID)
def test_every_call_is_answered_or_refused(stage: Stage, name: str, said: dict[str, Any]) -> None:
    """An answer is strict JSON of at most 2 kB."""
    tool = TOOLS[name]
    try:
        told = tool.checked(said)
        facts = fitted(tool, tool.run(stage.memory, told), told.get("skip", 0))
    except Mem0Error:
        return
    text = as_json(facts)
    assert json.loads(text).keys() == facts.keys()
    assert len(text.encode()) <= MOST_BYTES
