"""Makes an answer short: whole items are left out, and the answer says how to ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.mcp_server.encoding import size_of
from freqtrade_mem0.words.visible import visible_lines

if TYPE_CHECKING:
    from freqtrade_mem0.mcp_server.tool import Tool
    from freqtrade_mem0.views.values import Facts

MOST_BYTES = 2_000
"""Of an answer as JSON."""

_MOST_CHARACTERS = 600
_CUT = " [cut]"
_DIGITS = 6


def fitted(tool: Tool, facts: Facts, skipped: int = 0) -> Facts:
    """Return an answer of at most `MOST_BYTES`.

    Its control characters are codes, null values are left out, numbers have six digits. Long texts
    end with "[cut]"; `left_out` counts the items that had no room, `more` says how to ask for them.

    Parameters
    ----------
    tool
        Says how to ask for more.
    facts
        The answer.
    skipped
        How many items of its list the call has skipped.
    """
    most = _MOST_CHARACTERS
    short: Facts = _plain(facts, most)
    whole = short
    left_out: dict[str, int] = {}
    while size_of(short) > MOST_BYTES:
        name = _longest(short, tool.pages)
        if name:
            left_out[name] = left_out.get(name, 0) + 1
            kept = len(whole[name]) - left_out[name]
            short = short | {name: whole[name][:kept]}
        else:
            most //= 2
            whole = _plain(whole, most)
            short = whole | {each: whole[each][: len(short[each])] for each in left_out}
        if left_out:
            short |= {"left_out": left_out, "more": _more(tool, short, left_out, skipped)}
    return short


def _longest(facts: Facts, pages: str) -> str:
    """Return the list that can best do without an item; "" where there is none.

    The first item of the list that `skip` pages stays, so that every page has one.
    """
    sizes = {
        name: size_of(value)
        for name, value in facts.items()
        if isinstance(value, list) and len(value) > (name == pages)
    }
    return max(sizes, key=lambda name: sizes[name], default="")


def _more(tool: Tool, facts: Facts, left_out: dict[str, int], skipped: int) -> str:
    if tool.pages in left_out:
        shown = len(facts[tool.pages])
        return f"Call {tool.name} again with skip={skipped + shown} for the next {tool.pages}."
    return tool.more


def _plain(value: Any, most: int) -> Any:
    if isinstance(value, str):
        shown = visible_lines(value)
        return shown if len(shown) <= most else f"{shown[: most - len(_CUT)]}{_CUT}"
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, dict):
        return {
            _plain(str(name), most): _plain(each, most)
            for name, each in value.items()
            if each is not None
        }
    if isinstance(value, list | tuple):
        return [_plain(each, most) for each in value]
    return value
