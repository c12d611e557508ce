"""Whatever an agent says is answered or refused with a sentence, and moves no stake."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freqtrade_mem0.agents.__main__ import main, serve
from freqtrade_mem0.agents.pairs import meant_pair
from freqtrade_mem0.core_memory.log import agent_log
from freqtrade_mem0.errors import RecordError
from tests.support.agent_stage import Stage, bots_trades

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEYS = st.sampled_from(
    [
        "symbol",
        "pair",
        "action",
        "side",
        "strategy",
        "situation",
        "rsi",
        "id",
        "timestamp",
        "price",
        "confidence",
        "due",
        "horizon_hours",
        "stop_loss",
        "pnl",
        "status",
        "exit_price",
        "enter_tag",
    ]
)
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["BTCUSDT", "BTC/USDT", "BUY", "short", "Sample", "2024-01-02", "now"]),
)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)
)
_SAID = st.dictionaries(_KEYS | st.text(max_size=8), _VALUES, max_size=6)
_STAGE = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A memory with trades of a bot."""
    with TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        stage.remember(*bots_trades(20))
        yield stage
        stage.memory.close()


@_STAGE
@given(_SAID | _VALUES)
def test_a_signal_never_raises(stage: Stage, signal: Any) -> None:
    """The answer is JSON, its multiplier a finite factor, its confidence a probability."""
    found = stage.memory.analyze_signal(signal)
    json.dumps(found, allow_nan=False)
    assert 0.0 < found["multiplier"] < 10.0
    assert 0.0 <= found["confidence"] <= 1.0
    assert found["is_known"] or found["multiplier"] == 1.0


@_STAGE
@given(_SAID, _VALUES)
def test_a_decision_is_kept_once_or_refused(stage: Stage, decision: Any, result: Any) -> None:
    """With a sentence; what is kept can be shown, and changes no answer."""
    signal = {"symbol": "BTC/USDT", "action": "BUY", "volatility": 0.02}
    before = stage.memory.analyze_signal(signal)
    with suppress(RecordError):
        kept = stage.memory.log_decision(decision)
        assert stage.memory.log_decision(decision) == kept
        stage.memory.log_decision(decision, result)
        stage.memory.log.resolve()
        rows = agent_log(stage.memory.client.folder, "me")
        json.dumps(rows, allow_nan=False)
        assert [row["id"] for row in rows].count(kept) == 1
    assert stage.memory.analyze_signal(signal) == before


@given(
    st.text(max_size=30), st.lists(st.sampled_from(["BTC/USDT", "ETH/BTC", "X/Y:Y"]), unique=True)
)
def test_a_symbol_is_a_pair_or_a_problem(symbol: str, known: list[str]) -> None:
    """Never both, and a known pair never needs a guess."""
    found = meant_pair(symbol, known)
    assert bool(found.pair) != bool(found.problem)
    assert all(meant_pair(pair, known).pair == pair for pair in known)


@_STAGE
@given(st.lists(st.text(max_size=30) | _SAID.map(json.dumps), max_size=5))
def test_each_line_has_an_answer(stage: Stage, lines: list[str]) -> None:
    """A line of JSON, whatever it was asked."""
    asked = [line.replace("\n", " ") for line in lines if line.strip()]
    out = io.StringIO()
    serve(stage.memory, asked, out)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(answers) == len(asked)


def test_commands_come_as_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `python -m freqtrade_mem0.agents` reads them; it ends with its input."""
    monkeypatch.chdir(tmp_path)
    lines = [
        {"command": "log_decision", "params": {"symbol": "BTCUSDT", "action": "BUY", "id": 1}},
        {"command": "log_decision", "params": {"decision": {"id": 1}, "result": {"pnl": 1}}},
        {"command": "analyze_market", "params": {"symbol": "BTCUSDT"}},
        {"command": "propose_parameters", "params": {"changes": {"x": 1}, "reason": "why"}},
        {"command": "parameters"},
        {"command": "parameters", "params": {"strat": "A"}},
        {"command": "analyse_signal"},
    ]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(map(json.dumps, lines))))
    options = ["--agent-id", "dev_trader", "--memory-path", str(tmp_path / "kept"), "--verbose"]
    assert main(options) == 0
    shown = capsys.readouterr()
    first, second, market, proposed, holding, unknown, wrong = map(
        json.loads, shown.out.splitlines()
    )
    assert (len(proposed["id"]), holding) == (36, {})
    assert unknown["error"] == "parameters takes strategy, and not 'strat'."
    assert (first, market["pair"]) == (second, "BTC/USDT")
    assert "Did you mean 'analyze_signal'?" in wrong["error"]
    assert "Agent dev_trader: no trades yet" in shown.err
    assert main(["--agent-id", "a b"]) == 1
