"""The `"webhooks"` block, and the endpoints of variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.config.load import load_settings
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.webhooks.endpoint import configured, endpoints
from freqtrade_mem0.webhooks.signature import new_secret

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.webhooks.endpoint import Endpoint

URLS = {"CONTROLLER_URL": "http://controller:3000", "N8N_WEBHOOK_URL": "http://n8n:5678/webhook/x"}


def at(environ: dict[str, str], **block: Any) -> dict[str, Endpoint]:
    """Return the endpoints, by name."""
    settings = Settings.model_validate({"webhooks": {"enabled": True} | block})
    return {each.name: each for each in endpoints(settings, environ)}


@pytest.mark.parametrize(
    "endpoint",
    [
        {"url": "n8n:5678/webhook"},
        {"url": "ftp://n8n/webhook"},
        {"url": "http:///webhook"},
        {"url": "http://n8n:0/"},
        {"url": "http://n8n:99999/"},
        {"url": "http://me:hidden-word@n8n/"},
        {"url": "http://n8n/#hidden-word"},
        {"url": "http://n8n/a b"},
        {"url": "http://n8n/\r\nX-Key: 1"},
        {"url": "http://n8n\\@evil/"},
        {"url": "http://n8ñ/"},
        {"url": ""},
        {},
        {"url": "http://n8n/", "secret": "hidden-word"},
        {"url": "http://n8n/", "old_secret": "whsec_hidden-word"},
        {"url": "http://n8n/", "events": ["trade.opened"]},
        {"url": "http://n8n/", "timeout_s": 0},
        {"url": "http://n8n/", "urll": "x"},
    ],
)
def test_a_wrong_endpoint_is_named_and_no_secret_is_shown(endpoint: dict[str, Any]) -> None:
    """With its key."""
    block = {"webhooks": {"endpoints": {"there": endpoint}}}
    with pytest.raises(ConfigError, match=r"mem0\.webhooks\.endpoints\.there") as raised:
        load_settings({"mem0": block})
    assert "hidden-word" not in str(raised.value)


def test_variables_are_endpoints_where_webhooks_are_on() -> None:
    """A controller's route is the one that the mission calls."""
    assert {name: each.url for name, each in at(URLS).items()} == {
        "controller": "http://controller:3000/api/v1/notify",
        "n8n": "http://n8n:5678/webhook/x",
    }
    assert at(URLS, enabled=False) == {}
    assert at({}) == {}
    path = {"CONTROLLER_URL": "http://controller:3000/events/"}
    assert at(path)["controller"].url == "http://controller:3000/events/"


def test_the_config_goes_before_a_variable() -> None:
    """Under the same name."""
    found = at(URLS, endpoints={"n8n": {"url": "https://n8n.example/in"}})
    assert found["n8n"].url == "https://n8n.example/in"


def test_what_a_variable_says_is_checked_and_not_shown() -> None:
    """As the config is."""
    with pytest.raises(ConfigError, match="N8N_WEBHOOK_URL") as raised:
        at({"N8N_WEBHOOK_URL": "http://me:hidden-word@n8n/"})
    assert "hidden-word" not in str(raised.value)
    with pytest.raises(ConfigError, match="HOOK, which is not set"):
        at({}, endpoints={"there": {"url": "env:HOOK"}})


def test_secrets_that_are_missing_or_wrong_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the config is read, and not when something happens."""
    (tmp_path / "empty").touch()
    monkeypatch.setenv("HOOK_SECRET", "hidden-word")
    key = r"mem0\.webhooks\.endpoints\.there\.secret"
    files = (f"file:{tmp_path}/none", f"file:{tmp_path}/empty")
    for secret in ("env:NO_SECRET", "env:HOOK_SECRET", *files):
        with pytest.raises(ConfigError, match=key) as raised:
            at({}, endpoints={"there": {"url": "http://n8n/", "secret": secret}})
        assert "hidden-word" not in str(raised.value)
    monkeypatch.setenv("N8N_WEBHOOK_SECRET", new_secret())
    signed = at(URLS | {"N8N_WEBHOOK_SECRET": "set"})
    assert (signed["n8n"].is_signed, signed["controller"].is_signed) == (True, False)


def test_an_endpoint_is_shown_without_its_path() -> None:
    """It may be a secret."""
    settings = Settings.model_validate(
        {"webhooks": {"endpoints": {"there": {"url": "https://hooks.example/T0/hidden?k=1"}}}}
    )
    (endpoint,) = configured(settings.webhooks, {})
    assert endpoint.shown == "https://hooks.example"
