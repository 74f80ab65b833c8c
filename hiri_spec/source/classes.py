"""The text of one class: its constructor and its forward."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from ..block import Block, Downsample, Head, Part, fields_of
from ..graph import Op
from ..scopes import Call, Scope
from .arguments import Arguments, literal
from .forward import write_forward
from .layers import Column, Hole, Layer, layer
from .layout import INDENT, Apply, Each, Expression, define, lay_out
from .templates import Template, Templates, is_chain, ordered_inputs

BODY = INDENT * 2


class ClassWriter:
    """Writes the classes of a network in an order in which each comes after those that it is made of."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self._texts: dict[int, str] = {}

    @property
    def texts(self) -> list[str]:
        """The classes written so far."""
        return list(self._texts.values())

    def make(self, scope: Scope) -> Apply:
        """The call that makes the module of a part as its class is written; writes the class on first use."""
        template, place = self._templates.find(scope)
        self._write(template)
        arguments = [
            ("" if argument.is_width else f"{argument.name}=", literal(argument.values[place]))
            for argument in template.arguments
        ]
        return Apply(template.name, tuple(arguments))

    def _write(self, template: Template) -> None:
        if id(template) in self._texts:
            return
        arguments = self._collect(template)
        calls = list(zip(*(use.scope.calls for use in template.uses), strict=True))
        parts = tuple(use.part for use in template.uses)
        made = [(column[0].name, self._made(column, parts, arguments)) for column in calls]
        template.arguments = list(arguments)
        lines = [f"class {template.name}(nn.Module):", *_docstring(self._describe(template)), ""]
        declared = [argument.declaration for argument in template.arguments]
        named = [place for place, argument in enumerate(template.arguments) if not argument.is_width]
        if named:
            declared.insert(named[0], "*")
        lines += define(INDENT, "__init__", ["self", *declared], "None")
        lines.append(f"{BODY}super().__init__()")
        for name, value in made:
            if value is not None:
                lines += lay_out(BODY, f"self.{name} = ", value)
        scope = template.scope
        streams = type(template.part).takes_streams and template.uses[0].owner is None
        lines += ["", *write_forward(scope, takes_streams=streams, is_head=isinstance(template.part, Head))]
        self._texts[id(template)] = "\n".join(lines) + "\n"

    def _made(self, column: Sequence[Call], parts: tuple[Part, ...], arguments: Arguments) -> Expression | None:
        """How one call's module is made in all uses; None if the call needs no module."""
        name, whats = column[0].name, [call.what for call in column]
        scopes = [what for what in whats if isinstance(what, Scope)]
        if scopes:
            if is_chain(scopes[0]):
                return self._chain(scopes, parts, arguments)
            return self._nested(name, scopes, arguments)
        ops = tuple(what for what in whats if isinstance(what, Op))
        made = layer(ops[0], Column(ops, parts))
        if not isinstance(made, Layer):
            return None
        function = arguments.text(made.function, name) if isinstance(made.function, Hole) else made.function
        return Apply(function, tuple((keyword, arguments.text(hole, name)) for keyword, hole in made.arguments))

    def _chain(self, scopes: Sequence[Scope], parts: tuple[Part, ...], arguments: Arguments) -> Expression:
        columns = list(zip(*(scope.calls for scope in scopes), strict=True))
        made = [(column[0].name, self._made(column, parts, arguments)) for column in columns]
        layers = [(f"{name}=", value) for name, value in made if value is not None]
        base = made[0][0].rstrip("0123456789")
        if len(made) > 1 and made == [(f"{base}{index}", made[0][1]) for index in range(len(made))]:
            each = Each(f'**{{f"{base}{{index}}": ', layers[0][1], f"for index in range({len(made)})", "}")
            return Apply("Chain", (("", each),))
        return Apply("Chain", tuple(layers))

    def _nested(self, name: str, scopes: Sequence[Scope], arguments: Arguments) -> Expression:
        found = [self._templates.find(scope) for scope in scopes]
        template = found[0][0]
        self._write(template)
        given = []
        for argument in template.arguments:
            values = tuple(argument.values[place] for _, place in found)
            text = arguments.text(Hole(argument.name, values, argument.is_width), name)
            given.append(("" if argument.is_width else f"{argument.name}=", text))
        return Apply(template.name, tuple(given))

    def _collect(self, template: Template) -> Arguments:
        """What the constructor's arguments are found from: the fields that differ in the network are always some."""
        uses = template.uses
        incoming = list(zip(*(use.channels(ordered_inputs(use.scope)) for use in uses), strict=True))
        outgoing = list(zip(*(use.channels(use.scope.outputs) for use in uses), strict=True))
        kinds = {type(use.part) for use in uses}
        names = sorted(set.intersection(*(set(fields_of(kind)) for kind in kinds)))
        fields = {name: tuple(getattr(use.part, name) for use in uses) for name in names}
        everywhere = [use.part for other in self._templates.parts.values() for use in other.uses]
        alike = [part for part in everywhere if type(part) in kinds]
        shown = {name for name in names if len({getattr(part, name) for part in alike}) > 1}
        shows_widths = all(issubclass(kind, Block | Downsample) for kind in kinds)
        return Arguments(incoming, outgoing, fields, shown=shown, shows_widths=shows_widths)

    def _describe(self, template: Template) -> str:
        first = template.uses[0]
        if first.owner is None:
            words = (type(first.part).__doc__ or "").strip().split("\n\n")[0]
            return " ".join(words.split()) or f"The part {template.name}."
        return f"`{first.path}` of {self._templates.owner(template).name}."


def _docstring(text: str) -> list[str]:
    """A docstring of one paragraph, its first line as long as lines may be."""
    lines = [escape(line) for line in textwrap.wrap(text, 110)]
    if len(lines) == 1:
        return [f'{INDENT}"""{lines[0]}"""']
    return [f'{INDENT}"""{lines[0]}', *(INDENT + line for line in lines[1:]), f'{INDENT}"""']


def escape(text: str) -> str:
    """Text as it may stand in a docstring."""
    escaped = re.sub(r'"(?="")|^"|"$', r"\"", text.replace("\\", "\\\\"))
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in escaped)
