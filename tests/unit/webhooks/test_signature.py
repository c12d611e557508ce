from __future__ import annotations

import base64
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from freqtrade_mem0.errors import ConfigError, ScopeError
from freqtrade_mem0.webhooks.signature import key_of, signature, verified_id

SECRET, OTHER = (f"whsec_{base64.b64encode(each * 32).decode()}" for each in (b"a", b"b"))
KEYS = [key_of(SECRET, "secret")]
NOW_S = 1_704_103_200


@given(st.binary(min_size=24, max_size=64), st.text(st.characters(codec="utf-8")))
def test_signatures_are_those_of_the_standards_own_library(key: bytes, text: str) -> None:
    """Whatever secret and body."""
    secret = f"whsec_{base64.b64encode(key).decode()}"
    at = datetime.fromtimestamp(NOW_S, UTC)
    expected = Webhook(secret).sign("msg_1", at, text)
    assert signature([key_of(secret, "secret")], "msg_1", NOW_S, text.encode()) == expected


@pytest.mark.parametrize("secret", [SECRET, OTHER])
def test_a_receiver_with_either_secret_accepts_while_they_change(secret: str) -> None:
    """Both keys sign."""
    now_s, body = int(time.time()), b'{"type":"trade.closed"}'
    both = [key_of(SECRET, "secret"), key_of(OTHER, "old_secret")]
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(now_s),
        "webhook-signature": signature(both, "msg_1", now_s, body),
    }
    assert Webhook(secret).verify(body, headers) == {"type": "trade.closed"}


def incoming(**changed: str) -> dict[str, str]:
    """Return the headers of a webhook that another system signed now, with some changed."""
    at = datetime.fromtimestamp(NOW_S, UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(NOW_S),
        "webhook-signature": Webhook(SECRET).sign("msg_1", at, "{}"),
    }
    return headers | {f"webhook-{name}": value for name, value in changed.items()}


@pytest.mark.parametrize("now_s", [NOW_S - 300, NOW_S, NOW_S + 300])
def test_what_the_standards_library_signs_is_accepted(now_s: float) -> None:
    """Within five minutes."""
    assert verified_id(KEYS, incoming(), b"{}", now_s) == "msg_1"


def test_one_right_signature_of_several_is_enough() -> None:
    """As while the sender's secrets change."""
    right = incoming()["webhook-signature"]
    headers = incoming(signature=f"v1a,abc v1,AAAA {right}")
    assert verified_id(KEYS, headers, b"{}", NOW_S) == "msg_1"


@pytest.mark.parametrize(
    ("headers", "body", "now_s"),
    [
        (incoming(), b"{} ", NOW_S),
        (incoming(), b"{}", NOW_S + 301),
        (incoming(), b"{}", NOW_S - 301),
        (incoming(id="msg_2"), b"{}", NOW_S),
        (incoming(id=""), b"{}", NOW_S),
        (incoming(id="x" * 300), b"{}", NOW_S),
        (incoming(timestamp=str(NOW_S + 1)), b"{}", NOW_S),
        (incoming(timestamp="nan"), b"{}", NOW_S),
        (incoming(timestamp="1e9"), b"{}", NOW_S),
        (incoming(timestamp="\u0661"), b"{}", NOW_S),
        (incoming(timestamp="9" * 400), b"{}", NOW_S),
        (incoming(signature=""), b"{}", NOW_S),
        (incoming(signature="v1,"), b"{}", NOW_S),
        (incoming(signature="\udce4"), b"{}", NOW_S),
        ({}, b"{}", NOW_S),
    ],
)
def test_anything_else_is_refused(headers: dict[str, str], body: bytes, now_s: float) -> None:
    """A changed body, an old time, another id, no signature, and nonsense."""
    with pytest.raises(ScopeError):
        verified_id(KEYS, headers, body, now_s)


def test_another_secret_is_refused() -> None:
    """The twin of what is accepted."""
    with pytest.raises(ScopeError, match="another secret"):
        verified_id([key_of(OTHER, "secret")], incoming(), b"{}", NOW_S)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_short", "plain text", "whsec_!!!", "A" * 44]
)
def test_a_secret_that_is_none_is_refused_without_being_shown(secret: str) -> None:
    """The message names the key of the config."""
    with pytest.raises(ConfigError, match=r"mem0\.webhooks\.secret") as raised:
        key_of(secret, "mem0.webhooks.secret")
    assert not secret.removeprefix("whsec_") or secret not in str(raised.value)
