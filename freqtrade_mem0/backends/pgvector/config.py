"""Mem0's own settings for provider "pgvector", checked by Mem0, and what they mean to our store."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass, field, fields
from typing import Any

from freqtrade_mem0.errors import BackendError

PROVIDER = "pgvector"
OWN_PROVIDER = "pgvector-exact"
"""The name under which Mem0's factory knows our store; its own class stays under its own name."""


@dataclass
class PgvectorStoreConfig:
    """What Mem0 keeps as the configuration of our store and hands to its constructor.

    Mem0 copies it and changes `collection_name` to get a second collection for its entities.
    """

    collection_name: str
    embedding_model_dims: int
    hnsw: bool
    maxconn: int
    timeout_s: float
    dbname: str | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    host: str | None = None
    port: int | None = None
    sslmode: str | None = None
    connection_string: str | None = field(default=None, repr=False)

    def model_dump(self) -> dict[str, Any]:
        """Return the constructor's arguments, by the name that Mem0 calls on its own configs."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def is_meant(provider: str, given: dict[str, Any]) -> bool:
    """Tell whether our store serves a block; a pool that the user made only Mem0's class takes."""
    return provider == PROVIDER and given.get("connection_pool") is None


def store_config(configs: Any, given: dict[str, Any], *, timeout_s: float) -> Any:
    """Return what Mem0 makes our store from, and enter our store into Mem0's factory.

    Parameters
    ----------
    configs
        Mem0's module of configurations.
    given
        Mem0's settings for pgvector.
    timeout_s
        Longest wait for one answer of the database, in seconds.

    Raises
    ------
    BackendError
        psycopg is missing, or a setting has no meaning here.
    """
    if importlib.util.find_spec("psycopg") is None:
        raise BackendError(
            'The vector store "pgvector" needs psycopg, which is not installed: '
            'pip install "freqtrade-mem0[postgres]".'
        )
    # Searches here are exact, and with Mem0's approximate index writing takes about seven times as
    # long (300 memories a second in place of 2,000 to 3,000).
    checked = configs.VectorStoreConfig(provider=PROVIDER, config={"hnsw": False} | given).config
    if checked.diskann:
        raise BackendError(
            'Leave "diskann" out of the vector store "pgvector": searches are exact and would not '
            "use it."
        )
    names = {each.name for each in fields(PgvectorStoreConfig)} - {"timeout_s"}
    own = PgvectorStoreConfig(
        timeout_s=timeout_s, **{name: getattr(checked, name) for name in names}
    )
    factory = importlib.import_module("mem0.utils.factory")
    store = importlib.import_module("freqtrade_mem0.backends.pgvector.store").PgvectorStore
    factory.VectorStoreFactory.provider_to_class[OWN_PROVIDER] = (
        f"{store.__module__}.{store.__qualname__}"
    )
    # Told apart by isinstance it shall be what it behaves like.
    importlib.import_module("mem0.vector_stores.base").VectorStoreBase.register(store)
    # Mem0's list of providers does not know the name, its factory does.
    return configs.VectorStoreConfig.model_construct(provider=OWN_PROVIDER, config=own)
