"""Spaces that grow under a search, and those that contradict it."""

from __future__ import annotations

from pathlib import Path

import pytest
from searches import SMALL_SPACE, run, told

from explorer.results import SearchResult
from hiri_spec import SpecError

GROWN = {
    "more widths": ("{choice: [8, 16, 24]}", "{choice: [8, 16, 24, 32]}"),
    "another block": (
        "          - {block: cffn, depth: {range: [1, 4]}",
        "          - {block: ffn, depth: {range: [1, 5]}, width: {choice: [8, 40]}}\n"
        "          - {block: cffn, depth: {range: [1, 4]}",
    ),
    "more stages": (
        "head: {classes: 10}",
        "    - - *first\n      - *second\n"
        "      - {block: transformer, depth: {range: [1, 4]}, width: {range: [32, 64, 16]}, heads: 4,\n"
        "         downsample: irds_b}\n"
        "      - {block: ffn, depth: {range: [1, 2]}, width: 64, downsample: irds_b}\nhead: {classes: 10}",
    ),
    "what was fixed": ("heads: 4, downsample", "heads: {choice: [4, 8]}, downsample"),
}


@pytest.mark.parametrize("change", GROWN.values(), ids=GROWN)
def test_a_space_that_has_grown(space_file: Path, found: SearchResult, change: tuple[str, str]) -> None:
    """What was tried stays, with its numbers, and the search goes on in all of the new space."""
    assert change[0] in SMALL_SPACE
    space_file.write_text(SMALL_SPACE.replace(*change))
    grown = run(space_file, found.out, trials=60)
    assert told(grown)[:12] == told(found)
    assert [member.number for member in grown.members] == list(range(60))
    assert told(run(space_file, found.out, trials=60)) == told(grown)
    again = run(space_file, found.out, trials=62)
    assert told(again)[:60] == told(grown)


def test_it_grows_twice(space_file: Path, found: SearchResult) -> None:
    text = SMALL_SPACE
    for name, trials in (("more widths", 20), ("more stages", 30)):
        text = text.replace(*GROWN[name])
        space_file.write_text(text)
        grown = run(space_file, found.out, trials=trials)
    assert told(grown)[:12] == told(found)
    assert len(grown.members) == 30
    space_file.write_text(SMALL_SPACE)
    with pytest.raises(SpecError, match=r"holds another search: space was .*no longer offers 32"):
        run(space_file, found.out)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (("{choice: [8, 16, 24]}", "{choice: [8, 16]}"), r"no longer offers 24"),
        (("width: {choice: [8, 16]}}", "width: 8}"), r"stem\.width is gone"),
        (("expansion: {choice: [2, 4]}", "expansion: {choice: [2, 4]}, kernel: 5"), r"trial \d+ stands for is another"),
    ],
    ids=["fewer choices", "a parameter less", "another network"],
)
def test_a_space_that_contradicts(
    space_file: Path, found: SearchResult, change: tuple[str, str], difference: str
) -> None:
    assert change[0] in SMALL_SPACE
    space_file.write_text(SMALL_SPACE.replace(*change))
    before = (found.out / "study.journal").read_bytes()
    message = (
        rf"holds another search: space was small\.yaml \w+, is small\.yaml \w+; .*{difference}.* Nothing there was"
    )
    with pytest.raises(SpecError, match=message):
        run(space_file, found.out, trials=60)
    assert (found.out / "study.journal").read_bytes() == before


def test_another_seed_is_no_larger_space(space_file: Path, found: SearchResult) -> None:
    space_file.write_text(SMALL_SPACE.replace(*GROWN["more widths"]))
    with pytest.raises(SpecError, match=r"space was .*; seed was 0, is 1\. Nothing"):
        run(space_file, found.out, seed=1)


def test_killed_while_it_grew(space_file: Path, found: SearchResult) -> None:
    """The old study is whole still, and the new one is made anew."""
    space_file.write_text(SMALL_SPACE.replace(*GROWN["more widths"]))
    journal = found.out / "study.journal"
    old = journal.read_bytes()
    run(space_file, found.out)
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[: old.count(b"\n") + 5]))
    grown = run(space_file, found.out, trials=20)
    assert told(grown)[:12] == told(found)
    assert len(grown.members) == 20
    assert told(run(space_file, found.out, trials=20)) == told(grown)
