"""Random edits of specs, such as one makes while typing, and what loading the file says of them."""

from __future__ import annotations

import random
from pathlib import Path

import hiri_spec
from hiri_spec.errors import Problem, SpecError
from hiri_spec.files import builtin_specs
from hiri_spec.schema import ModelSpec

SPECS = {name: path.read_text() for name, path in builtin_specs().items()}
LETTERS = "abcdehrs0123456789 \n\t:,-{}[]#&*!|>'\"%@.é"
NUMBERS = ["0", "1", "2", "3", "7", "8", "16", "64", "320", "1000", "-1", "0.5", "1e3", "1e99", str(10**15), "9" * 40]


def edited(text: str, chance: random.Random) -> str:
    """A text with one edit, such as one makes while typing."""
    place = chance.randrange(len(text) + 1)
    lines = text.splitlines(keepends=True)
    kind = chance.choice(["insert", "delete", "replace", "line away", "line twice", "line moved", "number", "word"])
    if kind == "insert":
        return text[:place] + chance.choice(LETTERS) + text[place:]
    if kind == "delete":
        return text[:place] + text[place + chance.randint(1, 4) :]
    if kind == "replace":
        return text[:place] + chance.choice(LETTERS) + text[place + 1 :]
    if kind in ("number", "word"):
        is_meant = str.isdigit if kind == "number" else str.isalpha
        starts = [i for i, letter in enumerate(text) if is_meant(letter) and not (i and is_meant(text[i - 1]))]
        if not starts:
            return text
        start = chance.choice(starts)
        end = start
        while end < len(text) and is_meant(text[end]):
            end += 1
        words = ["hr", "cffn", "transformer", "irds_a", "strided", "depth", "width", "set", "extends", "layer", "null"]
        return text[:start] + chance.choice(NUMBERS if kind == "number" else words) + text[end:]
    if not lines:
        return text
    line = lines.pop(chance.randrange(len(lines)))
    if kind == "line twice":
        lines.insert(chance.randrange(len(lines) + 1), line)
    if kind in ("line twice", "line moved"):
        lines.insert(chance.randrange(len(lines) + 1), line)
    return "".join(lines)


def loaded(file: Path) -> tuple[ModelSpec | None, tuple[Problem, ...]]:
    try:
        return hiri_spec.load(file), ()
    except SpecError as error:
        return None, error.problems
