"""Turns Mem0's settings for provider "pgvector", checked by Mem0, into those of our store."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any

from freqtrade_mem0.backends.imports import import_whole
from freqtrade_mem0.config.secrets import cut
from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.words.extras import how_to_install

PROVIDER = "pgvector"
OWN_PROVIDER = "pgvector-exact"
"""The name of our store in Mem0's factory; Mem0's own class keeps its name."""


_NAMES = ("collection_name", "dbname", "user", "password", "host")
"""Settings that are texts; the environment makes numbers of some."""

_LONGEST_COLLECTION = 43


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
    libpq: dict[str, str] = field(default_factory=dict, repr=False)
    """Settings of PostgreSQL's library that Mem0 does not know, such as `sslrootcert`."""

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
            f"{how_to_install('postgres')}."
        )
    # Our searches do not use Mem0's approximate index, and it makes writing seven times slower (300
    # memories a second instead of 2,000 to 3,000).
    own_fields = importlib.import_module(
        "mem0.configs.vector_stores.pgvector"
    ).PGVectorConfig.model_fields
    libpq = _libpq_settings(
        {name: value for name, value in given.items() if name not in own_fields}
    )
    known = {
        name: str(value) if name in _NAMES and type(value) is int else value
        for name, value in given.items()
        if name in own_fields and value is not None
    }
    checked = configs.VectorStoreConfig(provider=PROVIDER, config={"hnsw": False} | known).config
    if checked.diskann:
        raise BackendError(
            'Leave "diskann" out of the vector store "pgvector": searches are exact and would not '
            "use it."
        )
    _check_collection(checked.collection_name)
    names = {each.name for each in fields(PgvectorStoreConfig)} - {"timeout_s", "libpq"}
    own = PgvectorStoreConfig(
        timeout_s=timeout_s, libpq=libpq, **{name: getattr(checked, name) for name in names}
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


def _libpq_settings(others: dict[str, Any]) -> dict[str, str]:
    """Return the settings that PostgreSQL's library knows; refuse those that nobody knows."""
    psycopg = import_whole("psycopg")
    keywords = {each.keyword.decode() for each in psycopg.pq.Conninfo.get_defaults()}
    for name in others:
        if name not in keywords:
            close = get_close_matches(name, keywords, n=1)
            hint = f' Did you mean "{close[0]}"?' if close else ""
            raise BackendError(
                f'"{cut(name)}" is no setting of the vector store "pgvector", neither one of Mem0 '
                f"nor one of PostgreSQL's library.{hint}"
            )
    return {name: str(value) for name, value in others.items() if value is not None}


def _check_collection(name: str) -> None:
    if not name or len(name.encode()) > _LONGEST_COLLECTION:
        raise BackendError(
            f'"collection_name" of the vector store "pgvector" is {cut(repr(name))}; it must have '
            f"1 to {_LONGEST_COLLECTION} bytes, because PostgreSQL cuts names of indexes at 63."
        )
