"""The kinds of record, one module each: fields, sentence, filter keys, category and schema history.

A new kind is a new module in this package; no list names the kinds.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from freqtrade_mem0.records.base import Record

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def record_types() -> Mapping[str, type[Record]]:
    """Return the class of each kind of record by the kind's name, sorted.

    Raises
    ------
    TypeError
        Two classes have the same kind.
    """
    found: dict[str, type[Record]] = {}
    for module in iter_modules(__path__, f"{__name__}."):
        for item in vars(import_module(module.name)).values():
            if not isinstance(item, type) or not issubclass(item, Record) or item is Record:
                continue
            if found.setdefault(item.kind, item) is not item:
                raise TypeError(f"{item} and {found[item.kind]} are both of kind {item.kind}")
    return dict(sorted(found.items()))
