"""The tree of a query."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Term:
    """A value, or a free word, as it was written; `at` is its position in the query."""

    text: str
    is_quoted: bool = False
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Compared:
    """A bound on one side, as in `>10`."""

    sign: str
    term: Term


@dataclass(frozen=True, slots=True)
class Between:
    """A range, as in `[a TO b}`; the unquoted term `*` leaves a side open."""

    low: Term
    high: Term
    has_low: bool = True
    has_high: bool = True


@dataclass(frozen=True, slots=True)
class Clause:
    """A field and what its value must be: one value, or several in parentheses."""

    name: str
    wanted: Node
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Every:
    """All of the parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of the parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Without:
    """The opposite of a part."""

    part: Node


Node: TypeAlias = Term | Compared | Between | Clause | Every | Some | Without


def below(node: Node) -> tuple[Node, ...]:
    """Return the parts of a node; a value or free word has none."""
    match node:
        case Every() | Some():
            return node.parts
        case Without():
            return (node.part,)
        case Clause():
            return (node.wanted,)
    return ()
