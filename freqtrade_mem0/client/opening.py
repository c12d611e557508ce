"""Open memory from a script or tool: with or without a config, a key, a server."""

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
    """Open the memory that the `"mem0"` block describes.

    Parameters
    ----------
    config
        A Freqtrade config. Without one, or without its `"mem0"` block, the platform is used where
        a key is found, else Mem0 embedded in `<user_data_dir>/mem0`: no key, no server.
    api_key
        Key of the Mem0 platform, or of a self-hosted server. Without one, M0_API_KEY,
        MEM0_API_KEY and .env.mem0 are looked into, in this order.
    org_id, project_id
        Scopes of the platform; else M0_ORG_ID and M0_PROJECT_ID.
    user_data_dir
        Freqtrade's user data folder.

    Raises
    ------
    ConfigError
        The block or .env.mem0 is wrong.
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
    """Open a memory and see that it can be used; like `get_mem0_client`, but not lazy.

    Where Mem0 can not be reached or refuses the key, this is said in the log and the journal on
    this machine is used until it can.

    Raises
    ------
    ConfigError
        As `get_mem0_client`; also when the memory's folder can not be written to.
    """
    client = get_mem0_client(
        config, api_key=api_key, org_id=org_id, project_id=project_id, user_data_dir=user_data_dir
    )
    error = client.stats()["mem0_error"]
    if error:
        logger.warning("%s The journal on this machine is used until it can be reached.", error)
    return client
