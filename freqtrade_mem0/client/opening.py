"""Open memory from a script or tool: the memory of the bots, with or without a key, a server."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.client.mem0_client import Mem0Client

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

logger = logging.getLogger(__name__)


def get_mem0_client(
    config: Mapping[str, Any] | Path | str | None = None,
    *,
    api_key: str | None = None,
    org_id: str | None = None,
    project_id: str | None = None,
    user_data_dir: Path | str | None = None,
    encryption_key: str | None = None,
) -> Mem0Client:
    """Open the memory that the bots and the command line use; nothing is read or sent yet.

    Parameters
    ----------
    config
        A Freqtrade config, the path of one, its `"mem0"` block alone, or a config as Mem0 writes it
        (`vector_store`, `llm`, `embedder`). Without it, the config file is found as the command
        line finds it: `user_data/config.json`, `config.json`, or `config.json` in `user_data_dir`.
        Where there is no `"mem0"` block, the Mem0 platform is used if a key is found, and otherwise
        Mem0 embedded.
    api_key
        Key of the Mem0 platform or of a self-hosted server. Without one, it is taken from
        M0_API_KEY, MEM0_API_KEY or .env.mem0, in this order. It does not change the mode that a
        config says.
    org_id, project_id
        Scopes of the platform. Without them, M0_ORG_ID and M0_PROJECT_ID are used.
    user_data_dir
        Freqtrade's user data folder; without it that of the config, or `user_data`.
    encryption_key
        The key of an encrypted memory itself, where `mem0.encryption.key` does not say where it is.

    Raises
    ------
    ConfigError
        The config or .env.mem0 is wrong, or the memory has another key.

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
    return Mem0Client(
        config=config,
        api_key=api_key,
        org_id=org_id,
        project_id=project_id,
        user_data_dir=user_data_dir,
        encryption_key=encryption_key,
    )


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
