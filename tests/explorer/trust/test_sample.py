"""Networks of equal cost: within the window, each once, the smaller sample the beginning of the larger one."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.budget import Budget, list_candidates
from explorer.space import Space, load_space, network_hash
from explorer.trust.sample import sample_networks
from hiri_spec import SpecError

NARROW = Budget(4_000_000, None, 0.97)
TINY = "name: t\nresolution: 64\nstem: {stem: conv, width: 8}\nhead: {classes: 10}\nstages: "


def test_within_the_window_and_each_once(space: Space) -> None:
    drawn = sample_networks(space, NARROW, 20, seed=0)
    assert len(drawn) == 20
    for name, candidate in drawn.items():
        assert network_hash(candidate.spec) == name
        assert 3_880_000 <= candidate.macs <= 4_000_000


def test_the_seed_decides_and_a_larger_sample_goes_on(space: Space) -> None:
    small, large = (list(sample_networks(space, NARROW, count, seed=1)) for count in (6, 15))
    assert large[:6] == small
    assert list(sample_networks(space, NARROW, 6, seed=2)) != small


def test_all_of_a_space(space: Space) -> None:
    every = {network_hash(candidate.spec) for candidate in list_candidates(space, NARROW)}
    found = sample_networks(space, NARROW, None, seed=0)
    assert found.keys() == every
    assert list(found) != list(sample_networks(space, NARROW, None, seed=1))


def test_more_than_there_are(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(TINY + "[{block: hr, depth: 1, width: {choice: [8, 16]}}]\n")
    space = load_space(tmp_path / "t.yaml")
    with pytest.raises(SpecError, match=r"--networks: only \d networks of .* were found; ask for fewer"):
        sample_networks(space, Budget(10**6, None, 0.5), 5, seed=0)
    with pytest.raises(SpecError, match=r"--budget: no network of this space costs .*; widen --window"):
        sample_networks(space, Budget(10**9, None, 0.9), None, seed=0)


def test_a_space_that_is_too_large_to_be_trained_whole() -> None:
    with pytest.raises(SpecError, match=r"--networks: this space has 4\.0e\+18 networks, too many to train"):
        sample_networks(load_space(), NARROW, None, seed=0)
