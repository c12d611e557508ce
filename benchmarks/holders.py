"""Who holds a process's memory: Python's objects, SQLite, or the allocators, which keep it free."""

from __future__ import annotations

import ctypes
import gc
import sqlite3  # its C library is asked
import sys
from pathlib import Path

_FIELDS = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks")
_MB = 1e6


class _MallocInfo(ctypes.Structure):
    """What glibc says of all of its arenas, see `man mallinfo2`."""

    _fields_ = [(name, ctypes.c_size_t) for name in (*_FIELDS, "uordblks", "fordblks", "keepcost")]


def held() -> dict[str, float]:
    """Return resident memory of this process, and what of it is in use, after a collection.

    Where only `rss_mb` and `malloc_free_mb` grow, nothing is kept: short-lived memory, of several
    threads at once, left holes. `sqlite_mb` grows up to the bound of its caches, 2 MB for each
    connection. What somebody forgets to let go of shows in `python_blocks` and `objects`.

    Returns
    -------
    dict of str to float
        `rss_mb`; `python_blocks`, some 90 bytes each, and `objects` that are collected;
        `malloc_mb`, in use by C code, `sqlite_mb` among it, and `malloc_free_mb`. Other C libraries
        than glibc do not tell the latter.
    """
    gc.collect()
    found: dict[str, float] = {
        "rss_mb": rss_mb(),
        "python_blocks": sys.getallocatedblocks(),
        "objects": len(gc.get_objects()),
    }
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallinfo2"):
        libc.mallinfo2.restype = _MallocInfo
        info = libc.mallinfo2()
        found["malloc_mb"] = round((info.uordblks + info.hblkhd) / _MB, 1)
        found["malloc_free_mb"] = round(info.fordblks / _MB, 1)
    sqlite_file = getattr(sys.modules[sqlite3.connect.__module__], "__file__", None)
    if sqlite_file is not None:
        used = ctypes.CDLL(sqlite_file).sqlite3_memory_used
        used.restype = ctypes.c_int64
        found["sqlite_mb"] = round(used() / _MB, 1)
    return found


def rss_mb() -> float:
    """Return this process's resident memory."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return round(int(line.split()[1]) / 1_024.0, 1)
    raise RuntimeError("/proc/self/status names no VmRSS.")
