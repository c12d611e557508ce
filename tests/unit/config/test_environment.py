"""Variables that stand for keys: from the environment and from `.env.mem0`, named where wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.config import environment
from freqtrade_mem0.config.load import load_settings
from freqtrade_mem0.config.secrets import resolved
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.words import mission

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SAMPLES = {"switch": "off", "number": "8", "port": "8081", "text": "http://mem0.lan"}


@pytest.fixture(params=["environment", "file"])
def give(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str], None]:
    """Set a variable, in the environment or in a line of `.env.mem0`."""
    monkeypatch.chdir(tmp_path)
    environment._warn.cache_clear()
    for name in mission.ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)

    def in_file(name: str, value: str) -> None:
        with (tmp_path / ".env.mem0").open("a", encoding="utf-8") as file:
            file.write(f"{name}={value}\n")

    return monkeypatch.setenv if request.param == "environment" else in_file


def loaded(**block: Any) -> Settings:
    """Return the settings of a config with this block."""
    settings = load_settings({"mem0": block})
    assert settings is not None
    return settings


def value_at(settings: Any, key: str) -> object:
    """Return the value of a key with dots."""
    for part in key.split("."):
        settings = getattr(settings, part)
    return settings


@pytest.mark.parametrize("name", mission.ENVIRONMENT)
def test_each_variable_reaches_its_keys(give: Callable[[str, str], None], name: str) -> None:
    """With another value than the default, and none of them is ignored."""
    variable = mission.ENVIRONMENT[name]
    give(name, "on" if name == "MEM0_ENABLE_WEBHOOKS" else SAMPLES[variable.kind])
    before, settings = Settings(), loaded()
    for key in variable.keys:
        assert value_at(settings, key) != value_at(before, key), key


def test_the_config_is_overridden_and_the_rest_of_a_block_stays(
    give: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Freqtrade's own way of overriding a key comes first."""
    give("MEM0_STORE_RISK_PROFILE", "false")
    give("MEM0_SYNC_INTERVAL", "300")
    settings = loaded(categories={"market_conditions": False}, sync_interval=5)
    off = {name for name, is_on in settings.categories if not is_on}
    assert (off, settings.sync_interval) == ({"risk_profile", "market_conditions"}, 300)
    monkeypatch.setenv("FREQTRADE__MEM0__SYNC_INTERVAL", "9")
    assert loaded(sync_interval=9).sync_interval == 9


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MEM0_ENABLED", "perhaps", "MEM0_ENABLED is 'perhaps': it must be true or false"),
        ("MEM0_RETENTION_DAYS", "soon", "MEM0_RETENTION_DAYS is 'soon': it must be a number"),
        ("MEM0_SYNC_INTERVAL", "0", r"\(from MEM0_SYNC_INTERVAL\): input should be greater"),
        ("MEM0_PORT", "65536", "it must be a port, 1 to 65535"),
        ("MEM0_URL", "http://me:s3cr3t@mem0", r"\(or MEM0_URL\) must be an address without user"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable(
    give: Callable[[str, str], None], name: str, value: str, sentence: str
) -> None:
    """And a secret in it is not shown."""
    give(name, value)
    with pytest.raises(ConfigError, match=sentence) as error:
        loaded()
    assert "s3cr3t" not in str(error.value)


def test_a_wrong_block_stays_wrong(give: Callable[[str, str], None]) -> None:
    """A variable does not paint over a mistake in the config."""
    give("MEM0_STORE_RISK_PROFILE", "false")
    with pytest.raises(ConfigError, match=r'"mem0\.categories" is \[\'risk\'\]'):
        loaded(categories=["risk"])


def test_an_unknown_variable_is_named_once(
    give: Callable[[str, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    """With the one that was meant; Mem0's own are left alone."""
    give("MEM0_SYNC_INTERVALL", "3")
    give("MEM0_TELEMETRY", "false")
    loaded()
    loaded()
    (said,) = [record.getMessage() for record in caplog.records]
    assert said == (
        "The variable MEM0_SYNC_INTERVALL is unknown and has no effect."
        " Did you mean 'MEM0_SYNC_INTERVAL'?"
    )


def test_an_old_address_is_kept_with_a_warning(
    give: Callable[[str, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    """MEM0_HOST is where our service listens; only without a remote's address it is that, too."""
    give("MEM0_HOST", "mem0.lan")
    give("MEM0_PORT", "9000")
    settings = loaded(mode="server")
    assert (settings.host, settings.port, settings.service.port) == ("mem0.lan", 9000, 9000)
    assert 'as "mem0.host" is not set' in caplog.text
    assert loaded(mode="server", host="other").host == "other"
    assert loaded().host is None


def test_a_name_in_a_provider_block_may_be_in_the_file(
    give: Callable[[str, str], None],
) -> None:
    """`env:NAME` and QDRANT_URL are looked up in both places."""
    give("QDRANT_URL", "http://qdrant:6333")
    assert resolved({"url": "env:QDRANT_URL"}, "x") == {"url": "http://qdrant:6333"}
    assert loaded(mode="server").mode == "server"
