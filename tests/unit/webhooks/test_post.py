from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.webhooks.post import Outcome, _tls, post
from tests.servers.certificate import make_certificate
from tests.servers.loopback import Answer
from tests.servers.webhook_receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = b'{"type":"trade.closed"}'


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return a receiver that listens."""
    with Receiver() as receiving:
        yield receiving


def posted(url: str, timeout_s: float = 30.0, **how: Any) -> Outcome:
    """Post a body."""
    return post(url, {"webhook-id": "msg_1"}, BODY, timeout_s, **how)


def test_a_body_arrives_as_it_is(receiver: Receiver) -> None:
    """With the host of the address and the headers that were given."""
    assert posted(f"{receiver.url}/in?a=b") == Outcome(status=204, error="")
    (asked,) = receiver.asked
    assert (asked.method, asked.path, asked.query, asked.raw) == ("POST", "/in", {"a": "b"}, BODY)
    assert asked.headers["host"] == receiver.url.removeprefix("http://")
    assert asked.headers["webhook-id"] == "msg_1"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(receiver: Receiver, status: int) -> None:
    """Wherever it leads."""
    receiver.fails("answer", answer=Answer(status, "", {"Location": f"{receiver.url}/other"}))
    outcome = posted(receiver.url)
    assert (outcome.status, outcome.is_down) == (status, False)
    assert "not followed" in outcome.error
    assert receiver.count("POST") == 1


@pytest.mark.parametrize(
    ("status", "is_down", "is_gone"),
    [
        (400, False, False),
        (404, False, False),
        (410, False, True),
        (429, True, False),
        (500, True, False),
    ],
)
def test_statuses_say_who_is_at_fault(
    receiver: Receiver, status: int, *, is_down: bool, is_gone: bool
) -> None:
    """The message, the endpoint, or nobody: it wants no more."""
    receiver.fails("answer", answer=Answer(status, "secret of the receiver"))
    outcome = posted(receiver.url)
    assert (outcome.is_down, outcome.is_gone) == (is_down, is_gone)
    assert str(status) in outcome.error
    assert "secret" not in outcome.error


@pytest.mark.parametrize(
    ("text", "least_s", "most_s"),
    [("7", 7, 7), ("999999999", 86_400, 86_400), ("Wed, 01 Jan 2200 00:00:00 GMT", 86_400, 86_400)],
)
def test_a_wait_that_is_asked_for_is_read(
    receiver: Receiver, text: str, least_s: float, most_s: float
) -> None:
    """In seconds or as a date, and at most a day."""
    receiver.fails("answer", answer=Answer(429, "", {"Retry-After": text}))
    wait_s = posted(receiver.url).retry_after_s
    assert wait_s is not None
    assert least_s <= wait_s <= most_s


@pytest.mark.parametrize("text", ["soon", "-5", "", "1e3", "99999999999999999999999999x"])
def test_a_wait_that_is_none_is_left_out(receiver: Receiver, text: str) -> None:
    """As a header of another system may be anything."""
    receiver.fails("answer", answer=Answer(503, "", {"Retry-After": text}))
    assert posted(receiver.url).retry_after_s is None


@pytest.mark.parametrize("kind", ["hang", "drip-headers"])
def test_who_does_not_answer_in_time_has_not_answered(receiver: Receiver, kind: str) -> None:
    """However many bytes come meanwhile."""
    receiver.fails(kind)
    outcome = posted(receiver.url, timeout_s=0.3)
    assert (outcome.status, outcome.is_down) == (None, True)
    assert "within 0.3 s" in outcome.error


def test_a_body_without_end_is_not_waited_for(receiver: Receiver) -> None:
    """The status has said it all."""
    receiver.fails("drip")
    assert posted(receiver.url) == Outcome(status=200, error="")


def test_a_connection_that_is_cut_is_a_failure(receiver: Receiver) -> None:
    """Of the endpoint."""
    receiver.fails("drop")
    outcome = posted(receiver.url)
    assert outcome.is_down
    assert outcome.error


def test_a_flood_instead_of_an_answer_ends() -> None:
    """What is no HTTP is a failure, and so is a closed port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def flood() -> None:
            client, _ = server.accept()
            with client, suppress(OSError):  # the client leaves, as it should
                for _ in range(64):
                    client.sendall(b"x" * 65_536)

        thread = threading.Thread(target=flood, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        assert posted(url).is_down
    assert posted(url).is_down
    thread.join()


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "::ffff:169.254.169.254", "0.0.0.1", "fe80::1"]
)
def test_a_name_that_leads_to_a_metadata_service_is_refused(address: str) -> None:
    """Before anything is connected."""
    outcome = posted("http://hooks.example/in", resolve=lambda *_: [address])
    assert outcome.status is None
    assert "Nothing is sent to hooks.example" in outcome.error


def test_a_name_is_resolved_once_and_that_address_is_used(receiver: Receiver) -> None:
    """A resolver that answers otherwise the second time leads nowhere."""
    port = int(receiver.url.rpartition(":")[2])
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    outcome = posted(f"http://n8n.test:{port}/in", resolve=lambda *_: answers.pop(0))
    assert outcome == Outcome(status=204, error="")
    assert len(answers) == 1
    assert receiver.asked[0].headers["host"] == f"n8n.test:{port}"


def test_of_several_addresses_only_allowed_ones_are_used(receiver: Receiver) -> None:
    """One that does not answer is passed over."""
    port = int(receiver.url.rpartition(":")[2])
    addresses = ["169.254.169.254", "127.0.0.2", "127.0.0.1"]
    url = f"http://n8n.test:{port}/in"
    assert posted(url, resolve=lambda *_: addresses) == Outcome(status=204, error="")


def test_a_name_that_is_not_known_is_a_failure() -> None:
    """Of the endpoint, as it may be known again."""

    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(host, port)

    outcome = posted("http://n8n.test/", resolve=unknown)
    assert outcome.is_down
    assert outcome.error == "The name n8n.test can not be resolved."


def test_proxies_of_the_environment_are_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would resolve the name again."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert posted(receiver.url).status == 204


def test_a_certificate_must_be_for_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for by the name, and not by the address that was connected to."""
    tls, trusted = make_certificate(tmp_path)
    asked_for: list[str | None] = []
    tls.sni_callback = lambda _, name, __: asked_for.append(name)
    with Receiver(tls=tls) as receiving:
        unknown = posted(receiving.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        _tls.cache_clear()
        known = posted(receiving.url)
        port = receiving.url.rpartition(":")[2]
        other = posted(f"https://n8n.test:{port}/", resolve=lambda *_: ["127.0.0.1"])
    _tls.cache_clear()
    assert (unknown.is_down, known.status, other.is_down) == (True, 204, True)
    assert "certificate" in unknown.error.lower()
    assert "n8n.test" in other.error
    assert asked_for == [None, None, "n8n.test"]
    assert receiving.count("POST") == 1


def test_the_host_is_named_as_in_the_address() -> None:
    """Also an IPv6 address, in its brackets."""
    heard: list[bytes] = []
    try:
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with listening as server:

        def hear() -> None:
            client, _ = server.accept()
            with client:
                heard.append(client.recv(65_536))
                client.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

        thread = threading.Thread(target=hear, daemon=True)
        thread.start()
        address = f"[::1]:{server.getsockname()[1]}"
        assert posted(f"http://{address}/in").status == 204
        thread.join()
    assert f"host: {address}\r\n".encode() in heard[0].lower()
