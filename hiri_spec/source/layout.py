"""Python text laid out in lines of at most 120 characters, as `ruff format` leaves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LINE = 120
INDENT = " " * 4


@dataclass(frozen=True, slots=True)
class Apply:
    """A call: what is called, then its arguments, each with its keyword and "=" where it has one."""

    function: str
    arguments: tuple[tuple[str, Expression], ...] = ()


@dataclass(frozen=True, slots=True)
class Each:
    """A comprehension: `opening` `what` `clause` `closing`, such as `*[`, `HR(32)`, `for _ in range(2)`, `]`."""

    opening: str
    what: Expression
    clause: str
    closing: str


@dataclass(frozen=True, slots=True)
class Sum:
    """Terms with a plus between."""

    terms: tuple[Expression, ...]


Expression = str | Apply | Each | Sum


def call(function: str, *arguments: Expression, **keywords: Expression) -> Apply:
    """A call with positional, then with named arguments."""
    named = [(f"{name}=", value) for name, value in keywords.items()]
    return Apply(function, (*(("", value) for value in arguments), *named))


def flat(expression: Expression) -> str:
    """On one line, however long."""
    match expression:
        case Apply(function, arguments):
            return f"{function}({', '.join(name + flat(value) for name, value in arguments)})"
        case Each(opening, what, clause, closing):
            return f"{opening}{flat(what)} {clause}{closing}"
        case Sum(terms):
            return " + ".join(flat(term) for term in terms)
        case str():
            return expression


def lay_out(indent: str, before: str, expression: Expression, after: str = "") -> list[str]:
    """The lines of an expression between two texts: one if it fits, else one for each thing inside."""
    line = f"{indent}{before}{flat(expression)}{after}"
    if len(line) <= LINE:
        return [line]
    inner = indent + INDENT
    match expression:
        case Apply(function, arguments) if arguments:
            inside = ", ".join(name + flat(value) for name, value in arguments)
            is_plain = len(arguments) == 1 or all(isinstance(value, str) for _, value in arguments)
            if is_plain and len(inner + inside) <= LINE:
                return [f"{indent}{before}{function}(", inner + inside, f"{indent}){after}"]
            body = [line for name, value in arguments for line in lay_out(inner, name, value, ",")]
            return [f"{indent}{before}{function}(", *body, f"{indent}){after}"]
        case Each(opening, what, clause, closing):
            return [
                f"{indent}{before}{opening}",
                *lay_out(inner, "", what),
                f"{inner}{clause}",
                f"{indent}{closing}{after}",
            ]
        case Sum(terms):
            body = [line for place, term in enumerate(terms) for line in lay_out(inner, "+ " if place else "", term)]
            return [f"{indent}{before}(", *body, f"{indent}){after}"]
        case _:
            return [line]


def define(indent: str, name: str, arguments: Sequence[str], returns: str) -> list[str]:
    """The lines of a function's head."""
    return lay_out(indent, "def ", Apply(name, tuple(("", argument) for argument in arguments)), f" -> {returns}:")
