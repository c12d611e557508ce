"""`freqtrade-mem0 mcp` as a process, spoken to by the official client and by broken ones."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.agents import AgentMemory
from freqtrade_mem0.client import get_mem0_client
from freqtrade_mem0.mcp_server.fitting import MOST_BYTES
from freqtrade_mem0.records.kinds.agent_decision import AgentDecision
from tests.support.agent_stage import bots_trades
from tests.support.wait import HANG_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from mcp import ClientSession, types

pytestmark = pytest.mark.skipif(find_spec("mcp") is None, reason="mcp is not installed")

COMMAND = shutil.which("freqtrade-mem0", path=str(Path(sys.executable).parent)) or "freqtrade-mem0"
SIGNAL = {"symbol": "BTCUSDT", "action": "BUY"}

CHARS_PER_TOKEN = 3.3
"""A lower bound for this list: o200k_base and cl100k_base make a token of 3.5 characters of it."""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config whose memory has the trades of one bot, in the default mode."""
    path = tmp_path / "config.json"
    block = {"mem0": {"user_id": "me"}, "user_data_dir": str(tmp_path)}
    path.write_text(json.dumps(block), encoding="utf-8")
    with get_mem0_client(path) as client:
        client.folder.journal.append(bots_trades())
    return path


def arguments(config: Path) -> list[str]:
    """Return the command's arguments."""
    return ["mcp", "-c", str(config), "--agent-id", "claude"]


@asynccontextmanager
async def session(config: Path) -> AsyncIterator[ClientSession]:
    """Start a server and speak with it."""
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    started = StdioServerParameters(command=COMMAND, args=arguments(config), cwd=config.parent)
    async with (
        asyncio.timeout(HANG_S),
        stdio_client(started) as (incoming, outgoing),
        ClientSession(incoming, outgoing) as client,
    ):
        await client.initialize()
        yield client


def play(scene: Callable[[], Awaitable[Any]]) -> Any:
    """Run a scene."""

    async def run() -> Any:
        return await scene()

    return asyncio.run(run())


def text_of(result: types.CallToolResult) -> str:
    """Return the text of a result."""
    from mcp import types

    assert isinstance(result.content[0], types.TextContent)
    return str(result.content[0].text)


def test_a_client_lists_and_calls_every_tool(config: Path) -> None:
    """Hints, schemas, structured answers that fit them, sizes; errors do not end the server."""

    async def scene() -> None:
        async with session(config) as client:
            listed = (await client.list_tools()).tools
            assert len(listed) == 8
            dumped = [each.model_dump_json(by_alias=True, exclude_none=True) for each in listed]
            assert sum(map(len, dumped)) / CHARS_PER_TOKEN <= 2_500
            writing = [each.name for each in listed if not each.annotations.read_only_hint]
            assert writing == ["log_decision", "add_note"]
            assert all(each.output_schema for each in listed)
            for name, given in {
                "analyze_signal": SIGNAL,
                "similar_trades": SIGNAL | {"limit": 50},
                "why": {},
                "performance": {},
                "patterns": {},
                "search": {"query": "loss in BTC", "max_memories": 50},
                "log_decision": SIGNAL | {"reason": "x" * 3_000},
                "add_note": {"text": "losses come on Sundays"},
            }.items():
                found = await client.call_tool(name, given)
                assert not found.is_error, text_of(found)
                assert json.loads(text_of(found)) == found.structured_content
                assert len(text_of(found).encode()) <= MOST_BYTES
            wrong = await client.call_tool("search", {"query": "x", "max_memories": "many"})
            assert wrong.is_error
            assert "max_memories must be a whole number" in text_of(wrong)
            huge = await client.call_tool("add_note", {"text": "x" * 5_000_000})
            assert huge.is_error
            assert len(text_of(huge)) < 1_000
            assert not (await client.call_tool("performance", {})).is_error

    play(scene)


def test_two_servers_and_a_bot_write_into_one_memory(config: Path) -> None:
    """What one keeps, the others see; nothing is lost or refused."""

    def bot() -> None:
        with get_mem0_client(config) as client:
            for trade in bots_trades(30, seed=2):
                client.folder.journal.append([trade])

    async def scene() -> None:
        beside = threading.Thread(target=bot)
        beside.start()
        async with session(config) as one, session(config) as other:
            for number in range(15):
                for client in (one, other):
                    found = await client.call_tool("log_decision", SIGNAL | {"id": f"d{number}"})
                    assert not found.is_error, text_of(found)
            await one.call_tool("add_note", {"text": "spread is wide at midnight"})
            found = await other.call_tool("search", {"query": "wide spread"})
            assert "midnight" in text_of(found)
        beside.join()

    play(scene)
    with AgentMemory("claude", config=config) as memory:
        kept = list(memory.client.folder.journal.of_kind(AgentDecision))
    assert len(kept) == 15


def test_a_server_killed_while_it_keeps_a_decision_keeps_it_once(config: Path) -> None:
    """Whatever the moment, the same call afterwards gives one decision."""
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    }
    lines = [
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
    ]
    lines += [
        {
            "jsonrpc": "2.0",
            "id": number,
            "method": "tools/call",
            "params": {"name": "log_decision", "arguments": SIGNAL | {"id": f"d{number}"}},
        }
        for number in range(1, 30)
    ]
    with subprocess.Popen(
        [COMMAND, *arguments(config)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write("".join(f"{json.dumps(line)}\n" for line in lines))
        server.stdin.flush()
        answered = [json.loads(server.stdout.readline())["id"] for _ in range(8)]
        server.send_signal(signal.SIGKILL)

    async def scene() -> None:
        async with session(config) as client:
            for number in range(1, 30):
                found = await client.call_tool("log_decision", SIGNAL | {"id": f"d{number}"})
                assert not found.is_error

    acknowledged = [each for each in answered if each]
    with AgentMemory("claude", config=config) as memory:
        survived = len(list(memory.client.folder.journal.of_kind(AgentDecision)))
    assert survived >= len(acknowledged) > 0
    play(scene)
    with AgentMemory("claude", config=config) as memory:
        assert len(list(memory.client.folder.journal.of_kind(AgentDecision))) == 29


def test_broken_lines_leave_only_protocol_on_standard_output(config: Path) -> None:
    """No JSON, no object, half a message, too deep: then a good call is answered, and it ends."""
    good = {"jsonrpc": "2.0", "id": 7, "method": "ping"}
    broken = ["", "no json", "[]", "{}", '{"jsonrpc": "2.0"', "[" * 5_000, '"\ud800"', "\x1b[2J"]
    with subprocess.Popen(
        [COMMAND, *arguments(config), "--verbose"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        text = "\n".join([*broken, json.dumps(good), ""])
        server.stdin.write(text.encode(errors="surrogatepass"))
        server.stdin.flush()
        answers = [json.loads(server.stdout.readline())]
        while answers[-1].get("id") != good["id"]:
            answers.append(json.loads(server.stdout.readline()))
        rest, _ = server.communicate(timeout=HANG_S)
    assert server.returncode == 0
    assert rest == b""
    assert {each["jsonrpc"] for each in answers} == {"2.0"}


def test_a_wrong_config_ends_it_with_a_sentence(tmp_path: Path) -> None:
    """On standard error, before it serves."""
    path = tmp_path / "config.json"
    path.write_text('{"mem0": {"mode": "cloudy"}}', encoding="utf-8")
    done = subprocess.run(
        [COMMAND, "mcp", "-c", str(path)],
        input=b"",
        capture_output=True,
        timeout=HANG_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"cloudy" in done.stderr
