"""Imports of large packages that end before their process does.

A thread of memory imports Mem0 when it is first needed. Python stops such a thread at the end of
the process, and where that is amid the import of a module in C++, the process aborts.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from importlib import import_module
from typing import Any

_MOST_S = 60.0
_unfinished: set[threading.Event] = set()


def import_whole(name: str) -> Any:
    """Import a module by its full name, and return it; a process that ends meanwhile waits for it.

    Raises
    ------
    ImportError
        It can not be imported.
    """
    finished = threading.Event()
    _unfinished.add(finished)
    try:
        return import_module(name)
    finally:
        _unfinished.discard(finished)
        finished.set()


@atexit.register
def _wait() -> None:
    for finished in tuple(_unfinished):
        finished.wait(_MOST_S)


if sys.platform != "win32":  # the threads of the parent are not in a forked child
    os.register_at_fork(after_in_child=_unfinished.clear)
