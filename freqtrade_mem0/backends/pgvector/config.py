"""Turns Mem0's settings for provider "pgvector", checked by Mem0, into those of our store."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass, field, fields
from typing import Any

from freqtrade_mem0.errors import BackendError

PROVIDER = "pgvector"
OWN_PROVIDER = "pgvector-exact"
"""The name of our store in Mem0's factory; Mem0's own class keeps its name."""


@dataclass
class PgvectorStoreConfig:
    """The configuration that Mem0 hands to our store's constructor.

    Mem0 also copies it with another `collection_name`, for its entities.
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
        """Return the constructor's arguments; Mem0 calls this method of its configs."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def is_meant(provider: str, given: dict[str, Any]) -> bool:
    """Tell whether our store serves a block; a `connection_pool` is for Mem0's own class."""
    return provider == PROVIDER and given.get("connection_pool") is None


def store_config(configs: Any, given: dict[str, Any], *, timeout_s: float) -> Any:
    """Return the configuration of our store, and enter the store into Mem0's factory.

    `configs` is Mem0's module of configurations, `given` Mem0's settings for pgvector. Raises
    `BackendError` where psycopg is missing or a setting has no meaning here.
    """
    if importlib.util.find_spec("psycopg") is None:
        raise BackendError(
            'The vector store "pgvector" needs psycopg, which is not installed: '
            'pip install "freqtrade-mem0[postgres]".'
        )
    # Our searches do not use Mem0's approximate index, and it makes writing seven times slower (300
    # memories a second instead of 2,000 to 3,000).
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
    # For `isinstance` checks of others.
    importlib.import_module("mem0.vector_stores.base").VectorStoreBase.register(store)
    # Mem0's list of providers does not know the name, its factory does.
    return configs.VectorStoreConfig.model_construct(provider=OWN_PROVIDER, config=own)
