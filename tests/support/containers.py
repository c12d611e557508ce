"""What a compose file would start, for running it without Docker."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
COMPOSE_FILES = ("docker-compose.yml", "docker-compose.n8n.yml")
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def services(file: str, given: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the services of a compose file, its variables filled in as Docker does.

    Raises
    ------
    KeyError
        A variable that has to be given is missing.
    """

    def value(found: re.Match[str]) -> str:
        name, kind, text = found.groups()
        if given.get(name):
            return given[name]
        if kind == "-":
            return str(text)
        raise KeyError(name)

    text = (ROOT / file).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    parsed = yaml.safe_load(_VARIABLE.sub(value, "\n".join(lines)))
    found: dict[str, dict[str, Any]] = parsed["services"]
    return found


def words(command: str | list[str]) -> list[str]:
    """Return the words of a command or of a health check."""
    given = shlex.split(command) if isinstance(command, str) else list(command)
    return given[1:] if given[0] == "CMD" else given
