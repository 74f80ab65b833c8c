"""A thousand random edits of specs: the studio stays alive, and says what the command line says of the saved file."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import hiri_spec
from hiri_spec.errors import SpecError
from hiri_spec.files import builtin_specs
from studio.analysis import Analysis, analyse

EDITS_A_SEED = 50
LIMIT_S = 2.0
"""Far above what an edit takes, and far below what would be noticed as hanging."""
SPECS = {name: path.read_text() for name, path in builtin_specs().items()}
SIZES = [(224, 224), (448, 448)]
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


def check_as_loaded(analysis: Analysis, file: Path) -> None:
    """What the studio says of a text is what loading the file says; beyond the limits of building, it alone refuses."""
    told = [(mark.path, mark.message) for mark in analysis.marks]
    try:
        spec = hiri_spec.load(file)
    except SpecError as error:
        own = [problem for problem in error.problems if problem.file in ("", str(file))]
        assert [(problem.path, problem.message) for problem in own] == told[: len(own)]
        assert len(told) == len(error.problems)
        lines = [(problem.line, mark.line) for problem, mark in zip(own, analysis.marks, strict=False)]
        # a mistake told at a blank line, such as that of a missing field, is marked at the nearest that isn't
        text = analysis.text.split("\n")
        assert all(
            line is None or line == at or not text[line - 1 : line] or not text[line - 1].strip() for line, at in lines
        )
        return
    if analysis.spec is None:
        assert [message for _, message in told if "lower" in message or "smaller network" in message] == [told[0][1]]
        return
    assert analysis.spec == spec
    assert analysis.marks == ()
    costs = [hiri_spec.cost(spec, size) for size in SIZES]
    assert [cost.as_dict() for cost in analysis.costs] == [cost.as_dict() for cost in costs]
    assert [cost.by_stage() for cost in analysis.costs] == [cost.by_stage() for cost in costs]


@pytest.mark.parametrize("seed", range(20))
def test_random_edits(seed: int, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    chance = random.Random(seed)
    file = tmp_path / "spec.yaml"
    for name, text in SPECS.items():  # those that are extended are beside it
        (tmp_path / f"{name}.yaml").write_text(text)
    legal = 0
    slowest = 0.0
    for number in range(EDITS_A_SEED):
        if number % 10 == 0:
            text = SPECS[chance.choice(sorted(SPECS))]
        before, text = text, edited(text, chance)
        begin = time.perf_counter()
        analysis = analyse(text, file=file, roots=[tmp_path], sizes=SIZES)
        slowest = max(slowest, time.perf_counter() - begin)
        file.write_bytes(text.encode())
        check_as_loaded(analysis, file)
        legal += analysis.spec is not None
        # as one who types would: mend most of what is broken before going on
        if analysis.spec is None and chance.random() < 0.9:
            text = before
    record_property("slowest_ms", round(1000 * slowest))
    assert slowest < LIMIT_S
    assert 5 < legal < EDITS_A_SEED
