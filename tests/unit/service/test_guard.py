"""Requests that no route sees: other hosts, other sites, too large, too slow, too many."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.service.guard import MOST_BYTES, Guard
from freqtrade_mem0.service.rates import RateLimit
from tests.support.served import Served, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

NOTE = {"messages": "careful", "metadata": {"category": "risk_profile"}}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service for everybody on this machine."""
    with served(tmp_path_factory.mktemp("site"), no_auth=True) as running:
        yield running


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "10.0.0.7:8080",
        "",
        "evil.example@localhost",
        "localhost/x",
    ],
)
def test_a_name_of_another_site_is_refused(site: Served, host: str) -> None:
    """So that a page can not reach it by rebinding its own name to this machine."""
    with site.client() as client:
        refused = client.get("/health", headers={"Host": host})
    assert refused.status_code == 421
    assert "allowed_hosts" in refused.json()["detail"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9", "[::1]:8080", "LOCALHOST:8080"])
def test_names_of_this_machine_are_answered(site: Served, host: str) -> None:
    """With any port, which another program may forward."""
    with site.client() as client:
        assert client.get("/health", headers={"Host": host}).json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost:8080"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://localhost:9999"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_pages_of_other_sites_do_not_write(
    site: Served, headers: dict[str, str], status: int
) -> None:
    """Programs send neither header, and may."""
    with site.client() as client:
        assert client.post("/memory", json=NOTE, headers=headers).status_code == status
        assert client.get("/health", headers=headers).status_code == 200


def test_a_body_of_two_lengths_is_refused(site: Served) -> None:
    """A proxy may read another request in it; with one of them it is read."""
    body = json.dumps(NOTE).encode()
    kind = {"Content-Type": "application/json"}
    with site.client() as client:
        both = client.post(
            "/memory",
            content=iter([body]),
            headers=kind | {"Content-Length": str(len(body)), "Transfer-Encoding": "chunked"},
        )
        assert both.status_code == 400
        assert "two different requests" in both.json()["detail"]
        assert client.post("/memory", content=iter([body]), headers=kind).status_code == 200
        assert client.post("/memory", content=body, headers=kind).status_code == 200


def test_a_form_of_another_site_is_no_request(site: Served) -> None:
    """A browser sends a form without asking; it is no JSON."""
    with site.client() as client:
        form = {"Content-Type": "text/plain"}
        assert client.post("/memory", content='{"messages": "x"}', headers=form).status_code == 422


@pytest.mark.parametrize("has_length", [True, False])
def test_a_body_that_is_too_large_is_refused(site: Served, *, has_length: bool) -> None:
    """Whether or not it says how large it is; one byte less is read."""

    def chunks() -> Iterator[bytes]:
        yield b"x" * (MOST_BYTES // 2)
        yield b"x" * (MOST_BYTES // 2 + 1)

    body: Any = b"".join(chunks()) if has_length else chunks()
    with site.client() as client:
        headers = {"Content-Type": "application/json"}
        assert client.post("/memory", content=body, headers=headers).status_code == 413
        assert client.post("/memory", content=b"x" * MOST_BYTES, headers=headers).status_code == 422


def test_a_body_that_never_ends_is_given_up() -> None:
    """And the route never waits for it."""

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError(scope, receive, send)

    sent: list[Any] = []

    async def receive() -> Any:
        if not sent:
            sent.append("first")
            return {"type": "http.request", "body": b"{", "more_body": True}
        return await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "headers": [(b"host", b"localhost")]}
    asyncio.run(Guard(route, body_timeout_s=0.01)(scope, receive, send))
    assert sent[1]["status"] == 408


def test_who_asks_too_often_is_told_when_to_ask_again(tmp_path: Path) -> None:
    """By key; another key may ask meanwhile."""
    with served(tmp_path, service={"requests_per_minute": 3, "maintain_hours": None}) as site:
        with site.as_("reader") as client:
            answers = [client.get("/stats") for _ in range(4)]
            assert [each.status_code for each in answers] == [200, 200, 200, 429]
            assert 1 <= int(answers[-1].headers["Retry-After"]) <= 20
        with site.as_("reader") as client:
            assert client.get("/stats").status_code == 200


def test_who_guesses_keys_is_stopped(tmp_path: Path) -> None:
    """By address; who has a key is not."""
    with served(tmp_path) as site, site.client("fm0_a_b") as guesser, site.as_("reader") as other:
        codes = {guesser.get("/stats").status_code for _ in range(70)}
        assert codes == {401, 429}
        assert other.get("/stats").status_code == 200


def test_a_limit_fills_up_again() -> None:
    """As time passes, and never beyond its size."""
    now = [0.0]
    limit = RateLimit(60, lambda: now[0])
    assert [limit.wait_s("a") for _ in range(61)] == [0] * 60 + [1]
    now[0] += 2
    assert [limit.wait_s("a") for _ in range(3)] == [0, 0, 1]
    now[0] += 3_600
    assert [limit.wait_s("a") for _ in range(61)] == [0] * 60 + [1]


def test_every_answer_tells_browsers_to_be_careful(site: Served) -> None:
    """No guessing of types, no foreign scripts, no frames, no caches."""
    with site.client() as client:
        for path in ("/health", "/docs", "/nowhere"):
            headers = client.get(path).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'self'" in headers["Content-Security-Policy"]
            assert headers["Cache-Control"] == "no-store"
