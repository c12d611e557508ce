"""Where the Mem0 server is: from the config, or from the environment, which overrides it."""

from __future__ import annotations

from typing import Any

import pytest

from freqtrade_mem0.config.address import check_address, server_url, vector_store
from freqtrade_mem0.config.environment import with_variables
from freqtrade_mem0.config.load import load_settings
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import ConfigError


def of(**block: Any) -> Settings:
    """Return settings with these keys."""
    return Settings.model_validate(block)


@pytest.mark.parametrize(
    ("block", "environ", "url"),
    [
        ({}, {}, None),
        ({"host": "mem0.lan"}, {}, "http://mem0.lan:8888"),
        ({"host": "mem0.lan", "port": 9000}, {}, "http://mem0.lan:9000"),
        ({"host": "mem0.lan:7000", "port": 9000}, {}, "http://mem0.lan:7000"),
        ({"host": "10.0.0.7"}, {}, "http://10.0.0.7:8888"),
        ({"host": "[::1]"}, {}, "http://[::1]:8888"),
        ({"host": "http://mem0.lan"}, {}, "http://mem0.lan"),
        ({"host": "https://mem0.example.org/"}, {}, "https://mem0.example.org"),
        ({"host": "https://mem0.example.org/api/"}, {}, "https://mem0.example.org/api"),
        ({"host": "https://mem0.example.org", "port": 8443}, {}, "https://mem0.example.org:8443"),
        ({"mode": "server"}, {"MEM0_HOST": "other"}, "http://other:8888"),
        ({"mode": "server"}, {"MEM0_HOST": "other", "MEM0_PORT": "7000"}, "http://other:7000"),
        ({"host": "mem0.lan"}, {"MEM0_HOST": "other"}, "http://mem0.lan:8888"),
        ({"host": "mem0.lan", "port": 9000}, {"MEM0_PORT": "7000"}, "http://mem0.lan:9000"),
        ({"host": "mem0.lan"}, {"MEM0_HOST": "", "MEM0_PORT": ""}, "http://mem0.lan:8888"),
        ({"host": "mem0.lan", "port": 9}, {"MEM0_URL": "https://a.b"}, "https://a.b"),
        ({}, {"MEM0_URL": "http://localhost:8080"}, "http://localhost:8080"),
        ({}, {"MEM0_HOST": "10.0.0.7", "MEM0_PORT": "7000"}, None),
    ],
)
def test_the_address_is_put_together(
    block: dict[str, Any], environ: dict[str, str], url: str | None
) -> None:
    """Config, then environment; 8888 where nothing says more."""
    assert server_url(of(**with_variables(block, environ))) == url


@pytest.mark.parametrize("port", ["0", "65536", "-1", "8888.0", "http"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    """With the variable, the value and the rule."""
    with pytest.raises(ConfigError, match=r"MEM0_PORT is .* must be a port, 1 to 65535"):
        with_variables({"host": "mem0.lan"}, {"MEM0_PORT": port})


@pytest.mark.parametrize(
    "host",
    ["ftp://mem0.lan", "https://", "http://me:s3cr3t@mem0.lan", "mem0.lan:s3cr3t", "me@mem0.lan"],
)
def test_an_address_that_is_none_is_refused(host: str) -> None:
    """And not shown: it may hold a password."""
    with pytest.raises(ConfigError, match="MEM0_URL") as error:
        server_url(of(host=host))
    assert "s3cr3t" not in str(error.value)


def test_qdrant_is_taken_from_the_environment_in_mode_server() -> None:
    """By the variable's name, not its value; a store in the config comes first."""
    environ = {"QDRANT_URL": "http://me:s3cr3t@qdrant:6333"}
    found = vector_store(of(mode="server"), environ)
    assert found is not None
    assert (found.provider, found.config) == ("qdrant", {"url": "env:QDRANT_URL"})
    assert vector_store(of(), environ) is None
    assert vector_store(of(mode="server"), {}) is None
    own = {"provider": "pgvector", "config": {"host": "db"}}
    chosen = vector_store(of(mode="server", vector_store=own), environ)
    assert chosen is not None
    assert chosen.provider == "pgvector"


def test_mode_server_without_a_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """One address, or one store, is enough; switched off, nothing is needed."""
    for name in ("MEM0_HOST", "MEM0_PORT", "QDRANT_URL"):
        monkeypatch.delenv(name, raising=False)
    block: dict[str, Any] = {"mode": "server"}
    with pytest.raises(ConfigError, match="no server is configured"):
        load_settings({"mem0": block})
    for more in ({"host": "mem0.lan"}, {"vector_store": {"provider": "qdrant"}}):
        assert load_settings({"mem0": block | more}) is not None
    assert load_settings({"mem0": block | {"enabled": False}}) is not None
    for name, value in (
        ("MEM0_HOST", "mem0.lan"),
        ("MEM0_URL", "http://mem0"),
        ("QDRANT_URL", "http://qdrant:6333"),
    ):
        with monkeypatch.context() as patched:
            patched.setenv(name, value)
            assert load_settings({"mem0": block}) is not None


def test_other_modes_need_no_server() -> None:
    """A wrong address that nobody asks for stops nobody."""
    for mode in ("embedded", "local", "platform"):
        check_address(of(mode=mode), {"MEM0_PORT": "nonsense"})
