"""The real service in a real process: other programs' calls as they stand, kills, second starts."""

from __future__ import annotations

import asyncio
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
import requests

from freqtrade_mem0.journal.journal import Journal
from tests.support.service_process import ServiceProcess, command, environment
from tests.support.wait import HANG_S, eventually

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.flow

CALLS = (
    "curl {url}/health",
    "curl {url}/vectors/status",
    "curl {url}/metrics",
    "curl {url}/stats",
    "curl {url}/status",
    """curl -X POST {url}/api/v1/notify -H "Content-Type: application/json" \\
        -d '{{"type":"backtest","data":{{"strategy":"test"}}}}'""",
    "curl {url}/search?query=strategy:test",
    "curl -X POST {url}/backup",
    "curl {url}/export",
    "curl -X DELETE {url}/cleanup?older_than=30d",
    "curl -X POST {url}/optimize",
)


def store_result(url: str, strategy: str, metrics: dict[str, Any]) -> Any:
    """Post the result of a backtest as a script does that knows no keys."""
    data: Any = {
        "messages": [
            {"role": "system", "content": f"Results of {strategy}: {json.dumps(metrics)}"}
        ],
        "metadata": {"type": "backtest", "strategy": strategy},
    }
    return requests.post(f"{url}/memory", json=data, timeout=HANG_S).json()


def run(folder: Path, name: str, *options: str, **block: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*command(folder, name, **block), *options],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )


def test_scripts_that_know_no_keys_work_on_this_machine(tmp_path: Path) -> None:
    """With `--no-auth`: curl and requests as they stand in others' pages."""
    with ServiceProcess(tmp_path, "--no-auth") as service:
        for call in CALLS:
            line = call.format(url=service.url).replace("curl", "curl -sS --fail-with-body", 1)
            done = subprocess.run(  # noqa: S602 - a line as people type it
                line, shell=True, capture_output=True, text=True, timeout=HANG_S, check=False
            )
            assert done.returncode == 0, (line, done.stdout, done.stderr)
        kept = store_result(service.url, "Trend", {"profit": 12.5, "trades": 40})
        store_result(service.url, "Range", {"profit": 3.0})
        asked = {"query": "strategy:Trend AND profit:>10.0", "type": "backtest"}
        found = requests.get(f"{service.url}/search", params=asked, timeout=HANG_S).json()
        assert [each["id"] for each in found["results"]] == [kept["id"]]
        jobs = requests.get(f"{service.url}/jobs", timeout=HANG_S).json()
        assert {each["name"] for each in jobs} == {"backup", "cleanup", "optimize"}
        assert "Without keys" in "".join(service.output)
        assert service.stop() == 0

    refused = run(tmp_path, "serve", "--no-auth", "--host", "0.0.0.0")  # noqa: S104
    assert refused.returncode == 1
    assert "--no-auth works on this machine alone" in refused.stderr


def test_an_agent_on_another_machine_speaks_mcp(tmp_path: Path) -> None:
    """The official client, with a key that is bound; a wrong key is refused."""
    pytest.importorskip("mcp")
    from mcp import ClientSession
    from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

    made = run(tmp_path, "keys", "add", "--role", "writer", "--user", "ann", "--json")
    key = json.loads(made.stdout)["key"]

    async def scene(url: str) -> Any:
        headers = {"Authorization": f"Bearer {key}"}
        async with (
            asyncio.timeout(HANG_S),
            create_mcp_http_client(headers=headers) as http,
            streamable_http_client(f"{url}/mcp?agent_id=claude", http_client=http) as streams,
            ClientSession(streams[0], streams[1]) as client,
        ):
            await client.initialize()
            assert len((await client.list_tools()).tools) == 8
            await client.call_tool("add_note", {"text": "losses come on Sundays"})
            return (await client.call_tool("search", {"query": "Sundays"})).structured_content

    with ServiceProcess(tmp_path, mode="local") as service:
        (found,) = asyncio.run(scene(service.url))["memories"]
        assert (found["text"], found["origin"]) == ("losses come on Sundays", "agent claude")
        refused = httpx.post(f"{service.url}/mcp", json={}, timeout=HANG_S)
        assert refused.status_code == 401


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    """Trades from several threads while it is killed; the next start goes on, a job too."""
    made = run(tmp_path, "keys", "add", "--role", "writer", "--json")
    key = json.loads(made.stdout)["key"]
    answered: list[str] = []

    def tell(number: int) -> None:
        trade = {"trade_id": f"T{number}", "pair": "BTC/USDT", "profit_ratio": 0.01}
        with suppress(httpx.HTTPError):
            answer = client.post("/api/memory/record-trade", json=trade)
            if answer.status_code == 200:
                answered.append(answer.json()["id"])

    with ServiceProcess(tmp_path) as service:
        headers = {"X-API-Key": key}
        with (
            httpx.Client(base_url=service.url, headers=headers, timeout=HANG_S) as client,
            ThreadPoolExecutor(4) as threads,
        ):
            for number in range(400):
                threads.submit(tell, number)
            assert eventually(lambda: len(answered) > 50)
            second = run(tmp_path, "serve", "--port", "0")
            assert second.returncode == 1
            assert "Another 'freqtrade-mem0 serve'" in second.stderr
            assert f"process {service.process.pid}, {urlsplit(service.url).netloc}" in second.stderr
            service.kill()
    assert len(answered) > 50
    journal = Journal(tmp_path / "mem0")
    assert [each for each in answered if not journal.is_current(each)] == []
    journal.close()

    with ServiceProcess(tmp_path) as service:
        stats = httpx.get(f"{service.url}/stats", headers={"X-API-Key": key}, timeout=HANG_S)
        assert stats.json()["journal"]["total"] >= len(answered)
        other = tmp_path / "other"
        other.mkdir()
        taken = run(other, "serve", "--port", str(service.port))
        assert taken.returncode == 1
        assert f"Port {service.port} of 127.0.0.1 can not be opened: it is in use" in taken.stderr
        assert service.stop() == 0
