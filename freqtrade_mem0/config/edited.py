"""Changes keys in the text of a config file, and leaves its comments and its format alone.

Freqtrade's configs are JSON with comments and trailing commas, which no writer of JSON keeps.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import rapidjson

from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PARSE_MODE = rapidjson.PM_COMMENTS | rapidjson.PM_TRAILING_COMMAS


def with_keys(text: str, keys: Mapping[str, Any]) -> str:
    r"""Return the text of a config with some keys set.

    Parameters
    ----------
    text
        Of the file.
    keys
        Values by the path of their key, such as "mem0.sizing.live". Blocks are made where there are
        none.

    Raises
    ------
    ConfigError
        The text is no object, or the keys can not be set in it.

    Examples
    --------
    >>> print(with_keys('{\n  "dry_run": true, // for now\n}', {"mem0.mode": "local"}))
    {
      "dry_run": true, // for now
      "mem0": {
        "mode": "local"
      },
    }
    """
    try:
        wanted = rapidjson.loads(text, parse_mode=PARSE_MODE)
        changed = text
        for path, value in keys.items():
            *blocks, last = path.split(".")
            place = wanted
            for name in blocks:
                place = place.setdefault(name, {})
            place[last] = value
            changed = _with_key(changed, _skip(changed, 0), path.split("."), value)
        is_right = rapidjson.loads(changed, parse_mode=PARSE_MODE) == wanted
    except (ValueError, TypeError, AttributeError, IndexError):
        is_right = False
    if not is_right:
        raise ConfigError(
            f"{', '.join(keys)} can not be set in this config without changing the rest of it. Use "
            "--to FILE for a config file of its own; Freqtrade merges both: -c config.json -c FILE."
        )
    return changed


class _Member(NamedTuple):
    key: int
    """Where its name begins."""
    start: int
    """Where its value begins."""
    end: int
    """Behind its value."""


def _with_key(text: str, start: int, path: Sequence[str], value: Any) -> str:
    """Set a key in the object that begins at `start`."""
    members = _members(text, start)
    name, *rest = path
    found = members.get(name)
    if found is None:
        for each in reversed(rest):
            value = {each: value}
        return _with_member(text, start, list(members.values()), name, value)
    if rest:
        return _with_key(text, found.start, rest, value)
    return text[: found.start] + json.dumps(value, ensure_ascii=False) + text[found.end :]


def _with_member(text: str, start: int, members: Sequence[_Member], name: str, value: Any) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    outer = _indent(text, start)
    if not members:
        end = _end_of_value(text, start)
        step = "\t" if "\t" in outer else "    "
        inner = outer + step
        member = _written(name, value, inner, step, newline)
        return (
            f"{text[: end - 1].rstrip()}{newline}{inner}{member}{newline}{outer}{text[end - 1 :]}"
        )
    inner = _indent(text, members[0].key)
    member = _written(name, value, inner, inner[len(outer) :] or "    ", newline)
    last = members[-1].end
    comma = _skip(text, last)
    has_comma = text[comma] == ","
    behind = comma + 1 if has_comma else last
    end_of_line = text.find("\n", behind)
    closing = _end_of_value(text, start) - 1
    if end_of_line < 0 or closing < end_of_line:  # the object ends in the same line
        return f"{text[:last]}, {member}{text[last:]}"
    end_of_line -= text[end_of_line - 1] == "\r"
    head = text[:behind] + ("" if has_comma else ",") + text[behind:end_of_line]
    return f"{head}{newline}{inner}{member}{',' if has_comma else ''}{text[end_of_line:]}"


def _written(name: str, value: Any, indent: str, step: str, newline: str) -> str:
    lines = json.dumps({name: value}, indent=step, ensure_ascii=False).split("\n")[1:-1]
    return newline.join([lines[0].strip(), *(indent + line[len(step) :] for line in lines[1:])])


def _indent(text: str, place: int) -> str:
    line = text[text.rfind("\n", 0, place) + 1 : place]
    return line[: len(line) - len(line.lstrip())]


def _members(text: str, start: int) -> dict[str, _Member]:
    """Return the members of the object that begins at `start`."""
    if text[start] != "{":
        raise ValueError("no object")
    found = {}
    place = _skip(text, start + 1)
    while text[place] != "}":
        end = _end_of_value(text, place)
        value = _skip(text, _skip(text, end) + 1)
        member = _Member(place, value, _end_of_value(text, value))
        found[json.loads(text[place:end])] = member
        place = _skip(text, member.end)
        if text[place] == ",":
            place = _skip(text, place + 1)
    return found


def _skip(text: str, place: int) -> int:
    """Return where something stands that is neither blank nor comment."""
    while place < len(text):
        if text.startswith("//", place):
            end = text.find("\n", place)
            place = len(text) if end < 0 else end
        elif text.startswith("/*", place):
            place = text.index("*/", place) + 2
        elif text[place].isspace() or text[place] == "\ufeff":
            place += 1
        else:
            break
    return place


def _end_of_value(text: str, place: int) -> int:
    """Return the place behind the value that begins at a place."""
    if text[place] == '"':
        place += 1
        while text[place] != '"':
            place += 2 if text[place] == "\\" else 1
        return place + 1
    if text[place] not in "{[":
        while text[place] not in ",]}/" and not text[place].isspace():
            place += 1
        return place
    place = _skip(text, place + 1)
    while text[place] not in "}]":
        place = place + 1 if text[place] in ",:" else _end_of_value(text, place)
        place = _skip(text, place)
    return place + 1
