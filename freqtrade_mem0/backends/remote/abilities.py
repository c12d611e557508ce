"""What a self-hosted Mem0 server can do, read from its own description: versions differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

EVERYTHING = 1_000_000
"""Memories asked for at once where the server sets no bound of its own."""

MOST_PER_SEARCH = 4_096
"""Answers asked for by one search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a server can do.

    Parameters
    ----------
    infer
        Whether memories can be stored as they stand.
    list_top_k, search_top_k
        The most that can be asked for at once; None where the server decides.
    """

    infer: bool = True
    list_top_k: int | None = EVERYTHING
    search_top_k: int | None = MOST_PER_SEARCH


def read_abilities(description: Mapping[str, Any]) -> Abilities:
    """Read what matters from the description that FastAPI makes of a server."""
    try:
        schemas = description["components"]["schemas"]
        listing = description["paths"]["/memories"]["get"].get("parameters", [])
        list_keys = {each["name"]: each.get("schema", {}) for each in listing}
        search_keys = schemas["SearchRequest"]["properties"]
        return Abilities(
            infer="infer" in schemas["MemoryCreate"]["properties"],
            list_top_k=_bound(list_keys, EVERYTHING),
            search_top_k=_bound(search_keys, MOST_PER_SEARCH),
        )
    except (KeyError, TypeError, AttributeError):
        return Abilities()


def _bound(schemas: Mapping[str, Any], most: int) -> int | None:
    """Return the largest `top_k` that is allowed; None where there is no `top_k`."""
    if "top_k" not in schemas:
        return None
    schema = schemas["top_k"]
    bounds = [each.get("maximum") for each in (schema, *schema.get("anyOf", []))]
    return min([most, *(int(bound) for bound in bounds if bound is not None)])
