"""From the tree of a query to a filter in the language that every backend understands."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.query import values
from freqtrade_mem0.query.fields import Field, Place, Unit, field_named, is_field
from freqtrade_mem0.query.tree import Between, Clause, Compared, Every, Node, Some, Term, Without
from freqtrade_mem0.query.wrong import WrongQueryError, pointing
from freqtrade_mem0.words import mission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.backends.port import Filters

_SIGNS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
_WITHOUT_COLON = re.compile(r"([^\W\d][\w.]*)(?:[<>]=?|==?)(?=.)")
_LIKE_A_FIELD = re.compile(r"(?<![^\s(-])([^\W\d][\w.]*):(?=\S)")


_OPERATORS = {"and": "AND", "&&": "AND", "or": "OR", "||": "OR", "not": "NOT", "!": "NOT"}
"""How others write the operators."""


class Asked(NamedTuple):
    """What a query asks for."""

    filters: Filters
    """What must hold."""
    words: str
    """Free words, for a search by meaning; "" if there are none."""


def read_query(
    query: str,
    place: Place = Place.MEMORIES,
    *,
    takes_words: bool = True,
    now: datetime | None = None,
) -> Asked:
    """Return what a query asks for.

    Parameters
    ----------
    query
        In the language that `docs/reference/queries.md` describes.
    place
        What is asked: its fields differ.
    takes_words
        Whether free words can be searched for.
    now
        Aware UTC; None for the wall clock.

    Raises
    ------
    RecordError
        The query breaks a rule; the message points at the place.

    Examples
    --------
    >>> read_query("strategy:MyStrategy AND profit_abs:>10 stop loss")
    Asked(filters={'AND': [{'OR': [{'strategy': {'eq': 'MyStrategy'}}, \
{'agent_id': {'eq': 'MyStrategy'}}]}, {'profit_abs': {'gt': 10.0}}]}, words='stop loss')
    """
    from freqtrade_mem0.query.grammar import parse

    tree = parse(query)
    with pointing(query):
        parts = _flat(tree)
        free = [part for part in parts if isinstance(part, Term)]
        _refuse_slips(parts, free)
        if free and not takes_words:
            raise WrongQueryError(
                free[0].at,
                f"Free words are searched for by 'search' alone, not in {place}: name a field, as "
                f"in enter_tag:{free[0].text.split()[0] if free[0].text.split() else 'dip'}.",
            )
        compiler = _Compiler(place, datetime.now(UTC) if now is None else now)
        conditions = [compiler.condition(part) for part in parts if not isinstance(part, Term)]
    filters = conditions[0] if len(conditions) == 1 else {"AND": conditions} if conditions else {}
    return Asked(filters, " ".join(each.text for each in free))


def names_a_field(text: str) -> bool:
    """Tell whether a text has a condition on a field of ours, so that it is meant as a query.

    >>> names_a_field("strategy:MyStrategy dips"), names_a_field("note: sell at 10:30")
    (True, False)
    """
    return any(is_field(found[1]) for found in _LIKE_A_FIELD.finditer(text))


def is_like_a_query(text: str) -> bool:
    """Tell whether a text has what looks like a condition, also on a field that there is not.

    >>> is_like_a_query("stratgy:MyStrategy"), is_like_a_query("see http://a.example at 10:30")
    (True, False)
    """
    return any(not text.startswith("//", found.end()) for found in _LIKE_A_FIELD.finditer(text))


def _flat(tree: Node) -> list[Node]:
    if isinstance(tree, Every):
        return [each for part in tree.parts for each in _flat(part)]
    return [tree]


def _refuse_slips(parts: Sequence[Node], free: Sequence[Term]) -> None:
    """Refuse free words that were meant as conditions."""
    for word in free:
        if word.is_quoted:
            continue
        found = _WITHOUT_COLON.match(word.text)
        if found is not None and is_field(found[1]):
            meant = word.text.replace(found[1], f"{found[1]}:", 1).replace(":=", ":")
            raise WrongQueryError(word.at, f"A colon is missing: write {meant}.")
    for number, part in enumerate(parts):
        beside = (*parts[max(0, number - 1) : number], *parts[number + 1 : number + 2])
        if not all(isinstance(each, Term) for each in beside):
            _refuse_small_operator(part)


def _refuse_small_operator(part: Node) -> None:
    if isinstance(part, Term) and not part.is_quoted and part.text.lower() in _OPERATORS:
        meant = _OPERATORS[part.text.lower()]
        raise WrongQueryError(part.at, f"Write {meant} for {part.text!r}, in capital letters.")


class _Compiler(NamedTuple):
    place: Place
    now: datetime

    def condition(self, node: Node) -> Filters:
        """Return the filter of a part of the query."""
        match node:
            case Clause():
                return self._wanted(node, field_named(node.name, node.at, self.place), node.wanted)
            case Every():
                return {"AND": [self.condition(part) for part in node.parts]}
            case Some():
                return {"OR": [self.condition(part) for part in node.parts]}
            case Without():
                return {"NOT": [self.condition(node.part)]}
        at = node.at if isinstance(node, Term) else 0
        raise WrongQueryError(
            at,
            "A free word is searched for by meaning, so it can not stand under OR or NOT. Put the "
            "conditions beside it into parentheses, or ask for the word itself by text:word.",
        )

    def _wanted(self, clause: Clause, field: Field, node: Node) -> Filters:
        match node:
            case Every():
                for part in node.parts:
                    _refuse_small_operator(part)
                return {"AND": [self._wanted(clause, field, part) for part in node.parts]}
            case Some():
                return {"OR": [self._wanted(clause, field, part) for part in node.parts]}
            case Without():
                return {"NOT": [self._wanted(clause, field, node.part)]}
            case Term():
                return self._one(clause, field, node)
            case Compared():
                return self._range(clause, field, {node.sign: node.term})
            case Between():
                signs = (">=" if node.has_low else ">", "<=" if node.has_high else "<")
                ends = dict(zip(signs, (node.low, node.high), strict=True))
                return self._range(
                    clause, field, {sign: end for sign, end in ends.items() if not _is_open(end)}
                )
        raise AssertionError(node)  # the grammar has no other value

    def _one(self, clause: Clause, field: Field, term: Term) -> Filters:
        if _is_open(term):
            return _any_of(field.keys, "*")
        if field.unit is Unit.TEXT:
            return _text(clause.name, field, term)
        if field.unit is Unit.SWITCH:
            known = values.SWITCHES.get(term.text.lower())
            if known is None:
                raise WrongQueryError(
                    term.at, f"{clause.name!r} is true or false, and this is {term.text!r}."
                )
            return _any_of(field.keys, {"eq": known})
        if field.unit is Unit.OWN:
            return _any_of(field.keys, _as_stored(term))
        return self._range(clause, field, {">=": term, "<=": term})

    def _range(self, clause: Clause, field: Field, ends: dict[str, Term]) -> Filters:
        if not ends:
            return _any_of(field.keys, "*")
        first = next(iter(ends.values()))
        is_time = field.unit is Unit.TIME
        if field.unit is Unit.OWN:
            is_time = values.is_time(first.text) and not values.is_number(first.text)
        elif field.unit in (Unit.TEXT, Unit.SWITCH):
            raise WrongQueryError(
                first.at, f"{clause.name!r} is {field.unit}; only numbers and times have a range."
            )
        if is_time:
            return self._times(clause, field, ends)
        is_percent = field.unit is Unit.PERCENT
        bounds = {
            _SIGNS[sign]: values.number(end, clause.name, is_percent=is_percent)
            for sign, end in ends.items()
        }
        own = _any_of(field.keys, {sign: written for sign, (written, _) in bounds.items()})
        if not is_percent:
            return own
        ratio = {"profit_ratio": {sign: stored for sign, (_, stored) in bounds.items()}}
        return {"OR": [ratio, *own["OR"]]}

    def _times(self, clause: Clause, field: Field, ends: dict[str, Term]) -> Filters:
        bounds: dict[str, datetime] = {}
        for sign, end in ends.items():
            start, stop = values.time(end, clause.name, self.now)
            is_span = stop > start
            if sign in {">=", "<"}:
                bounds[_SIGNS[sign]] = start
            elif sign == ">":
                bounds["gte" if is_span else "gt"] = stop
            else:
                bounds["lt" if is_span else "lte"] = stop
        texts = {sign: moment.isoformat() for sign, moment in bounds.items()}
        seconds = {sign: moment.timestamp() for sign, moment in bounds.items()}
        conditions = [{key: seconds if key.endswith("_ts") else texts} for key in field.keys]
        return conditions[0] if len(conditions) == 1 else {"OR": conditions}


def _is_open(term: Term) -> bool:
    return term.text == "*" and not term.is_quoted


def _any_of(keys: Sequence[str], wanted: Any) -> Filters:
    """Return: the value of one of the keys is as wanted."""
    conditions: list[Filters] = [{key: wanted} for key in keys]
    return conditions[0] if len(conditions) == 1 else {"OR": conditions}


def _text(name: str, field: Field, term: Term) -> Filters:
    text = term.text
    if text.startswith(("=", "!")) and not term.is_quoted:
        bare = text.lstrip("=!")
        meant = f"NOT {name}:{bare}" if text.startswith("!") else f"{name}:{bare}"
        raise WrongQueryError(term.at, f"Write {meant}, or put the text into quotes.")
    if not term.is_quoted and ("*" in text or "?" in text):
        return _any_of(field.keys, {"like": f"*{text}*" if name == "text" else text})
    if name == "text":
        return _any_of(field.keys, {"icontains": text})
    meant = field.words.get(text.lower(), text.upper() if "pair" in field.keys else text)
    if field.choices:
        if meant not in field.choices:
            hint = mission.did_you_mean(text, (*field.choices, *field.words))
            raise WrongQueryError(
                term.at,
                f"{name} {text!r} is unknown; there are {', '.join(field.choices)}.{hint}",
            )
        return _any_of(field.keys, {"eq": meant})
    return _any_of(field.keys, {"eq": text} if meant == text else {"in": [text, meant]})


def _as_stored(term: Term) -> Filters:
    """Return the condition on a value of the caller's own, whose type only he knows."""
    if not term.is_quoted and ("*" in term.text or "?" in term.text):
        return {"like": term.text}
    same: list[object] = [term.text]
    if not term.is_quoted and values.is_number(term.text):
        same.append(values.number(term, "")[0])
    if not term.is_quoted and term.text.lower() in values.SWITCHES:
        same.append(values.SWITCHES[term.text.lower()])
    return {"in": same}
