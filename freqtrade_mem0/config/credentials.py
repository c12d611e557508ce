"""Finds Mem0's key, which is never in the config and never printed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.config.variables import FILE_NAME, read_env_file
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_NAMES = ("M0_API_KEY", "MEM0_API_KEY")
_MS = ("m0", "mem0")
"""How the names of scopes begin, as in M0_ORG_ID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A key of the Mem0 platform; it is not shown in `repr`.

    Parameters
    ----------
    api_key
        The secret.
    source
        Where it was found: "argument", "environment M0_API_KEY", ".env.mem0".
    org_id, project_id
        The platform's scopes, "" where not given.
    """

    api_key: str = field(repr=False)
    source: str
    org_id: str = ""
    project_id: str = ""


def find_credentials(
    api_key: str | None = None,
    *,
    org_id: str | None = None,
    project_id: str | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Credentials | None:
    """Return the first key found in the argument, the environment, `.env.mem0`; else None.

    Parameters
    ----------
    api_key, org_id, project_id
        Given by the caller.
    environ
        Default: the process's environment.
    folder
        Of `.env.mem0`. Default: the working folder.

    Raises
    ------
    ConfigError
        `.env.mem0` can not be read, or has a line that is not `NAME=value`, or the key holds what
        no key does.
    """
    env = os.environ if environ is None else environ
    file = read_env_file((folder or Path.cwd()) / FILE_NAME)
    both = (env, file)
    scopes = {
        name: _first(given, *(place.get(f"{m}_{name}".upper()) for place in both for m in _MS))
        for name, given in (("org_id", org_id), ("project_id", project_id))
    }
    places = [("argument", api_key)]
    places += [(f"environment {name}", env.get(name)) for name in KEY_NAMES]
    places += [(FILE_NAME, file.get(name)) for name in KEY_NAMES]
    for source, value in places:
        if key := _first(value):
            if not key.isascii() or not key.isprintable() or " " in key:
                raise ConfigError(
                    f"The key of Mem0 ({source}) holds a blank or a character that no key has. "
                    "Copy it again."
                )
            return Credentials(api_key=key, source=source, **scopes)
    return None


def _first(*values: str | None) -> str:
    """Return the first value that is not blank, without the blanks around it."""
    return next((value.strip() for value in values if value and value.strip()), "")
