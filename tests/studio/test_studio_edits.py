"""A thousand random edits of specs: the studio stays alive, and says what the command line says of the saved file."""

import random
import time
from pathlib import Path

import pytest
from edits import SPECS, edited, loaded

import hiri_spec
from studio.analysis import Analysis, analyse

EDITS_A_SEED = 50
LIMIT_S = 2.0
"""Far above what an edit takes, and far below what would be noticed as hanging."""
SIZES = [(224, 224), (448, 448)]


def check_as_loaded(analysis: Analysis, file: Path) -> None:
    """What the studio says of a text is what loading the file says; beyond the limits of building, it alone refuses."""
    spec, problems = loaded(file)
    own = [problem for problem in problems if problem.file in ("", str(file))]
    told = [(mark.path, mark.message) for mark in analysis.marks]
    if spec is None:
        assert [(problem.path, problem.message) for problem in own] == told[: len(own)]
        assert len(told) == len(problems)
        text = analysis.text.split("\n")
        for problem, mark in zip(own, analysis.marks, strict=False):
            # one told at a blank line, such as that of a missing field, is marked at the nearest that isn't
            assert mark.line == problem.line or not text[(problem.line or 1) - 1].strip()
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
def test_random_edits(seed: int, tmp_path: Path) -> None:
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
        begin = time.process_time()
        analysis = analyse(text, file=file, roots=[tmp_path], sizes=SIZES)
        slowest = max(slowest, time.process_time() - begin)
        file.write_bytes(text.encode())
        check_as_loaded(analysis, file)
        legal += analysis.spec is not None
        # as one who types would: mend most of what is broken before going on
        if analysis.spec is None and chance.random() < 0.9:
            text = before
    assert slowest < LIMIT_S
    assert 5 < legal < EDITS_A_SEED
