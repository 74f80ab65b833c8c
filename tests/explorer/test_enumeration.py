"""Costing without building: the same networks and the same costs as one by one, each once."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

import explorer.enumeration
from explorer.budget import cost_of
from explorer.choices import Assignment
from explorer.enumeration import Enumeration
from explorer.space import Space, is_ordered, load_space, network_hash

FRAMES = """\
name: framed
resolution: 64
stem: {choice: [{stem: hr, width: 16}, {stem: conv, width: {choice: [8, 12]}}]}
stages:
  - {block: cffn, depth: {choice: [1, 2]}, width: {choice: [16, 24]}, expansion: 2}
  - - {block: cffn, depth: 1, width: {choice: [24, 32]}, expansion: 2, downsample: irds_a}
    - {block: cffn, depth: 1, width: {choice: [24, 32]}, expansion: 4}
head: {classes: {choice: [10, 20]}}
"""


def whole(space: Space, assignment: Assignment) -> Assignment:
    return dict.fromkeys(space.parameters, 0) | assignment


def one_by_one(space: Space) -> dict[str, tuple[int, int]]:
    specs = filter(None, map(space.spec, space.every()))
    return {network_hash(spec): cost_of(spec) for spec in specs if is_ordered(spec)}


@pytest.mark.parametrize("text", ["", FRAMES], ids=["small", "frames"])
def test_every_network_once_with_its_cost(tmp_path: Path, text: str) -> None:
    if text:
        (tmp_path / "s.yaml").write_text(text)
    space = load_space(tmp_path / "s.yaml" if text else "small")
    enumeration = Enumeration(space)
    found = list(enumeration.every())
    expected = one_by_one(space)
    specs = [space.spec(whole(space, each.assignment)) for each in found]
    costs = {network_hash(spec): (each.macs, each.params) for spec, each in zip(specs, found, strict=True) if spec}
    assert costs == expected
    assert len(found) == len(expected)
    assert enumeration.looked_at >= len(found)


def test_parameters_that_have_no_say_are_left_out(space: Space) -> None:
    for each in itertools.islice(Enumeration(space).every(), 200):
        assert each.assignment == space.active(whole(space, each.assignment))


def test_draws_are_networks_in_order_at_their_cost() -> None:
    space = load_space()
    enumeration = Enumeration(space, seed=3)
    found = list(enumeration.draw(1500))
    assert enumeration.looked_at == 1500
    assert 150 < len(found) < 600
    for each in found[:100]:
        spec = space.spec(whole(space, each.assignment))
        assert spec is not None
        assert is_ordered(spec)
        assert cost_of(spec) == (each.macs, each.params)
    again = [each.assignment for each in Enumeration(space, seed=3).draw(1500)]
    assert again == [each.assignment for each in found]
    assert again != [each.assignment for each in Enumeration(space, seed=4).draw(1500)]


def test_of_stages_with_very_many_forms_some_are_drawn(monkeypatch: pytest.MonkeyPatch, space: Space) -> None:
    monkeypatch.setattr(explorer.enumeration, "MOST_OPTIONS", 10)
    found = list(Enumeration(space).every())
    assert 0 < len(found) < space.size
    for each in found[:50]:
        spec = space.spec(whole(space, each.assignment))
        assert spec is not None
        assert cost_of(spec) == (each.macs, each.params)
