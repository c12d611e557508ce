"""Which memory a script or tool opens: that of the bots, unless it is told otherwise."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.config.credentials import find_credentials
from freqtrade_mem0.config.load import BLOCK, SECRETS, load_settings
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.encryption.envelope import ARGUMENT, Secret
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.host.config_files import default_files, read_config_files
from freqtrade_mem0.memory_folder import MemoryFolder

if TYPE_CHECKING:
    from freqtrade_mem0.config.credentials import Credentials

logger = logging.getLogger(__name__)

_MEM0_OWN_KEYS = (
    "history_db_path",
    "version",
    "graph_store",
    "custom_fact_extraction_prompt",
    "custom_update_memory_prompt",
    "custom_instructions",
)
"""Keys of such a config that have no use here."""


class Described(NamedTuple):
    """A memory, unopened, and the Freqtrade config that describes it."""

    memory: MemoryFolder
    config: Mapping[str, Any]
    user_data_dir: Path


def described_memory(config: Any = None, **named: Any) -> MemoryFolder:
    """Return the memory that a config describes, unopened; see `get_mem0_client`."""
    return described(config, **named).memory


def described(
    config: Mapping[str, Any] | Path | str | None = None,
    *,
    api_key: str | None = None,
    org_id: str | None = None,
    project_id: str | None = None,
    user_data_dir: Path | str | None = None,
    path: Path | str | None = None,
    encryption_key: str | None = None,
) -> Described:
    """Return the memory that a config describes; `path` is another folder of journal and memories.

    See `get_mem0_client` for the other parameters.
    """
    credentials = find_credentials(api_key, org_id=org_id, project_id=project_id)
    userdir = None if user_data_dir is None else Path(user_data_dir)
    found, source = _config(config, userdir)
    if found.get(BLOCK) is None:
        found = {**found, BLOCK: {} if credentials is None else {"mode": "platform"}}
    settings = load_settings(found) or Settings()
    if path is not None:
        settings = settings.model_copy(update={"path": Path(path)})
    folder = userdir or Path(found.get("user_data_dir") or "user_data")
    given = None if encryption_key is None else Secret(ARGUMENT, encryption_key)
    memory = MemoryFolder(settings, folder, credentials, given)
    logger.info("%s, described by %s.", memory, source)
    _warn_of_unused_key(settings, credentials, api_key)
    return Described(memory, found, folder)


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
    if BLOCK in given or not given.keys() & {*Settings.model_fields, *SECRETS, *_MEM0_OWN_KEYS}:
        return given, "the config given"
    unused = [key for key in _MEM0_OWN_KEYS if given.pop(key, None) is not None]
    if unused:
        logger.warning("Of the config of Mem0 these keys have no use here: %s.", ", ".join(unused))
    return {BLOCK: given}, "the block given"


def _warn_of_unused_key(
    settings: Settings, credentials: Credentials | None, api_key: str | None
) -> None:
    if api_key is not None and credentials is not None and settings.mode in ("embedded", "local"):
        logger.warning(
            'The api_key given is not used: "mem0.mode" is %r in the config. Set it to "platform" '
            'or "server" to use a key.',
            settings.mode,
        )
