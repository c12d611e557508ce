"""The routes: what is told is found again, and mistakes are answered with the library's words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.records.kinds.note import Note
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.service.routes import upkeep
from tests.support.served import Served, served
from tests.support.wait import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

TRADE: dict[str, Any] = {
    "trade_id": "T-17",
    "asset": "BTC/USDT",
    "action": "BUY",
    "entry_price": 40_000.0,
    "exit_price": 40_400.0,
    "pnl": 125.0,
    "strategy": "Momentum7",
    "duration_minutes": 30,
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    """A service of an empty memory."""
    with served(tmp_path) as running:
        yield running


@pytest.fixture
def client(site: Served) -> Iterator[TestClient]:
    """A client that may do everything."""
    with site.as_("admin") as opened:
        yield opened


def told(metrics: dict[str, Any], strategy: str = "Trend") -> dict[str, Any]:
    """Return the result of a backtest as a workflow posts it."""
    said = f"Backtest results for {strategy}: {json.dumps(metrics)}"
    metadata = {
        "type": "backtest",
        "strategy": strategy,
        "timestamp": "2024-06-27T10:00:00Z",
        "metrics": metrics,
    }
    return {"messages": [{"role": "system", "content": said}], "metadata": metadata}


def test_a_trade_is_durable_once_it_is_answered(site: Served, client: TestClient) -> None:
    """It is in the journal, under the names of the record and those in which it was told."""
    answer = client.post("/api/memory/record-trade", json=TRADE).json()
    assert (answer["status"], answer["message"]) == ("success", "Trade T-17 recorded")
    record = site.service.memory.journal.record_of(TradeRecord, answer["id"])
    assert record is not None
    assert record.profit_ratio == pytest.approx(0.01)
    performance = client.get("/api/memory/strategy-performance/Momentum7").json()
    assert performance["memories"][0]["pnl"] == 125
    assert performance["insights"]["n_effective"] == 1
    (row,) = client.get("/api/records", params={"where": "pair:BTC* AND profit:>0.5"}).json()
    assert (row["id"], row["mode"]) == (answer["id"], "manual")


def test_results_are_found_by_their_numbers(site: Served, client: TestClient) -> None:
    """Nested metrics are flat; what is said is a note, and never evidence."""
    good = client.post("/memory", json=told({"profit": 12.5, "by": {"long": 9.0}})).json()["id"]
    client.post("/memory", json=told({"profit": 3.0}, "Range"))
    for query, kind in [
        ("strategy:Trend AND profit:>10.0", "backtest"),
        ("profit:>10", None),
        ("metrics.by.long:9.0", None),
        ("strategy:Trend", "backtest"),
        ("timestamp:[2024-01-01 TO 2024-06-27] AND strategy:Trend", None),
    ]:
        asked = {"query": query} | ({"type": kind} if kind else {})
        found = client.get("/search", params=asked).json()
        assert [each["id"] for each in found["results"]] == [good], query
    assert client.get("/search", params={"query": "profit:>10", "type": "live"}).json() == {
        "results": [],
        "count": 0,
    }
    note = site.service.memory.journal.record_of(Note, good)
    assert note is not None  # stakes are computed from trades alone


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ('Backtest results for Trend: {"profit": 12.5, "trades": 40}', True),
        ('Backtest results for Trend: {"profit": 2.5}', False),
        ("Backtest results for Trend: {profit: 12.5}", False),
        ("{" * 100_000, False),
        ("good", False),
    ],
)
def test_numbers_in_the_text_of_a_result_are_found(
    client: TestClient, text: str, *, is_found: bool
) -> None:
    """As scripts write them that know no metadata; what is no JSON stays text."""
    result = {"messages": text, "metadata": {"type": "backtest", "strategy": "Trend"}}
    assert client.post("/memory", json=result).status_code == 200
    asked = {"query": "strategy:Trend AND profit:>10.0", "type": "backtest"}
    assert client.get("/search", params=asked).json()["count"] == is_found


@pytest.mark.parametrize("in_body", [True, False])
def test_a_risk_event_is_told_in_the_body_or_the_address(
    client: TestClient, *, in_body: bool
) -> None:
    """By the same names."""
    event = {"event_type": "drawdown", "description": "minus 8 %", "impact": "Medium - watch"}
    how: dict[str, Any] = {"json": event} if in_body else {"params": event}
    assert client.post("/api/memory/record-risk-event", **how).json()["status"] == "success"
    found = client.get("/search", params={"query": "event_type:drawdown"}).json()["results"]
    assert found[0]["metadata"]["impact"] == "Medium - watch"


def test_a_report_of_another_system_is_found_by_its_strategy(client: TestClient) -> None:
    """As n8n or a controller sends it."""
    report = {"type": "backtest", "data": {"strategy": "test", "id": 7, "kind": "x"}}
    assert client.post("/api/v1/notify", json=report).status_code == 200
    (found,) = client.get("/search", params={"query": "strategy:test"}).json()["results"]
    assert found["metadata"]["type"] == "backtest"
    assert found["metadata"]["data.id"] == 7


def test_an_event_of_mem0_is_a_hint_and_no_fact(client: TestClient) -> None:
    """Its text is not stored."""
    event = {"event": "memory:add", "id": "x", "memory": "buy everything"}
    assert client.post("/memory-webhook", json=event).json() == {"status": "accepted"}
    assert client.get("/stats").json()["journal"]["total"] == 0


def test_a_memory_is_changed_and_deleted_under_its_id(client: TestClient) -> None:
    """And neither where it is not there."""
    kept = client.post("/memory", json={"messages": "no leverage"}).json()["id"]
    assert client.put(f"/memory/{kept}", json={"text": "little leverage"}).status_code == 200
    (found,) = client.get("/search").json()["results"]
    assert (found["id"], found["memory"]) == (kept, "little leverage")
    assert client.delete(f"/memory/{kept}").status_code == 200
    assert client.get("/search").json()["results"] == []
    assert client.delete(f"/memory/{kept}").status_code == 404
    assert client.put("/memory/unknown", json={"text": "x"}).status_code == 404


@pytest.mark.parametrize("number", [2**63, 10**40])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/memory", {"messages": "a text", "metadata": {"n": [0]}}),
        ("/api/v1/notify", {"type": "report", "data": {"n": 0}}),
        ("/api/memory/record-trade", {"pair": "BTC/USDT", "pnl": 1, "metadata": {"n": 0}}),
        (
            "/api/memory/record-market-condition",
            {"condition": "up", "description": "since Monday", "metadata": {"n": 0}},
        ),
        ("/api/agent/log-decision", {"decision": {"symbol": "BTC/USDT", "action": "BUY", "n": 0}}),
    ],
)
def test_what_is_answered_with_success_can_be_read(
    site: Served, client: TestClient, path: str, body: dict[str, Any], number: int
) -> None:
    """A number that no reader takes is refused, and not lost behind a success."""
    large = json.loads(json.dumps(body).replace(": 0", f": {number}").replace("[0]", f"[{number}]"))
    answer = client.post(path, json=large)
    if answer.status_code == 200:
        assert site.service.memory.journal.record(answer.json()["id"]) is not None
    else:
        assert answer.status_code == 422, answer.text
    kept = client.post(path, json=body)
    assert kept.status_code == 200, kept.text
    if path == "/memory":
        kept_id = kept.json()["id"]
        changed = client.put(f"/memory/{kept_id}", json={"metadata": {"n": number}})
        assert changed.status_code in {200, 422}, changed.text
        assert site.service.memory.journal.record(kept_id) is not None


def test_an_agent_asks_and_logs(client: TestClient) -> None:
    """The decision is labelled as the agent's."""
    found = client.post("/api/agent/analyze-signal", json={"symbol": "BTCUSDT", "action": "BUY"})
    assert (found.json()["multiplier"], found.json()["is_known"]) == (1.0, False)
    decision = {"symbol": "BTC/USDT", "action": "BUY", "reason": "breakout", "confidence": 0.8}
    told_so = {"decision": decision, "agent_id": "trader_1"}
    logged = client.post("/api/agent/log-decision", json=told_so).json()["id"]
    (row,) = client.get("/api/records", params={"kind": "agent_decision"}).json()
    assert (row["id"], row["run_id"]) == (logged, "trader_1")


def test_forgetting_says_how_many(client: TestClient) -> None:
    """After it, nothing is found; a dry run only counts."""
    client.post("/api/memory/record-trade", json=TRADE)
    path = "/users/freqtrade/forget"
    assert client.post(path, json={"dry_run": True}).json()["would_delete"]["records"] == 1
    answer = client.post(path)
    assert answer.status_code == 200, answer.text
    receipt = answer.json()
    assert (receipt["n_deleted"], receipt["user_id"], receipt["complete"]) == (1, "freqtrade", True)
    assert client.get("/api/records").json() == []
    (job,) = client.get("/jobs").json()
    assert (job["name"], job["state"], job["params"]) == ("forget", "done", {})
    assert "freqtrade" not in str(job["result"])


def test_forgetting_that_takes_long_is_a_job(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its result is the receipt."""
    monkeypatch.setattr(upkeep, "FORGET_WAIT_S", 0.0)
    client.post("/api/memory/record-trade", json=TRADE)
    asked = client.post("/users/freqtrade/forget")
    assert asked.status_code == 202
    watch = asked.json()["watch"]
    assert eventually(lambda: client.get(watch).json()["ended_at"] is not None)
    assert client.get(watch).json()["result"]["deleted"]["records"] == 1


def test_an_export_is_what_import_takes_back(client: TestClient) -> None:
    """JSON lines, with the records of the query."""
    client.post("/api/memory/record-trade", json=TRADE)
    lines = [json.loads(line) for line in client.get("/export").text.splitlines()]
    assert [each.get("kind") for each in lines][1] == "trade"


@pytest.mark.parametrize("path", ["/backup", "/optimize", "/cleanup?older_than=30d"])
def test_long_work_is_a_job_that_can_be_watched(client: TestClient, path: str) -> None:
    """Asked for twice while it waits or runs, it is one job."""
    client.post("/api/memory/record-trade", json=TRADE)
    method = "DELETE" if "cleanup" in path else "POST"
    asked = client.request(method, path)
    assert asked.status_code == 202
    watch = asked.json()["watch"]
    assert client.request(method, path).json()["id"] == asked.json()["id"]
    assert eventually(lambda: client.get(watch).json()["ended_at"] is not None)
    job = client.get(watch).json()
    assert (job["state"], job["error"]) == ("done", "")
    assert job["result"]
    assert client.get("/jobs").json()[0]["id"] == job["id"]
    assert client.get("/jobs/unknown").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "how", "says"),
    [
        ("post", "/api/memory/record-trade", {"json": {"pnl": 1}}, "needs 'pair'"),
        ("post", "/api/memory/record-trade", {"json": {**TRADE, "entry_prise": 1}}, "entry_price"),
        ("post", "/api/memory/record-risk-event", {}, "event_type and description"),
        ("post", "/memory", {"json": {"messages": []}}, "at least one message"),
        ("post", "/memory", {"json": {"messages": "a", "metadata": {"kind": 1}}}, "my_kind"),
        ("get", "/search", {"params": {"query": "stratgy:X"}}, "Did you mean 'strategy'"),
        ("get", "/search", {"params": {"category": "nope"}}, "the six are"),
        ("get", "/api/records", {"params": {"limit": 0}}, "limit"),
        ("delete", "/cleanup", {"params": {"older_than": "soon"}}, "older_than"),
        ("delete", "/cleanup", {"params": {"older_than": "0d"}}, "older_than"),
        ("post", "/memory", {"content": b'{"messages": "\\ud800"}'}, "Unicode"),
        ("post", "/memory", {"content": b"{"}, "JSON"),
    ],
)
def test_a_mistake_is_named(
    client: TestClient, method: str, path: str, how: dict[str, Any], says: str
) -> None:
    """As problem details: which value, which rule, what to do."""
    headers = {"Content-Type": "application/json"} if "content" in how else {}
    answer = client.request(method, path, headers=headers, **how)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["type"], problem["status"]) == ("about:blank", 422)
    assert says in problem["detail"]


def test_metrics_are_prometheus_and_a_browser_is_sent_on(site: Served, client: TestClient) -> None:
    """With bounded labels, and no pair, user or strategy in them."""
    client.post("/api/memory/record-trade", json=TRADE)
    site.service.metrics._count_at_s = 0.0
    site.service.metrics.count()
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    text = answer.text
    done = 'operations_total{backend="local",operation="record_trade",outcome="ok"} 1.0'
    assert f"freqtrade_mem0_{done}" in text
    assert 'memories{category="strategy_performance",tier="hot"} 1.0' in text
    assert 'freqtrade_mem0_outbox_records{state="pending"} 0.0' in text
    assert not {word for word in ("BTC", "Momentum7", "T-17") if word in text}
    browser = client.get("/metrics", headers={"Accept": "text/html"}, follow_redirects=False)
    assert browser.headers["location"] == "/worth"


def test_the_description_has_every_route_with_an_example(site: Served, client: TestClient) -> None:
    """For programs, and for people as a page without scripts."""
    paths = client.get("/openapi.json").json()["paths"]
    page = client.get("/docs").text
    assert "<script" not in page
    for path, methods in paths.items():
        for method, route in methods.items():
            assert route["description"]
            assert f"{method.upper()} {path}" in page
    assert site.app.openapi()["components"]["schemas"]["Problem"]
