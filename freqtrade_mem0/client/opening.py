"""Open memory from a script or tool, with or without a config, a key, a server."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.client.mem0_client import Mem0Client
from freqtrade_mem0.config.credentials import find_credentials
from freqtrade_mem0.config.load import BLOCK, load_settings
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.memory_folder import MemoryFolder

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)


def get_mem0_client(
    config: Mapping[str, Any] | None = None,
    *,
    api_key: str | None = None,
    org_id: str | None = None,
    project_id: str | None = None,
    user_data_dir: Path | str = "user_data",
) -> Mem0Client:
    """Open the memory that the `"mem0"` block of a config describes; nothing is read or sent yet.

    Parameters
    ----------
    config
        A Freqtrade config. Without one, or without a `"mem0"` block in it, the Mem0 platform is
        used if a key is found, and otherwise Mem0 embedded in `<user_data_dir>/mem0`.
    api_key
        Key of the Mem0 platform or of a self-hosted server. Without one, it is taken from
        M0_API_KEY, MEM0_API_KEY or .env.mem0, in this order.
    org_id, project_id
        Scopes of the platform. Without them, M0_ORG_ID and M0_PROJECT_ID are used.
    user_data_dir
        Freqtrade's user data folder.

    Raises
    ------
    ConfigError
        The block or .env.mem0 is wrong.

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
    settings = load_settings(config) if config is not None and BLOCK in config else None
    if settings is None:
        settings = Settings(mode="embedded" if credentials is None else "platform")
    return Mem0Client(
        MemoryFolder(settings, Path(user_data_dir), credentials),
        ttl_s=settings.cache.ttl_s,
        max_memories=settings.cache.max_memories,
    )


def initialize_mem0(
    api_key: str | None = None,
    config: Mapping[str, Any] | None = None,
    *,
    org_id: str | None = None,
    project_id: str | None = None,
    user_data_dir: Path | str = "user_data",
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
