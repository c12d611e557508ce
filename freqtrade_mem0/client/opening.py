"""Open memory from a script or tool: the memory of the bots, with or without a key, a server."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.client.mem0_client import Mem0Client
from freqtrade_mem0.config.credentials import find_credentials
from freqtrade_mem0.config.load import BLOCK, load_settings
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.host.config_files import default_files, read_config_files
from freqtrade_mem0.memory_folder import MemoryFolder

if TYPE_CHECKING:
    from freqtrade_mem0.config.credentials import Credentials

logger = logging.getLogger(__name__)

_MEM0_KEYS = ("vector_store", "llm", "embedder", "reranker")
"""Keys of a config as Mem0 writes it that this memory takes."""

_MEM0_OWN_KEYS = (
    "history_db_path",
    "version",
    "graph_store",
    "custom_fact_extraction_prompt",
    "custom_update_memory_prompt",
    "custom_instructions",
)
"""Keys of such a config that have no use here."""


def get_mem0_client(
    config: Mapping[str, Any] | Path | str | None = None,
    *,
    api_key: str | None = None,
    org_id: str | None = None,
    project_id: str | None = None,
    user_data_dir: Path | str | None = None,
) -> Mem0Client:
    """Open the memory that the bots and the command line use; nothing is read or sent yet.

    Parameters
    ----------
    config
        A Freqtrade config, the path of one, or a config as Mem0 writes it (`vector_store`, `llm`,
        `embedder`). Without it, the config file is found as the command line finds it:
        `user_data/config.json`, `config.json`, or `config.json` in `user_data_dir`. Where there is
        no `"mem0"` block, the Mem0 platform is used if a key is found, and otherwise Mem0 embedded.
    api_key
        Key of the Mem0 platform or of a self-hosted server. Without one, it is taken from
        M0_API_KEY, MEM0_API_KEY or .env.mem0, in this order. It does not change the mode that a
        config says.
    org_id, project_id
        Scopes of the platform. Without them, M0_ORG_ID and M0_PROJECT_ID are used.
    user_data_dir
        Freqtrade's user data folder; without it that of the config, or `user_data`.

    Raises
    ------
    ConfigError
        The config or .env.mem0 is wrong.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> config = {"mem0": {"mode": "embedded", "user_id": "ann"}}
    >>> with TemporaryDirectory() as folder:
    ...     with get_mem0_client(config, user_data_dir=folder) as client:
    ...         _ = client.store("user_preferences", "no leverage")
    ...         print(client.user_id, client.recall("user_preferences")[0]["content"])
    ann no leverage
    """
    credentials = find_credentials(api_key, org_id=org_id, project_id=project_id)
    userdir = None if user_data_dir is None else Path(user_data_dir)
    found, source = _config(config, userdir)
    if found.get(BLOCK) is None:
        found = {**found, BLOCK: {} if credentials is None else {"mode": "platform"}}
    settings = load_settings(found) or Settings()
    folder = userdir or Path(found.get("user_data_dir") or "user_data")
    client = Mem0Client(
        MemoryFolder(settings, folder, credentials),
        ttl_s=settings.cache.ttl_s,
        max_memories=settings.cache.max_memories,
    )
    logger.info("%s, described by %s.", client.folder, source)
    _warn_of_unused_key(settings, credentials, api_key)
    return client


def initialize_mem0(
    api_key: str | None = None,
    config: Mapping[str, Any] | Path | str | None = None,
    *,
    org_id: str | None = None,
    project_id: str | None = None,
    user_data_dir: Path | str | None = None,
) -> Mem0Client:
    """Open a memory as `get_mem0_client` does, and check that it can be used.

    Where Mem0 can not be reached or refuses the key, a warning is logged, and the journal on this
    machine is used until Mem0 answers.

    Raises
    ------
    ConfigError
        As `get_mem0_client`.
    JournalError
        The journal can not be opened.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> config = {"mem0": {"mode": "local"}}
    >>> with TemporaryDirectory() as folder:
    ...     with initialize_mem0(config=config, user_data_dir=folder) as client:
    ...         print(client.stats()["journal"]["total"])
    0
    """
    client = get_mem0_client(
        config, api_key=api_key, org_id=org_id, project_id=project_id, user_data_dir=user_data_dir
    )
    error = client.stats()["mem0_error"]
    if error:
        logger.warning("%s The journal on this machine is used until it can be reached.", error)
    return client


def _config(
    config: Mapping[str, Any] | Path | str | None, userdir: Path | None
) -> tuple[dict[str, Any], str]:
    """Return the config, and where it is from."""
    if config is None:
        files = default_files(userdir)
        return read_config_files(files), files[0] if files else "no config"
    if isinstance(config, str | Path):
        return read_config_files([str(config)]), str(config)
    if not isinstance(config, Mapping):
        raise ConfigError(f"config must be a mapping or the path of a file, got {config!r}.")
    given = dict(config)
    if BLOCK in given or not given.keys() & {*_MEM0_KEYS, *_MEM0_OWN_KEYS}:
        return given, "the config given"
    unused = [key for key in given if key not in _MEM0_KEYS]
    if unused:
        logger.warning("Of the config of Mem0 these keys have no use here: %s.", ", ".join(unused))
    own = {key: given[key] for key in _MEM0_KEYS if key in given}
    return {BLOCK: {"mode": "embedded", **own}}, "a config of Mem0"


def _warn_of_unused_key(
    settings: Settings, credentials: Credentials | None, api_key: str | None
) -> None:
    if api_key is not None and credentials is not None and settings.mode in ("embedded", "local"):
        logger.warning(
            'The api_key given is not used: "mem0.mode" is %r in the config. Set it to "platform" '
            'or "server" to use a key.',
            settings.mode,
        )
