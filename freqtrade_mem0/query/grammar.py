"""The grammar of queries: text -> tree.

AND binds closer than OR; conditions that stand beside each other must all hold.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from freqtrade_mem0.query.tree import Between, Clause, Compared, Every, Some, Term, Without, below
from freqtrade_mem0.query.wrong import WrongQueryError, pointing

if TYPE_CHECKING:
    from freqtrade_mem0.query.tree import Node

LONGEST = 2_000
"""Characters of a query."""
DEEPEST = 20
"""Levels of NOT and of conditions in parentheses."""
MOST_VALUES = 64
"""Values and free words of a query."""

_GRAMMAR = r"""
?start: any
?any: all (OR all)*              -> some
?all: one (AND? one)*            -> every
?one: (NOT | MINUS) one          -> without
    | FIELD value                -> clause
    | "(" any ")"
    | (WORD | QUOTED)            -> term
// Words of the same kind have a rule each for where they stand, so that the parser, and with it the
// lexer, knows what may follow.
?value: direct
    | "(" values ")"
?values: together (OR together)* -> some
?together: single (AND? single)* -> every
?single: NOT single              -> without
    | grouped
    | "(" values ")"
?direct: lone
    | SIGN lone                  -> compared
    | OPEN end TO end CLOSE      -> between
?grouped: inner
    | SIGN inner                 -> compared
    | OPEN end TO end CLOSE      -> between
?lone: (VALUE | QUOTED)          -> term
?inner: (VALUE | QUOTED)         -> term
?end: (VALUE | QUOTED)           -> term
OPEN: "[" | "{"
CLOSE: "]" | "}"
SIGN.4: ">=" | "<=" | ">" | "<"
AND.3: /AND(?![^\s()])/
OR.3: /OR(?![^\s()])/
NOT.3: /NOT(?![^\s()])/
TO.3: /TO(?!\S)/
MINUS.2: /-(?=[^\s-])/
FIELD.2: /[^\W\d][\w.]*:/
QUOTED.2: /"(?:[^"\\]|\\.)*"/s
VALUE: /(?!(?:AND|OR|NOT)(?![^\s()]))[^\s()\[\]{}"<>][^\s()\[\]{}"]*/
WORD: /(?!(?:AND|OR|NOT)(?![^\s()]))[^\s()"]+/
%ignore /\s+/
"""

_MOST_PIECES = 8 * MOST_VALUES
"""A condition has at most eight: `NOT field : [ a TO b ]`, and AND or a parenthesis."""

# A quote without an end goes to the end: looking for it from each quote would take seconds.
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"?|[()]|[^\s()"]+', re.DOTALL)
_TOO_MANY = f"It has more than {MOST_VALUES} conditions and words; ask in several queries."
_TOO_DEEP = f"It is nested more than {DEEPEST} deep; write it flatter."
_NO_VALUE = (
    "A value is missing here, as in profit:>10.0. A text with brackets or signs, and the words "
    "AND, OR, NOT, need quotes."
)
_NOT_UNDERSTOOD = (
    "This is not understood here. A condition is written field:value; AND, OR, NOT stand between "
    "conditions; a text with other signs needs quotes."
)


@v_args(inline=True)
class _Builder(Transformer[Token, "Node"]):
    def term(self, token: Token) -> Term:
        at = token.start_pos or 0
        if token.type != "QUOTED":
            return Term(str(token), at=at)
        return Term(re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL), is_quoted=True, at=at)

    def compared(self, sign: Token, term: Term) -> Compared:
        return Compared(str(sign), term)

    def between(self, left: Token, low: Term, _to: Token, high: Term, right: Token) -> Between:
        return Between(low, high, left == "[", right == "]")

    def clause(self, name: Token, wanted: Node) -> Clause:
        return Clause(str(name[:-1]), wanted, at=name.start_pos or 0)

    def without(self, _not: Token, part: Node) -> Without:
        return Without(part)

    def every(self, *parts: Node | Token) -> Node:
        nodes = _nodes(parts)
        return nodes[0] if len(nodes) == 1 else Every(nodes)

    def some(self, *parts: Node | Token) -> Node:
        nodes = _nodes(parts)
        return nodes[0] if len(nodes) == 1 else Some(nodes)


def _nodes(parts: tuple[Node | Token, ...]) -> tuple[Node, ...]:
    return tuple(part for part in parts if not isinstance(part, Token))


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", transformer=_Builder())


def parse(query: str) -> Node:
    """Return the tree of a query; raise `RecordError`, which points at the place, if it has none.

    >>> parse("profit:>10 AND NOT dip")
    Every(parts=(Clause(name='profit', wanted=Compared(sign='>', term=Term(text='10', \
is_quoted=False, at=8)), at=0), Without(part=Term(text='dip', is_quoted=False, at=19))))
    """
    with pointing(query):
        if not query.strip():
            raise WrongQueryError(0, "It is empty. Write a condition such as strategy:MyStrategy.")
        if len(query) > LONGEST:
            raise WrongQueryError(
                LONGEST, f"It has {len(query):,} characters; at most {LONGEST:,} are read."
            )
        _refuse_hostile(query)
        try:
            tree = cast("Node", _parser().parse(query))
        except UnexpectedInput as error:
            raise _what_is_wrong(query, error) from None
        _measure(tree)
        return tree


def _refuse_hostile(query: str) -> None:
    """Refuse what is too deep or too much before it is parsed, which takes longer."""
    depth = n_not = 0
    for number, found in enumerate(_PIECE.finditer(query), start=1):
        depth += (found[0] == "(") - (found[0] == ")")
        n_not = n_not + 1 if found[0] == "NOT" else 0
        if max(depth, n_not) > DEEPEST:
            raise WrongQueryError(found.start(), _TOO_DEEP)
        if number > _MOST_PIECES:
            raise WrongQueryError(found.start(), _TOO_MANY)


def _measure(tree: Node) -> None:
    level: list[tuple[Node, int]] = [(tree, 0)]
    depth = n_values = 0
    while level:
        at = next((at for _, at in level), 0)
        depth += not all(isinstance(node, Term | Compared | Between) for node, _ in level)
        if depth > DEEPEST:
            raise WrongQueryError(at, _TOO_DEEP)
        n_values += sum(not below(node) for node, _ in level)
        if n_values > MOST_VALUES:
            raise WrongQueryError(at, _TOO_MANY)
        level = [(part, getattr(part, "at", at)) for node, at in level for part in below(node)]


def _what_is_wrong(query: str, error: UnexpectedInput) -> WrongQueryError:
    """Return what a reader of the query needs to know about what the parser met."""
    if isinstance(error, UnexpectedToken):
        at, expected, is_end = error.token.start_pos, error.expected, error.token.type == "$END"
    else:
        assert isinstance(error, UnexpectedCharacters)  # noqa: S101 - there is no third kind
        at, expected, is_end = error.pos_in_stream, error.allowed, False
    at = len(query) if is_end or at is None else at
    met = query[at : at + 1]
    rules = (
        (met == '"', 'This quote has no end. Write \\" for a quote inside a text.'),
        (met == ")" and "END" in str(expected), "There is no '(' for this ')'."),
        (met == ")", "A condition or a word is missing before this ')'."),
        (
            bool({"TO", "CLOSE"} & expected),
            "A range is written [a TO b]; {a TO b} leaves out a, b.",
        ),
        (is_end and "RPAR" in expected, "A ')' is missing."),
        ("VALUE" in expected, _NO_VALUE),
        (is_end, "A condition or a word is missing at the end."),
    )
    return WrongQueryError(at, next((rule for holds, rule in rules if holds), _NOT_UNDERSTOOD))
