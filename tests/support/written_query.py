"""The query that a tree stands for: the way back of the parser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.query.tree import Between, Clause, Compared, Every, Some, Term, Without

if TYPE_CHECKING:
    from freqtrade_mem0.query.tree import Node


def written(node: Node) -> str:
    """Return a query that is read as this tree.

    >>> written(Every((Clause("pair", Term("BTC*")), Without(Term("a b", is_quoted=True)))))
    'pair:BTC* AND NOT "a b"'
    """
    match node:
        case Term():
            escaped = node.text.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"' if node.is_quoted else node.text
        case Compared():
            return f"{node.sign}{written(node.term)}"
        case Between():
            left, right = "[" if node.has_low else "{", "]" if node.has_high else "}"
            return f"{left}{written(node.low)} TO {written(node.high)}{right}"
        case Clause():
            inner = written(node.wanted)
            is_group = isinstance(node.wanted, Every | Some | Without)
            return f"{node.name}:({inner})" if is_group else f"{node.name}:{inner}"
        case Without():
            return f"NOT {_inner(node.part)}"
    return (" AND " if isinstance(node, Every) else " OR ").join(map(_inner, node.parts))


def _inner(node: Node) -> str:
    return f"({written(node)})" if isinstance(node, Every | Some) else written(node)
