"""Text of users and strangers as people may see it: control characters visible, never obeyed.

A tag, a strategy's name or an error of a server can hold escape sequences, which a terminal obeys,
or characters that reverse the order of what follows. Every output channel shows their codes
instead.
"""

from __future__ import annotations

import json
from reprlib import Repr
from unicodedata import category

_SHOWN_AS_CODES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of control, format and line separator characters, and of halves of characters."""

_BRIEF = Repr()
_BRIEF.maxstring = _BRIEF.maxlong = _BRIEF.maxother = 78

_JOINERS = "\u200c\u200d"
"""Format characters that scripts and emoji need; they do nothing but join what is beside them."""


def visible(text: str) -> str:
    r"""Return a text on one line, with its control characters as codes.

    >>> print(visible("dip\x1b[2J\nover"))
    dip\x1b[2J\nover
    """
    if text.isprintable():
        return text
    return "".join(_code(each) if _is_control(each) else each for each in text)


def brief(value: object) -> str:
    """Return a value as Python writes it, cut where it is long or deep, for an error's message.

    >>> print(brief("x" * 500))
    'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'
    """
    return _BRIEF.repr(value)


def visible_lines(text: str) -> str:
    """Return a text whose line breaks are ours; each of its lines as `visible` returns it."""
    return "\n".join(map(visible, text.split("\n")))


def strict_json(value: object) -> str:
    """Return JSON for people and programs: as `json.dumps`, with control characters as escapes."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    # What is left of them stands in strings, where JSON has an escape for each.
    return "\n".join(
        line
        if line.isprintable()
        else "".join(json.dumps(each)[1:-1] if _is_control(each) else each for each in line)
        for line in text.split("\n")
    )


def _is_control(character: str) -> bool:
    return category(character) in _SHOWN_AS_CODES and character not in _JOINERS


def _code(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
