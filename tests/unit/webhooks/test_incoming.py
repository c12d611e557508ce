from __future__ import annotations

import base64
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from standardwebhooks import Webhook

from freqtrade_mem0.audit.log import AuditLog
from freqtrade_mem0.errors import ConfigError, Mem0Error
from freqtrade_mem0.webhooks.signature import new_secret
from tests.support.served import Served, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET, OLD = (f"whsec_{base64.b64encode(each * 32).decode()}" for each in (b"a", b"b"))
SHARED = "a-shared-secret-of-n8n"
NOTICE = '{"type":"backtest","data":{"strategy":"test"}}'
ROUTES = {"/api/v1/notify": NOTICE, "/memory-webhook": '{"event":"memory:add","id":"x"}'}


def serving(folder: Path, monkeypatch: pytest.MonkeyPatch, **block: str) -> Any:
    """Serve a memory that takes webhooks with these secrets."""
    for name, value in block.items():
        monkeypatch.setenv(name.upper(), value)
    incoming = {name: f"env:{name.upper()}" for name in block}
    return served(folder, webhooks={"incoming": incoming})


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A service that takes signed webhooks."""
    with serving(tmp_path, monkeypatch, secret=SECRET, old_secret=OLD) as running:
        yield running


def signed(
    body: str, secret: str = SECRET, message_id: str = "msg_1", age_s: float = 0.0
) -> dict[str, str]:
    """Return the headers of a webhook as another system sends it."""
    at = datetime.fromtimestamp(int(time.time() - age_s), UTC)
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, at, body),
    }


def n_memories(site: Served) -> int:
    """Count what is stored."""
    total: int = site.as_("reader").get("/stats").json()["journal"]["total"]
    return total


@pytest.mark.parametrize("secret", [SECRET, OLD])
@pytest.mark.parametrize("path", ROUTES)
def test_a_signed_webhook_needs_no_key(site: Served, path: str, secret: str) -> None:
    """With either secret while they change."""
    body = ROUTES[path]
    answer = site.client().post(path, content=body, headers=signed(body, secret))
    assert answer.status_code == 200, answer.text
    assert n_memories(site) == (path == "/api/v1/notify")
    listed = [use.credential for use in AuditLog(site.service.memory.folder).uses()[0]]
    assert "mem0.webhooks.incoming.secret" in listed


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "headers",
    [
        signed("{}"),
        signed(NOTICE, new_secret()),
        {"webhook-signature": "v1,AAAA"},
        {"x-webhook-secret": SECRET},
        {"x-webhook-secret": ""},
        {},
    ],
)
def test_any_other_is_refused(site: Served, path: str, headers: dict[str, str]) -> None:
    """Another body, another secret, no id, the secret itself, nothing at all."""
    answer = site.client().post(path, content=NOTICE, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert SECRET not in answer.text
    assert n_memories(site) == 0


def test_an_old_webhook_is_refused(site: Served) -> None:
    """It was recorded by somebody, and is played again."""
    headers = signed(NOTICE, age_s=310)
    answer = site.client().post("/api/v1/notify", content=NOTICE, headers=headers)
    assert answer.status_code == 401
    assert "300 s" in answer.json()["detail"]


def test_a_webhook_that_comes_twice_is_taken_once(site: Served) -> None:
    """Its sender may not have heard the answer."""
    with site.client() as client:
        answers = [
            client.post("/api/v1/notify", content=NOTICE, headers=signed(NOTICE, message_id=each))
            for each in ("msg_1", "msg_1", "msg_2")
        ]
    assert [each.json()["status"] for each in answers] == ["success", "repeated", "success"]


def test_what_failed_may_come_again(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the same id."""

    def fail(*_: object) -> None:
        raise Mem0Error("not now")

    body = ROUTES["/memory-webhook"]
    with monkeypatch.context() as broken, site.client() as client:
        broken.setattr(site.service.beside, "pull_soon", fail)
        assert client.post("/memory-webhook", content=body, headers=signed(body)).status_code == 503
    answer = site.client().post("/memory-webhook", content=body, headers=signed(body))
    assert answer.json() == {"status": "accepted"}


@pytest.mark.parametrize(
    ("shown", "status"), [(SHARED, 200), (f"{SHARED}x", 401), ("", 401), (SECRET, 401)]
)
def test_a_shared_secret_is_shown_in_a_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: str, status: int
) -> None:
    """For systems that do not sign."""
    with serving(tmp_path, monkeypatch, secret=SHARED) as site:
        for headers, expected in (({"x-webhook-secret": shown}, status), (signed(NOTICE), 401)):
            headers["content-type"] = "application/json"
            answer = site.client().post("/api/v1/notify", content=NOTICE, headers=headers)
            assert answer.status_code == expected, answer.text


@pytest.mark.parametrize("path", ROUTES)
def test_without_a_secret_in_the_config_a_key_is_needed(tmp_path: Path, path: str) -> None:
    """Whatever is signed."""
    body = ROUTES[path]
    with served(tmp_path) as site:
        clients = (site.client(), site.as_("reader"), site.as_("writer"))
        answers = [each.post(path, content=body, headers=signed(body)) for each in clients]
        assert [each.status_code for each in answers] == [401, 403, 200]


@pytest.mark.parametrize(("way", "owner"), [("key", "ben"), ("signature", "freqtrade")])
def test_the_address_chooses_a_user_for_keys_alone(site: Served, way: str, owner: str) -> None:
    """It is no part of what is signed."""
    headers = signed(NOTICE)
    if way == "key":
        headers = {"x-api-key": site.key("writer"), "content-type": "application/json"}
    answer = site.client().post("/api/v1/notify?user_id=ben", content=NOTICE, headers=headers)
    record = site.service.memory.journal.record(answer.json()["id"])
    assert record is not None
    assert record.origin.user_id == owner


@pytest.mark.parametrize("path", ["/search", "/memory", "/users/me/forget"])
def test_a_signature_opens_no_other_route(site: Served, path: str) -> None:
    """It is for reports alone."""
    answer = site.client().post(path, content="{}", headers=signed("{}"))
    assert answer.status_code in {401, 405}


@pytest.mark.parametrize("secret", ["whsec_short", "too short"])
def test_a_weak_secret_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    """And not shown."""
    with (
        pytest.raises(ConfigError, match=r"mem0\.webhooks\.incoming\.secret") as raised,
        serving(tmp_path, monkeypatch, secret=secret),
    ):
        pass
    assert secret not in str(raised.value)
