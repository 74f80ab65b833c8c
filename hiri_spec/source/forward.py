"""The statements of a `forward`: the calls of a scope in the order of the graph, their results in named variables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .. import ops
from ..scopes import Call, Scope
from .layout import INDENT, Apply, Expression, Sum, define, lay_out
from .templates import LIKE, only_sizes, ordered_inputs

FOLLOWERS = (ops.Norm, ops.Activation)
"""What is written around the call before it, `act(norm(conv(x)))`, instead of in a line of its own."""
TELLS_LITTLE = {"act", "add", "crop", "drop", "layer", "norm", "pad", "path", "pool", "relu", "roll", "scale", "sum"}
"""Words in the names of modules that would be no names for what comes out of them."""


@dataclass(frozen=True, slots=True)
class Nested:
    """A call, or a sum where there is no function, of variables and of other calls."""

    function: str
    terms: tuple[int | Nested, ...]

    def variables(self) -> list[int]:
        """The nodes that are read, in order."""
        return [index for term in self.terms for index in (term.variables() if isinstance(term, Nested) else [term])]


@dataclass(slots=True)
class Statement:
    """The nodes that come out of a call or of several within one another, and the calls, the innermost first."""

    outputs: tuple[int, ...]
    value: Nested
    calls: list[Call]


def write_forward(scope: Scope, *, takes_streams: bool, is_head: bool) -> list[str]:
    """The lines of a method.

    `takes_streams`: its maps come as one tuple. `is_head`: it may stop before its last layer, `pre_logits`.
    """
    statements = _statements(scope)
    names = _variables(scope, statements)
    inputs = [names[index] for index in ordered_inputs(scope)]
    unpacks = takes_streams and len(inputs) > 1
    arguments = ["streams: tuple[Tensor, ...]"] if unpacks else [f"{name}: Tensor" for name in inputs]
    stop = ["pre_logits: bool = False"] if is_head else []
    several = len(scope.outputs) > 1
    returns = f"tuple[{', '.join(['Tensor'] * len(scope.outputs))}]" if several else "Tensor"
    lines = define(INDENT, "forward", ["self", *arguments, *stop], returns)
    body = INDENT * 2
    if unpacks:
        lines.append(f"{body}{', '.join(inputs)} = streams")
    for statement in statements:
        value = _write(statement.value, names)
        if is_head and statement.calls[-1].name == "fc":
            before = names[statement.value.variables()[0]]
            lines += [f"{body}if pre_logits:", f"{body}{INDENT}return {before}"]
        if statement is not statements[-1] or statement.outputs != scope.outputs:
            target = ", ".join(names[index] for index in statement.outputs)
            lines += lay_out(body, f"{target} = ", value)
        else:
            lines += lay_out(body, "return ", value)
    if not statements or statements[-1].outputs != scope.outputs:
        lines.append(f"{body}return {', '.join(names[index] for index in scope.outputs)}")
    return lines


def _write(value: int | Nested, names: dict[int, str]) -> Expression:
    if isinstance(value, int):
        return names[value]
    terms = tuple(_write(term, names) for term in value.terms)
    return Apply(value.function, tuple(("", term) for term in terms)) if value.function else Sum(terms)


def _statements(scope: Scope) -> list[Statement]:
    """One statement a call, but that norms and activations go around the call before and terms into their sum."""
    uses = Counter(index for call in scope.calls for index in call.inputs)
    uses.update(scope.outputs)
    statements: list[Statement] = []

    def is_free(index: int) -> bool:
        """Whether the last statement is a call for the node, read once, so that it may stand where it is read."""
        last = statements[-1] if statements else None
        return last is not None and last.outputs == (index,) and uses[index] == 1 and bool(last.value.function)

    for call in scope.calls:
        given = ordered_inputs(call.what) if isinstance(call.what, Scope) else call.inputs
        terms: list[int | Nested] = list(given)
        calls = [call]
        if isinstance(call.what, ops.Add):
            place = len(terms)
            # from the last statement backwards, as long as the order of the terms is that of the statements
            while free := [index for index in call.inputs[:place] if is_free(index)]:
                place = call.inputs.index(free[0])
                taken = statements.pop()
                terms[place] = taken.value
                calls = taken.calls + calls
            function = ""
        elif isinstance(call.what, ops.Crop):
            function = "crop"
        else:
            function = f"self.{call.name}"
            if isinstance(call.what, FOLLOWERS) and is_free(call.inputs[0]):
                taken = statements.pop()
                terms = [taken.value]
                calls = taken.calls + calls
        statements.append(Statement(call.outputs, Nested(function, tuple(terms)), calls))
    return statements


@dataclass(slots=True)
class Variable:
    """A variable: the nodes that it holds in turn, the statements that set it, and where it is set and last read."""

    nodes: list[int]
    set_by: list[Statement]
    first: int
    last: int = 0
    name: str = ""


def _variables(scope: Scope, statements: Sequence[Statement]) -> dict[int, str]:
    """The name of the variable that each node is in."""
    last_read = {index: place for place, each in enumerate(statements) for index in each.value.variables()}
    last_read |= dict.fromkeys(scope.outputs, len(statements))
    given = [Variable([index], [], -1, name=name) for index, name in _input_names(scope).items()]
    holder = {variable.nodes[0]: variable for variable in given}
    variables = list(given)
    joined = _joined(scope)
    for place, statement in enumerate(statements):
        dying = {index for index in statement.value.variables() if last_read[index] == place}
        source = None if joined & {*statement.outputs} else _goes_on(statement, dying, given, holder)
        for index in statement.outputs:
            if source is None:
                source = Variable([], [], place)
                variables.append(source)
            source.nodes.append(index)
            source.set_by.append(statement)
            holder[index] = source
            source = None
    for variable in variables:
        variable.last = max(last_read.get(index, variable.first) for index in variable.nodes)
    for variable in variables:
        if not variable.name:
            taken = {o.name for o in variables if o.first < variable.last and variable.first < o.last}
            variable.name = next(name for name in _candidates(variable) if name not in taken)
    return {index: variable.name for index, variable in holder.items()}


def _input_names(scope: Scope) -> dict[int, str]:
    """x; of several maps the one that others are cropped to is called like, and the others are numbered."""
    if len(scope.inputs) == 1:
        return {scope.inputs[0]: "x"}
    maps = ordered_inputs(scope)
    if len(maps) == 2 and maps[1] in only_sizes(scope):
        return {maps[0]: "x", maps[1]: "like"}
    return {index: f"x{place}" for place, index in enumerate(maps)}


def _goes_on(
    statement: Statement, dying: set[int], given: list[Variable], holder: dict[int, Variable]
) -> Variable | None:
    """The variable that a statement sets anew: that of its input, if it is the last to read it."""
    if len(statement.outputs) > 1:
        return None
    read = list(dict.fromkeys(statement.value.variables()))
    if not statement.value.function:
        # a sum goes on with the map that came in, if it is a term of it
        own = [holder[index] for index in read if index in statement.value.terms and index in dying]
        return next((variable for variable in own if variable in given), None)
    outer = statement.calls[-1].what
    first_only = len(read) == 1 or isinstance(outer, LIKE)
    return holder[read[0]] if first_only and read[0] in dying else None


def _joined(scope: Scope) -> set[int]:
    """The nodes that something takes together with others, such as query, key and value: they have their own names."""
    takers = [call.inputs for call in scope.calls if not isinstance(call.what, (ops.Add, *LIKE))]
    return {index for inputs in (*takers, scope.outputs) if len(set(inputs)) > 1 for index in inputs}


def _candidates(variable: Variable) -> list[str]:
    """Names for a variable, the best first: that of the one module it comes from, or y, or of what it comes from."""
    telling = [call.name for each in variable.set_by if each.value.function for call in each.calls if _tells(call)]
    is_single = len(variable.set_by) == 1 and telling
    numbered = [f"y{number}" for number in range(2, len(variable.nodes) + 1000)]
    return [*telling[-1:], "y", *numbered] if is_single else ["y", *telling[::-1], *numbered]


def _tells(call: Call) -> bool:
    words = {word.rstrip("0123456789") for word in call.name.split("_")}
    return not words & TELLS_LITTLE and call.name not in ("self", "pre_logits")
