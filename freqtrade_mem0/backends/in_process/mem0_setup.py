"""Import Mem0 without telemetry and build its `Memory` from our defaults and the user's blocks.

Mem0 is imported only here, at first use: the import takes more than a second and creates a folder.
"""

from __future__ import annotations

import atexit
import importlib
import importlib.util
import logging
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from freqtrade_mem0.backends.imports import import_whole
from freqtrade_mem0.backends.in_process import foreign_qdrant
from freqtrade_mem0.backends.in_process.history import encrypt_history, history_of
from freqtrade_mem0.backends.in_process.no_llm import NoLanguageModel
from freqtrade_mem0.backends.in_process.own_parts import (
    OWN_EMBEDDERS,
    OWN_STORE,
    chosen_embedder,
    name_of,
    provider_of,
)
from freqtrade_mem0.backends.pgvector import config as pgvector_config
from freqtrade_mem0.backends.sqlite.store import SqliteStore
from freqtrade_mem0.config.providers import OWN_DIMENSIONS, dimensions_of
from freqtrade_mem0.config.secrets import cut, without_secrets
from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.sqlite_files.opening import make_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

logger = logging.getLogger(__name__)


_STORE_FILE = "memories.sqlite"
_ADDRESSES = ("path", "host", "url", "client", "connection_string", "connection_pool")
_NO_LLM = "none"


@dataclass(frozen=True, slots=True)
class Parts:
    """The vector store and the embedder of a `mem0.Memory`."""

    store: Any
    embedder: Any


@dataclass
class SqliteStoreConfig:
    """The arguments of our store, as Mem0 keeps them.

    Mem0 copies it and changes `collection_name` to get a second collection for its entities.
    """

    path: str
    collection_name: str = "memories"
    embedding_model_dims: int | None = None
    embedder: str = ""

    def model_dump(self) -> dict[str, Any]:
        """Return the arguments; Mem0 calls this on its own configs too."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def import_mem0(folder: Path) -> Any:
    """Import Mem0 without telemetry and with its own files in `folder`; return the module.

    By default Mem0 sends usage data (without a network that delays the end of the process by up to
    a minute), prints notices, and opens a second database in the home folder. It reads both
    switches during the import. Values that the user has set are kept.
    """
    wanted = os.environ.get("MEM0_TELEMETRY")
    was_imported = "mem0" in sys.modules
    os.environ.setdefault("MEM0_TELEMETRY", "False")
    os.environ.setdefault("MEM0_DIR", str(_mem0_folder(folder)))
    make_folder(Path(os.environ["MEM0_DIR"]))
    mem0 = import_whole("mem0")
    if was_imported and wanted is None:
        _switch_telemetry_off()
    _forbid_download_of_models()
    return mem0


def _mem0_folder(folder: Path) -> Path:
    """Return where Mem0 keeps its own files: in a temporary folder where `folder` is read-only."""
    own = folder / "mem0"
    if own.is_dir() or not folder.is_dir() or os.access(folder, os.W_OK | os.X_OK):
        return own
    temporary = mkdtemp(prefix="freqtrade-mem0-")
    atexit.register(rmtree, temporary, ignore_errors=True)
    return Path(temporary)


def _switch_telemetry_off() -> None:
    """Do what the environment variable would have done before the import."""
    for name in ("mem0.memory.telemetry", "mem0.memory.main"):
        module = importlib.import_module(name)
        if getattr(module, "MEM0_TELEMETRY", False):
            vars(module)["MEM0_TELEMETRY"] = False
            logger.info("Mem0 was imported with telemetry on; it is switched off in %s.", name)


def _forbid_download_of_models() -> None:
    """Keep Mem0 from downloading a spaCy model in the middle of a write.

    Mem0 would do so where spaCy is installed without its English model, and warn where spaCy is not
    installed, before it goes on with plain words. We tell it to use plain words at once.
    """
    if not _has_language_model():
        models = importlib.import_module("mem0.utils.spacy_models")
        vars(models).update(_load_failed_full=True, _load_failed_lemma=True)


@lru_cache(maxsize=1)
def _has_language_model() -> bool:
    """Tell whether spaCy and the English model that Mem0 uses are installed."""
    return all(importlib.util.find_spec(name) for name in ("spacy", "en_core_web_sm"))


def own_parts(
    folder: Path,
    *,
    vector_store: Mapping[str, Any] | None,
    embedder: Mapping[str, Any] | None,
    llm: Mapping[str, Any] | None,
    reranker: Mapping[str, Any] | None,
) -> Parts | None:
    """Open our store and our embedder without Mem0; None where something else is configured.

    Mem0's factories make the same objects from the same blocks.
    """
    if llm is not None or reranker is not None:
        return None
    if vector_store is not None and provider_of("vector_store", vector_store) != OWN_STORE:
        return None
    chosen = chosen_embedder(vector_store, embedder)
    provider = provider_of("embedder", chosen)
    if provider not in OWN_EMBEDDERS:
        return None
    with _starting(folder, {"vector_store": vector_store, "embedder": embedder}):
        make_folder(folder)
        dimensions = dimensions_of(chosen) or OWN_DIMENSIONS[provider]
        config = _own_store(folder, vector_store, chosen)
        own = OWN_EMBEDDERS[provider](dimensions=dimensions)
        return Parts(SqliteStore(**config.model_dump()), own)


def register() -> None:
    """Add our store and embedder to those that Mem0's factories know."""
    factory = importlib.import_module("mem0.utils.factory")
    factory.VectorStoreFactory.provider_to_class[OWN_STORE] = _path_of(SqliteStore)
    embedders = importlib.import_module("mem0.embeddings.base").EmbeddingBase
    for name, kind in OWN_EMBEDDERS.items():
        factory.EmbedderFactory.provider_to_class[name] = _path_of(kind)
        embedders.register(kind)
    factory.LlmFactory.register_provider(_NO_LLM, _path_of(NoLanguageModel))
    # Ours do not derive from Mem0's classes, which checks with isinstance expect.
    importlib.import_module("mem0.vector_stores.base").VectorStoreBase.register(SqliteStore)


def build_memory(
    folder: Path,
    *,
    vector_store: Mapping[str, Any] | None = None,
    embedder: Mapping[str, Any] | None = None,
    llm: Mapping[str, Any] | None = None,
    reranker: Mapping[str, Any] | None = None,
    timeout_s: float = 10.0,
) -> Any:
    """Build a `mem0.Memory`; see `EmbeddedBackend` for the parameters.

    Raises `BackendError`, with provider and cause, where Mem0 or a provider refuses.
    """
    embedder = chosen_embedder(vector_store, embedder)
    blocks = {"vector_store": vector_store, "embedder": embedder, "llm": llm, "reranker": reranker}
    with _starting(folder, blocks):
        make_folder(folder)
        history, is_encrypted = history_of(folder)
        mem0 = import_mem0(folder)
        register()
        configs = importlib.import_module("mem0.configs.base")
        # The class of each block checks it. `model_construct` skips Mem0's fixed lists of provider
        # names, which do not have ours.
        config = configs.MemoryConfig.model_construct(
            vector_store=_store_config(configs, folder, vector_store, embedder, timeout_s),
            embedder=_embedder_config(configs, embedder),
            llm=(
                configs.LlmConfig.model_construct(provider=_NO_LLM, config={})
                if llm is None
                else configs.LlmConfig(**llm)
            ),
            reranker=None if reranker is None else configs.RerankerConfig(**reranker),
            history_db_path=history,
        )
        memory = mem0.Memory(config)
        if is_encrypted:
            encrypt_history(memory.db, folder)
        return memory


@contextmanager
def _starting(folder: Path, blocks: Mapping[str, Mapping[str, Any] | None]) -> Iterator[None]:
    """Raise whatever a provider raises when it starts as `BackendError`."""
    try:
        yield
    except BackendError:
        raise
    except Exception as error:  # noqa: BLE001 - every provider raises exceptions of its own
        chosen = ", ".join(f"{key} {provider_of(key, b)!r}" for key, b in blocks.items() if b)
        # The text and traceback of pydantic's error show the values given, also passwords.
        is_about_values = isinstance(error, ValidationError)
        reason = cut(without_secrets(_without_values(error), blocks))
        raise BackendError(
            f"Mem0 could not be started in {folder} with {chosen or 'our defaults'}: "
            f"{type(error).__name__}: {reason}. Correct what it names; a block "
            "that is left out uses a default that needs neither key nor server."
        ) from (None if is_about_values else error)


def _without_values(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    found = error.errors(include_input=False, include_context=False, include_url=False)
    return "; ".join(
        ": ".join([*(str(place) for place in each["loc"]), each["msg"]]) for each in found
    )


def lemmatizer(folder: Path) -> Callable[[str], str]:
    """Return what Mem0 does to texts for keyword search: nothing without spaCy."""
    if not _has_language_model():
        return str
    import_mem0(folder)
    module = importlib.import_module("mem0.utils.lemmatization")
    lemmatize: Callable[[str], str] = module.lemmatize_for_bm25
    return lemmatize


def _store_config(
    configs: Any,
    folder: Path,
    block: Mapping[str, Any] | None,
    embedder: Mapping[str, Any],
    timeout_s: float,
) -> Any:
    provider = OWN_STORE if block is None else provider_of("vector_store", block)
    given = {} if block is None else dict(block.get("config") or {})
    if type(given.get("collection_name")) is int:  # Freqtrade makes numbers of variables
        given["collection_name"] = str(given["collection_name"])
    dimensions = dimensions_of(embedder)
    if provider == OWN_STORE:
        # Mem0's factory can be extended (see `register`), its configuration's list of names can
        # not; `model_construct` does not ask that list.
        return configs.VectorStoreConfig.model_construct(
            provider=provider, config=_own_store(folder, block, embedder)
        )
    names = _config_fields(configs, provider)
    if dimensions is not None and "embedding_model_dims" in names:
        given.setdefault("embedding_model_dims", dimensions)
    if "path" in names and not any(given.get(key) for key in _ADDRESSES):
        given["path"] = str(folder / provider)  # Mem0's default is in the temporary folder
    if pgvector_config.is_meant(provider, given):
        return pgvector_config.store_config(configs, given, timeout_s=timeout_s)
    if foreign_qdrant.is_server(provider, given):
        given = foreign_qdrant.with_client(given, folder, timeout_s=timeout_s)
    return configs.VectorStoreConfig(provider=provider, config=given)


def _own_store(
    folder: Path, block: Mapping[str, Any] | None, embedder: Mapping[str, Any]
) -> SqliteStoreConfig:
    given = {} if block is None else dict(block.get("config") or {})
    defaults = {
        "path": str(folder / _STORE_FILE),
        "embedding_model_dims": dimensions_of(embedder),
        "embedder": name_of(embedder),
    }
    return SqliteStoreConfig(**defaults | given)


def _config_fields(configs: Any, provider: str) -> frozenset[str]:
    """Return the names of the settings that Mem0 knows for a store."""
    known = configs.VectorStoreConfig._provider_configs.default  # noqa: SLF001 - nothing public
    if provider not in known:
        return frozenset()  # Mem0 refuses it later
    module = importlib.import_module(f"mem0.configs.vector_stores.{provider}")
    return frozenset(getattr(module, known[provider]).model_fields)


def _embedder_config(configs: Any, block: Mapping[str, Any]) -> Any:
    provider = provider_of("embedder", block)
    given = dict(block.get("config") or {})
    if provider in OWN_EMBEDDERS:
        given.setdefault("embedding_dims", OWN_DIMENSIONS[provider])
        return configs.EmbedderConfig.model_construct(provider=provider, config=given)
    return configs.EmbedderConfig(provider=provider, config=given)


def _path_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
