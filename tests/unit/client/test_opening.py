"""Scripts, command line and bots open one memory, and each says which it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0 import Mem0Client, TradeMemory, get_mem0_client, initialize_mem0
from freqtrade_mem0.cli.main import main
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working folder without a key."""
    monkeypatch.chdir(tmp_path)
    for name in ("M0_API_KEY", "MEM0_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def written(path: Path, **config: Any) -> Path:
    """Return the path of a config file with these keys."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


@pytest.mark.parametrize("place", ["config.json", "user_data/config.json"])
def test_the_library_opens_the_memory_of_the_command_line(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same config file, the same folder, the same user."""
    block = {"mode": "local", "user_id": "ann", "path": str(tmp_path / "kept")}
    written(tmp_path / place, mem0=block)
    with get_mem0_client() as client:
        client.store("risk_profile", "no leverage")
        told = repr(client)
    assert main(["stats", "--json"]) == 0
    stats = json.loads(capsys.readouterr().out)
    assert (stats["journal"]["total"], stats["folder"]) == (1, str(tmp_path / "kept"))
    for part in ("'ann'", str(tmp_path / "kept"), "'local'"):
        assert part in told


def test_a_config_may_be_given_in_each_form(tmp_path: Path) -> None:
    """A mapping, a path, or the folder it is in; a user data folder in it is used."""
    config = {"mem0": {"mode": "local"}, "user_data_dir": str(tmp_path / "mine")}
    path = written(tmp_path / "elsewhere" / "config.json", **config)
    for given in (config, path, str(path)):
        with get_mem0_client(given) as client:
            assert client.folder.folder == tmp_path / "mine" / "mem0"
    with get_mem0_client(user_data_dir=path.parent) as client:
        assert client.folder.settings.mode == "local"
        assert client.folder.folder == path.parent / "mem0"
    with pytest.raises(ConfigError, match=r"missing\.json"):
        get_mem0_client("missing.json")
    with pytest.raises(ConfigError, match="config must be a mapping or the path"):
        get_mem0_client(3)  # type: ignore[arg-type]


def test_a_key_alone_changes_no_mode_that_is_configured(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said that the key is not used; without a config a key means the platform."""
    with get_mem0_client(api_key="m0-k3y") as client:
        assert client.folder.settings.mode == "platform"
    written(tmp_path / "config.json", mem0={})
    with initialize_mem0(api_key="m0-k3y") as client:
        assert client.folder.settings.mode == "embedded"
    assert "The api_key given is not used: \"mem0.mode\" is 'embedded'" in caplog.text
    assert "m0-k3y" not in caplog.text + repr(client)


def test_a_config_of_mem0_is_taken_and_the_rest_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Providers are used as they are, keys in them as `env:NAME`."""
    config = {
        "vector_store": {"provider": "qdrant", "config": {"host": "localhost", "port": 6333}},
        "llm": {"provider": "openai", "config": {"api_key": "env:OPENAI_API_KEY"}},
        "history_db_path": "./history.db",
        "version": "v1.1",
    }
    with get_mem0_client(config) as client:
        settings = client.folder.settings
        assert settings.vector_store is not None
        assert settings.llm is not None
        assert settings.vector_store.provider == "qdrant"
        assert settings.llm.provider == "openai"
    assert "these keys have no use here: history_db_path, version." in caplog.text
    with pytest.raises(ConfigError, match='write "env:API_KEY" here'):
        get_mem0_client({"llm": {"provider": "openai", "config": {"api_key": "sk-1"}}})


def test_a_block_alone_is_understood() -> None:
    """It was meant for a config; what it must not hold, or does not know, is named."""
    with get_mem0_client({"mode": "local", "user_id": "ann"}) as client:
        assert (client.folder.settings.mode, client.user_id) == ("local", "ann")
    with pytest.raises(ConfigError, match=r'"mem0\.api_key" must not stand in the config'):
        get_mem0_client({"api_key": "m0-k3y"})
    with pytest.raises(ConfigError, match=r'"mem0\.mod" is not a key\. Did you mean "mode"'):
        get_mem0_client({"user_id": "ann", "mod": "local"})


def test_who_opens_a_memory_says_which(caplog: pytest.LogCaptureFixture) -> None:
    """In the log, and as text."""
    caplog.set_level("INFO")
    with get_mem0_client() as client:
        assert "memory of user 'freqtrade' in" in caplog.text
        assert "described by no config" in caplog.text
        assert repr(TradeMemory(client)) == f"TradeMemory({client!r})"


def test_a_client_may_be_made_by_its_class(caplog: pytest.LogCaptureFixture) -> None:
    """With the arguments of `get_mem0_client`; a wrong one is named."""
    with Mem0Client(api_key="m0-k3y") as client:
        assert client.folder.settings.mode == "platform"
    with Mem0Client(config={"mem0": {"mode": "local"}}) as client:
        memory = TradeMemory(client)
        with pytest.raises(AttributeError, match=r"no 'store'; use mem0\.store of it"):
            memory.store("risk_profile", "x")
    with pytest.raises(TypeError, match="unexpected keyword argument 'apikey'"):
        Mem0Client(apikey="m0-k3y")
    assert "m0-k3y" not in caplog.text
