"""Pages for people: who sees them, errors in plain English, signing in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.service.shell.refusals import own_address
from tests.support.served import Served, served

if TYPE_CHECKING:
    from collections.abc import Iterator

HTML = {"Accept": "text/html,application/xhtml+xml"}
SAME_SITE = {"Origin": "http://localhost:8080", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service that asks for a key."""
    with served(tmp_path_factory.mktemp("site")) as running:
        yield running


def test_a_browser_gets_a_page_and_a_program_json(site: Served) -> None:
    """For the same error."""
    with site.client() as client:
        page, said = client.get("/dashboard", headers=HTML), client.get("/dashboard")
        assert (page.status_code, said.status_code) == (401, 401)
        assert "Sign in" in page.text
        assert "X-API-Key" not in page.text  # people send no headers
        assert "X-API-Key" in said.text
        assert "problem+json" in said.headers["content-type"]
    with site.as_("reader") as client:
        page = client.get("/nowhere", headers=HTML)
        assert page.status_code == 404
        assert page.headers["content-type"].startswith("text/html")
        page = client.get("/api/records?limit=0", headers=HTML)
        assert page.status_code == 422
        assert "limit" in page.text


def test_a_page_loads_and_runs_nothing_from_elsewhere(site: Served) -> None:
    """By its security policy, also where it is an error."""
    with site.as_("reader") as client:
        for path in ("/dashboard", "/nowhere"):
            policy = client.get(path, headers=HTML).headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "script-src 'self';" in policy
            assert "unsafe" not in policy


def test_a_key_lets_a_person_in_with_what_it_may(site: Served) -> None:
    """To the page that was wanted, until it is revoked; a wrong one does not."""
    shown = site.key("reader")
    with site.client(follow_redirects=False) as client:
        wrong = client.post("/login", data={"key": f"{shown}x"}, headers=SAME_SITE)
        assert wrong.status_code == 401
        assert "not valid" in wrong.text
        sent = {"key": shown, "wanted": "/trades?pair=ETH/USDT"}
        entered = client.post("/login", data=sent, headers=SAME_SITE)
        assert entered.headers["location"] == "/trades?pair=ETH/USDT"
        assert client.get("/dashboard").status_code == 200
        assert client.post("/backup", headers=SAME_SITE).status_code == 403
        site.service.keys.revoke(site.service.keys.all()[-1].id)
        assert client.get("/dashboard").status_code == 401


def test_signing_out_ends_the_session(site: Served) -> None:
    """Also for who kept the cookie."""
    with site.client(follow_redirects=False) as client:
        client.post("/login", data={"key": site.key("reader")}, headers=SAME_SITE)
        kept = dict(client.cookies)
        client.post("/logout", headers=SAME_SITE)
        assert client.get("/dashboard").status_code == 401
    with site.client(cookies=kept) as client:
        assert client.get("/dashboard").status_code == 401


def test_a_link_from_elsewhere_asks_again_with_the_cookie(site: Served) -> None:
    """A strict cookie does not come with it; a request of our own page brings it, once."""
    with site.client() as client:
        first = client.get("/dashboard", headers=HTML | {"Sec-Fetch-Site": "cross-site"})
        assert 'http-equiv="refresh"' in first.text
        again = client.get("/dashboard", headers=HTML | {"Sec-Fetch-Site": "same-origin"})
        assert 'http-equiv="refresh"' not in again.text


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "/\\evil.example", "https://evil.example", "/login?code=x", "/a\nb"],
)
def test_signing_in_leads_nowhere_else(wanted: str) -> None:
    """Than to a page of ours."""
    assert own_address(wanted) == "/"
