"""What a study says of its search is enough to go on with it anywhere."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from explorer.budget import Budget
from explorer.evaluators import choose
from explorer.shared.plan import PLAN, Plan
from explorer.space import load_space, network_hash, read_space_text
from hiri_spec import SpecError

SETTINGS = {"budget": 5, "max_params": None, "objective": "score", "evaluator": "params", "seed": 0}


@pytest.mark.parametrize(
    "options", [{}, {"stages": [4, 5]}, {"resolution": (256, 512)}], ids=["default", "set", "size"]
)
def test_a_space_is_the_same_from_its_text(options: dict[str, object]) -> None:
    space = load_space(**options)  # type: ignore[arg-type]
    again = read_space_text(space.text, "there")
    assert (again.fingerprint, again.size, again.file) == (space.fingerprint, space.size, "there")
    assert [*again.parameters.values()] == [*space.parameters.values()]
    first, second = random.Random(0), random.Random(0)
    for _ in range(30):
        one, other = space.spec(space.draw(first)), again.spec(again.draw(second))
        assert one == other
        assert one is None or other is None or network_hash(one) == network_hash(other)


def test_a_plan_survives_the_database(space_file: Path) -> None:
    plan = Plan.of(SETTINGS, load_space(space_file), choose("params"), 15.0)
    kept = json.loads(json.dumps({PLAN: plan.attributes}))
    again = Plan.read(kept, SETTINGS, "there")
    assert again == plan
    assert (again.directions, again.budget) == (["maximize"], Budget(5, None))
    fingerprint = load_space(space_file).fingerprint
    space_file.unlink()
    assert again.quest().space.fingerprint == fingerprint


@pytest.mark.parametrize("kept", [{}, {PLAN: 3}, {PLAN: {"space": "{}"}}], ids=["none", "no mapping", "half"])
def test_a_plan_that_is_not_whole(kept: dict[str, object]) -> None:
    with pytest.raises(SpecError, match="there: the study has no plan of a search"):
        Plan.read(kept, SETTINGS, "there")
