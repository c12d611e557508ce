"""The `"mem0"` blocks of the runs that are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config.load import BLOCK, load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def memory_block(config: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the `"mem0"` block of the run with memory: the user's sizing, its own folder."""
    settings = load_settings(config)
    own = {} if settings is None else dict(config[BLOCK])
    for key in ("knowledge", "vector_store", "embedder", "llm"):
        own.pop(key, None)
    sizing = dict(own.get("sizing") or {}) | {"shadow": False}
    return own | {"enabled": True, "mode": "local", "path": str(folder), "sizing": sizing}


def block_of_run(
    block: dict[str, Any], rule: Mapping[str, Any] | None, folder: Path, *, second: bool
) -> dict[str, Any]:
    """Return the block of a run with memory, the second one with the rule that is tried."""
    if rule is None:
        return block
    sizing = dict(block["sizing"])
    others = [each for each in sizing.get("trial_rules", ()) if each.get("id") != rule["id"]]
    sizing["trial_rules"] = [*others, dict(rule)] if second else others
    return block | {"path": str(folder), "sizing": sizing}
