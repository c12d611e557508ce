"""One table of what benchmarks printed: figure, median, spread, goal; and the machine below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NO_FIGURES = frozenset(
    {"benchmark", "asked", "goals", "budgets", "machine", "raw", "cores", "python", "rounds"}
)
_MIDDLES = ("median", "p50", "median_us")
_SPREADS = (("q1", "q3"), ("min", "max"))
_TAIL = "p99"
"""How the names of high quantiles begin: p99, p99.9, p999, p99_us."""
_HEAD = ("figure", "median", "spread", "goal")


@dataclass(frozen=True, slots=True)
class Line:
    """A figure as it is shown: all texts."""

    figure: str
    median: str
    spread: str
    goal: str


def lines_of(result: Mapping[str, Any]) -> list[Line]:
    """Return the figures of a benchmark's JSON, whichever it is; see `measuring` for the form.

    >>> lines_of({"local": {"ratio": {"median": 1.1, "q1": 1.0, "q3": 1.2}}, "trades": 9})
    [Line(figure='local.ratio', median='1.1', spread='1 - 1.2', goal=''), \
Line(figure='trades', median='9', spread='', goal='')]
    """
    budgets = {
        path.removesuffix(f".{name}"): f"<= {most:g}"
        for path, most in result.get("budgets", {}).items()
        for name in _MIDDLES
        if path.endswith(f".{name}")
    }
    goals = budgets | result.get("goals", {})
    figures = {name: value for name, value in result.items() if name not in _NO_FIGURES}
    return [
        Line(path, median, spread, goals.get(path, ""))
        for path, median, spread in _figures(figures, "")
    ]


def exceeded(result: Mapping[str, Any]) -> list[str]:
    """Return what is over its budget, each in a sentence.

    >>> exceeded({"us": {"recall": {"p50": 31.5}}, "budgets": {"us.recall.p50": 20.0}})
    ['us.recall.p50 is 31.5, its budget is 20.']
    """
    found = []
    for path, most in result.get("budgets", {}).items():
        node: Any = result
        for name in path.split("."):
            node = node[name]
        if node > most:
            found.append(f"{path} is {_text(node)}, its budget is {_text(most)}.")
    return found


def render(results: Mapping[str, Mapping[str, Any]], machine: Mapping[str, Any]) -> str:
    """Return the table as Markdown, one part per benchmark.

    Parameters
    ----------
    results
        Each benchmark's JSON, by name.
    machine
        What `measuring.machine` returned.
    """
    parts = []
    for name, result in results.items():
        asked = ", ".join(f"{key} {value}" for key, value in result.get("asked", {}).items())
        rows = [(line.figure, line.median, line.spread, line.goal) for line in lines_of(result)]
        title = f"## {name}" + (f" ({asked})" if asked else "")
        parts.append("\n".join([title, "", *_aligned([_HEAD, *rows])]))
    facts = ", ".join(f"{key} {value}" for key, value in machine.items())
    return "\n\n".join([*parts, facts])


def _figures(node: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """Yield path, middle and spread of every figure below a node."""
    if isinstance(node, Mapping):
        middle = next((name for name in _MIDDLES if name in node), None)
        if middle is not None:
            yield path, _text(node[middle]), _spread(node)
            return
        for name, below in node.items():
            yield from _figures(below, f"{path}.{name}" if path else str(name))
    elif isinstance(node, list):
        for number, below in enumerate(node):
            yield from _figures(below, f"{path}.{number}")
    elif node is not None:
        yield path, _text(node), ""


def _spread(node: Mapping[str, Any]) -> str:
    ends = next((pair for pair in _SPREADS if all(end in node for end in pair)), None)
    if ends is not None:
        return " - ".join(_text(node[end]) for end in ends)
    return ", ".join(f"{name} {_text(node[name])}" for name in node if name.startswith(_TAIL))


def _text(value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:,.10g}" if is_number else str(value)


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    texts = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    return [texts[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *texts[1:]]
