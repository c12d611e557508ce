"""Refuses configs that ask for an encrypted memory and, beside it, for files that are plain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.config.secrets import shown
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from freqtrade_mem0.config.settings import Settings

_ADDRESSES = ("host", "url", "client", "connection_string", "connection_pool")
"""Keys of a vector store that is a server."""

_OWN_STORE = "sqlite"


def check_encryption(settings: Settings) -> None:
    """Raise `ConfigError` where another key asks for files that would not be encrypted."""
    if settings.encryption.key is None:
        return
    if settings.agents.write_files:
        raise ConfigError(
            '"mem0.agents.write_files" is true: it writes text that anybody can read into a memory '
            'that "mem0.encryption.key" encrypts. Set it to false; \'freqtrade-mem0 agent export '
            "--to FOLDER' writes the same files into another folder."
        )
    store = settings.vector_store
    if store is None or settings.mode == "local" or any(map(store.config.get, _ADDRESSES)):
        return
    if store.provider != _OWN_STORE or store.config.get("path"):
        raise ConfigError(
            f'"mem0.vector_store" keeps files of {shown(store.provider)} on this machine, which '
            '"mem0.encryption.key" does not encrypt. Leave the block out to use our own store, or '
            "use a database server and let its owner encrypt its disk."
        )
