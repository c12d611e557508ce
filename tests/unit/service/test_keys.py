"""Keys and tokens: what they open, and every way in which they do not."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.service.file import ServiceFile
from freqtrade_mem0.service.keys import Keys, Role
from freqtrade_mem0.service.tokens import Tokens
from tests.support.served import Served, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MONTH_S = 30 * 86_400


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """The clock of `file`."""
    return Clock()


@pytest.fixture
def file(tmp_path: Path, clock: Clock) -> Iterator[ServiceFile]:
    """A service's file."""
    opened = ServiceFile(tmp_path, clock)
    yield opened
    opened.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    """A service."""
    with served(tmp_path) as running:
        yield running


def claims(file: ServiceFile, **changed: Any) -> tuple[str, bytes, dict[str, Any]]:
    """Return kid, secret and claims of a token that would be valid, with changes."""
    keys, tokens = Keys(file), Tokens(file)
    key, _ = keys.add(Role.READER)
    token = tokens.issue(key.id)
    assert tokens.key_id(token) == key.id
    kid = jwt.get_unverified_header(token)["kid"]
    (secret,) = file.rows("SELECT secret FROM signing WHERE kid = ?", [kid])[0]
    payload = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    return kid, secret, {k: v for k, v in (payload | changed).items() if v is not None}


def test_a_key_is_found_and_only_its_hash_is_stored(file: ServiceFile) -> None:
    """And any change of a character makes it another."""
    key, text = Keys(file).add(Role.WRITER)
    assert text.startswith(f"fm0_{key.id}_")
    assert Keys(file).found(text) == key
    for wrong in (
        text[:-1],
        f"{text}x",
        text.replace("fm0_", "fm1_"),
        "",
        "fm0_",
        f"fm0_{key.id}_",
    ):
        assert Keys(file).found(wrong) is None
    secret = text.removeprefix(f"fm0_{key.id}_")
    assert secret.encode() not in b"".join(p.read_bytes() for p in file.path.parent.iterdir())
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_a_key_ends_when_it_expires_or_is_revoked(file: ServiceFile, clock: Clock) -> None:
    """At that moment, and its tokens with it."""
    keys, tokens = Keys(file), Tokens(file)
    key, text = keys.add(Role.READER, expires_in=timedelta(seconds=60))
    clock.now_s += 59
    assert keys.found(text) is not None
    clock.now_s += 1
    assert keys.found(text) is None
    key, text = keys.add(Role.READER)
    assert tokens.key_id(tokens.issue(key.id)) == key.id
    keys.revoke(key.id)
    assert keys.found(text) is keys.by_id(key.id) is None
    with pytest.raises(RecordError, match="There is no key 'nope'"):
        keys.revoke("nope")


@pytest.mark.parametrize("lasts_s", [0, 899])
def test_a_token_is_valid_for_a_quarter_of_an_hour(
    file: ServiceFile, clock: Clock, lasts_s: int
) -> None:
    """And not a second longer."""
    tokens = Tokens(file)
    token = tokens.issue("a")
    clock.now_s += lasts_s
    assert tokens.key_id(token) == "a"
    clock.now_s += 900 - lasts_s
    assert tokens.key_id(token) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "another"},
        {"aud": None},
        {"iss": "another"},
        {"iss": None},
        {"exp": None},
        {"exp": 9_000_000_000},
        {"exp": "soon"},
        {"iat": None},
        {"iat": 1_900_000_000, "exp": 1_900_000_900},
        {"sub": None},
        {"jti": None},
        {"type": "refresh"},
        {"type": None},
    ],
)
def test_a_claim_that_is_wrong_or_missing_ends_it(
    file: ServiceFile, changed: dict[str, Any]
) -> None:
    """Also with the right secret."""
    kid, secret, payload = claims(file, **changed)
    token = jwt.encode(payload, secret, "HS256", headers={"kid": kid})
    assert Tokens(file).key_id(token) is None


def test_another_algorithm_is_refused(file: ServiceFile) -> None:
    """None at all, a stronger one with the right secret, and a public key as the secret."""
    kid, secret, payload = claims(file)
    assert Tokens(file).key_id(jwt.encode(payload, "", "none", headers={"kid": kid})) is None
    assert Tokens(file).key_id(jwt.encode(payload, secret, "HS512", headers={"kid": kid})) is None
    private = rsa.generate_private_key(65_537, 2_048)
    assert Tokens(file).key_id(jwt.encode(payload, private, "RS256", headers={"kid": kid})) is None
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, body, _ = jwt.encode(payload, secret, "HS256", headers={"kid": kid}).split(".")
    forged = hmac.new(public, f"{head}.{body}".encode(), hashlib.sha256).digest()
    signed = f"{head}.{body}.{urlsafe_b64encode(forged).decode().rstrip('=')}"
    assert Tokens(file).key_id(signed) is None


@pytest.mark.parametrize("kid", ["unknown", None, "' OR 1=1 --"])
def test_an_unknown_secret_is_refused(file: ServiceFile, kid: str | None) -> None:
    """Also where the name of the secret is none."""
    _, secret, payload = claims(file)
    headers = None if kid is None else {"kid": kid}
    token = jwt.encode(payload, secret, "HS256", headers=headers)
    assert Tokens(file).key_id(token) is None


def test_secrets_change_once_a_month_and_old_ones_end(file: ServiceFile, clock: Clock) -> None:
    """The one before is kept, as its tokens may still be valid; `rotate` ends all."""
    tokens = Tokens(file)
    kids = []
    for _ in range(3):
        kids.append(jwt.get_unverified_header(tokens.issue("a"))["kid"])
        clock.now_s += MONTH_S
    assert len(set(kids)) == 3
    assert {kid for (kid,) in file.rows("SELECT kid FROM signing")} == set(kids[1:])
    token = tokens.issue("a")
    assert tokens.key_id(token) == "a"
    tokens.rotate()
    assert tokens.key_id(token) is None


def test_a_token_stands_for_its_key_and_ends_with_it(site: Served) -> None:
    """A token makes no token, so that a stolen one ends; a revoked key's is not replayed."""
    key, text = site.service.keys.add(Role.READER)
    with site.client(text) as client:
        token = client.post("/api/token").json()["access_token"]
    with site.client() as client:
        client.headers["Authorization"] = f"Bearer {token}"
        assert client.get("/stats").status_code == 200
        assert client.post("/api/token").status_code == 409
        site.service.keys.revoke(key.id)
        assert client.get("/stats").status_code == 401


def test_a_key_is_shown_in_either_header(site: Served) -> None:
    """As `X-API-Key` or as a bearer; nothing else opens, and the answer says what to send."""
    text = site.key("reader")
    with site.client() as client:
        for header in ({"X-API-Key": text}, {"Authorization": f"Bearer {text}"}):
            assert client.get("/stats", headers=header).status_code == 200
        for header in ({}, {"X-API-Key": "fm0_a_b"}, {"Authorization": f"Basic {text}"}):
            refused = client.get("/stats", headers=header)
            assert refused.status_code == 401
            assert refused.headers["content-type"] == "application/problem+json"
            assert "X-API-Key" in refused.json()["detail"]
            assert refused.headers["WWW-Authenticate"] == "Bearer"


def test_the_link_lets_one_person_in_once(site: Served) -> None:
    """Its cookie is out of reach of scripts and other sites, and writes only from its own pages."""
    code = site.service.make_link()
    with site.client(follow_redirects=False) as client:
        assert client.get("/login", params={"code": "wrong"}).status_code == 401
        opened = client.get("/login", params={"code": code})
        assert opened.status_code == 303
        cookie = opened.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert client.get("/stats").status_code == 200
        assert client.get(opened.headers["location"]).headers["location"] == "/dashboard"
        told = {"condition": "calm", "description": "nothing moves"}
        path = "/api/memory/record-market-condition"
        assert client.post(path, json=told).status_code == 401
        own = {"Origin": "http://localhost:8080", "Sec-Fetch-Site": "same-origin"}
        assert client.post(path, json=told, headers=own).status_code == 200
        assert client.get("/login", params={"code": code}).status_code == 401


def test_when_a_key_was_used_is_noted(site: Served) -> None:
    """A while later, as no request waits for it."""
    with site.as_("reader") as client:
        client.get("/stats")
    site.service.note_used_keys()
    assert site.service.keys.all()[-1].used_ms is not None


def test_a_token_that_no_text_can_be_is_refused_like_any_other(file: ServiceFile) -> None:
    """Half of a surrogate pair as the name of the secret."""
    header = urlsafe_b64encode(b'{"alg": "HS256", "kid": "\\ud800"}').rstrip(b"=").decode()
    _, *rest = Tokens(file).issue("some").split(".")
    assert Tokens(file).key_id(".".join([header, *rest])) is None
