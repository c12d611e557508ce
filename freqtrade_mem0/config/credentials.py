"""Finds Mem0's key, which is never in the config and never printed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from dotenv.parser import parse_stream

from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE_NAME = ".env.mem0"
KEY_NAMES = ("M0_API_KEY", "MEM0_API_KEY")


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
        `.env.mem0` can not be read, or has a line that is not `NAME=value`.
    """
    env = os.environ if environ is None else environ
    file = _read_env_file((folder or Path.cwd()) / FILE_NAME)
    scopes = {
        "org_id": org_id or env.get("M0_ORG_ID") or file.get("M0_ORG_ID", ""),
        "project_id": project_id or env.get("M0_PROJECT_ID") or file.get("M0_PROJECT_ID", ""),
    }
    if api_key:
        return Credentials(api_key=api_key, source="argument", **scopes)
    for name in KEY_NAMES:
        if env.get(name):
            return Credentials(api_key=env[name], source=f"environment {name}", **scopes)
    for name in KEY_NAMES:
        if file.get(name):
            return Credentials(api_key=file[name], source=FILE_NAME, **scopes)
    return None


def _read_env_file(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} can not be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} can not be read: it is no UTF-8 text.") from error
    values = {}
    for binding in parse_stream(StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            statement = binding.original.string
            n_blank_lines = len(statement) - len(statement.lstrip("\n"))
            line = binding.original.line + n_blank_lines
            raise ConfigError(f"{path}, line {line}: expected NAME=value.")
        if binding.key is not None and binding.value is not None:
            values[binding.key] = binding.value
    return values
