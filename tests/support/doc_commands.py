"""The commands that pages tell people to type."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_INDENTED = re.compile(r"^(?:    .*\n|\n(?=    ))+", re.MULTILINE)
_FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PREFIXES = (
    r"ExecStart=",
    r"(?:[\d*]+\s+){5}",  # when cron starts it
    r"cd \S+ && ",
    r"\w+=\S* ",
    r"sudo -u \w+ ",
    r"docker compose run --rm \w+ ",
)
_COMMAND = re.compile(
    rf"^\s*(?:(?:{'|'.join(_PREFIXES)})\s*)*(?:\S*/)?(freqtrade|freqtrade-mem0) (.+)$"
)
_ENDS = {"|", "||", "&&", ";", ">", ">>", "&"}


@dataclass(frozen=True, slots=True)
class Typed:
    """A command line: what stands on the page, the program, its arguments."""

    line: str
    program: str
    arguments: tuple[str, ...]


def blocks(page: str) -> Iterator[str]:
    """Yield the code blocks of a page, indented or fenced."""
    for found in _FENCED.finditer(page):
        yield found[1]
    for found in _INDENTED.finditer(_FENCED.sub("", page)):
        yield found[0]


def commands(page: str) -> Iterator[Typed]:
    """Yield each call of `freqtrade` and `freqtrade-mem0` in the code blocks of a page."""
    for block in blocks(page):
        for line in block.replace("\\\n", " ").splitlines():
            found = typed(line)
            if found is not None:
                yield found


def typed(line: str) -> Typed | None:
    """Return the command in a line, or None where it holds none."""
    found = _COMMAND.match(line)
    if found is None or "..." in line or "[" in found[2]:
        return None
    words = shlex.split(found[2], comments=True)
    end = next((at for at, word in enumerate(words) if word in _ENDS), len(words))
    return Typed(line.strip(), found[1], tuple(words[:end]))
