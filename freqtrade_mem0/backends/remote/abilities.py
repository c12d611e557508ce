"""What a self-hosted Mem0 server can do, read from its OpenAPI description: versions differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LISTED = 1_000_000
"""Memories that one list is asked for where the server sets no bound."""

MAX_PER_SEARCH = 4_096
"""Answers that one search is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a server can do.

    Parameters
    ----------
    infer
        Whether it can store memories without rewriting them.
    list_top_k, search_top_k
        The most that can be asked for at once; None where the request has no `top_k`.
    """

    infer: bool = True
    list_top_k: int | None = MAX_LISTED
    search_top_k: int | None = MAX_PER_SEARCH


def read_abilities(description: Mapping[str, Any]) -> Abilities:
    """Read the abilities from an OpenAPI description; one of another shape is taken as new."""
    try:
        schemas = description["components"]["schemas"]
        listing = description["paths"]["/memories"]["get"].get("parameters", [])
        list_keys = {each["name"]: each.get("schema", {}) for each in listing}
        search_keys = schemas["SearchRequest"]["properties"]
        return Abilities(
            infer="infer" in schemas["MemoryCreate"]["properties"],
            list_top_k=_largest_top_k(list_keys, MAX_LISTED),
            search_top_k=_largest_top_k(search_keys, MAX_PER_SEARCH),
        )
    except (KeyError, TypeError, AttributeError):
        return Abilities()


def _largest_top_k(schemas: Mapping[str, Any], ours: int) -> int | None:
    if "top_k" not in schemas:
        return None
    schema = schemas["top_k"]
    bounds = [each.get("maximum") for each in (schema, *schema.get("anyOf", []))]
    return min([ours, *(int(bound) for bound in bounds if bound is not None)])
