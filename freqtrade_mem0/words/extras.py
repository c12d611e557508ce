"""How to install what an extra of this package needs."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, requires


def how_to_install(extra: str) -> str:
    """Return the command that installs what an extra needs.

    It names the packages themselves, so that it holds for a checkout and for a wheel alike.

    >>> how_to_install("redis")
    "pip install 'redis>=5'"
    """
    try:
        lines = requires("freqtrade-mem0") or []
    except PackageNotFoundError:  # a folder on the path, which nobody installed
        lines = []
    needed = [line.replace('"', "'").partition(";") for line in lines]
    of_extra = [name.strip() for name, _, only in needed if f"extra == '{extra}'" in only]
    shown = " ".join(f"'{name}'" for name in of_extra or [f"freqtrade-mem0[{extra}]"])
    return f"pip install {shown}"
