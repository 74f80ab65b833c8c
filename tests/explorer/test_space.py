"""Search spaces: what is read, shared, counted and decoded, and what is refused."""

import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from searches import SMALL_SPACE

import hiri_spec
from explorer.space import DEFAULT_SPACE, Space, is_ordered, load_space, sketch
from hiri_spec import SpecError
from hiri_spec.files import as_spec, load

DEFAULT = load_space()


def test_size_counts_every_network(space: Space) -> None:
    first, second, third = 4 * 3 + 4 * 3 * 2, 6 * 3 + 3 * 3 * 2, 4 * 3
    assert space.size == 2 * (first * second + first * second * third)


def test_places_that_exclude_each_other_share_a_parameter(space: Space) -> None:
    assert set(space.parameters) == {
        "stem.width",
        "stages",
        "stages.0.block",
        "stages.0.depth",
        "stages.0.width",
        "stages.0.expansion",
        "stages.1.block",
        "stages.1.depth",
        "stages.1.depth[transformer]",
        "stages.1.width",
        "stages.1.heads",
        "stages.2.depth",
        "stages.2.width",
    }
    assert space.parameters["stages"].labels == (2, 3)
    assert space.parameters["stages.1.block"].labels == ("hr", "transformer")
    assert space.parameters["stages.2.width"].labels == (32, 48, 64)


def test_one_alias_used_twice_in_a_network_is_two_decisions(tmp_path: Path) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text(
        "name: twice\nstem: vit\nstages:\n  - &run {block: ffn, depth: {choice: [1, 2]}, width: 8}\n  - *run\n"
    )
    assert load_space(path).size == 4
    assert set(load_space(path).parameters) == {"stages.0.depth", "stages.1.depth"}


@settings(deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_draw_decodes_to_what_the_language_makes_of_it(seed: int) -> None:
    assignment = DEFAULT.draw(random.Random(seed))
    spec = DEFAULT.spec(assignment)
    error = DEFAULT.explain(assignment)
    if spec is None:
        assert error is not None
        assert all(problem.code == "indivisible" for problem in error.problems)
    else:
        assert error is None
        assert hiri_spec.cost(spec).macs > 0
        assert set(DEFAULT.active(assignment)) <= set(DEFAULT.parameters)


def test_draws_are_the_seeds(space: Space) -> None:
    assert space.draw(random.Random(1)) == space.draw(random.Random(1))
    assert space.draw(random.Random(1)) != space.draw(random.Random(2))


@pytest.mark.parametrize("name", ["hiri_s", "hiri_b"])
def test_the_default_space_holds_the_calibrated_networks(name: str) -> None:
    known = load(name)
    assignment = dict.fromkeys(DEFAULT.parameters, 0)

    def choose(parameter: str, label: object) -> None:
        assignment[parameter] = DEFAULT.parameters[parameter].labels.index(label)

    choose("stages", 5)
    choose("stem.width", 32)
    for index, (run,) in enumerate(known.stages):
        for key in ("block", "depth", "width", "expansion", "heads"):
            if hasattr(run, key):
                choose(f"stages.{index}.{key}", getattr(run, key))
    found = DEFAULT.spec(assignment)
    assert found is not None
    assert hiri_spec.cost(found, 448).macs == hiri_spec.cost(known, 448).macs
    assert found.stages == known.stages


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [("hr hr ffn", True), ("hr ffn hr", True), ("transformer hr ffn", False), ("hr transformer hr", False)],
)
def test_no_hr_after_a_transformer(blocks: str, expected: bool) -> None:
    extra = {"transformer": {"heads": 1}}
    stages = [{"block": block, "depth": 1, "width": 8, **extra.get(block, {})} for block in blocks.split()]
    assert is_ordered(as_spec({"name": "x", "stem": "vit", "stages": stages})) is expected


def test_sketch() -> None:
    assert sketch(load("hiri_s")) == "HR2 HR2 C4 T9 T4"


def test_stages_and_resolution_are_narrowed(space_file: Path) -> None:
    narrowed = load_space(space_file, stages=[3], resolution=(96, 64))
    assert narrowed.parameters["stages"].labels == (3,)
    spec = narrowed.spec(dict.fromkeys(narrowed.parameters, 0))
    assert spec is not None
    assert len(spec.stages) == 3
    assert spec.size == (96, 64)


def test_set_changes_a_space(space_file: Path) -> None:
    assert load_space(space_file, set={"stem.width": 8}).size * 2 == load_space(space_file).size


def test_every_network_of_a_space_is_listed_once(space: Space) -> None:
    listed = [space.active(assignment) for assignment in space.every()]
    assert len(listed) == space.size
    assert len({tuple(sorted(each.items())) for each in listed}) == space.size


@pytest.mark.parametrize(
    ("path", "places", "way"),
    [
        ("stages.1.depth", "9 such places, each to be set by itself", "stages.choice.0.1.choice.0.depth"),
        ("stages.5.heads", "one such place", "stages.choice.2.5.choice.2.heads"),
        ("stages.5.downsample.norm", None, None),
        ("stages[4].width", "6 such places, each to be set by itself", "stages.choice.1.4.choice.0.width"),
    ],
)
def test_a_path_that_stops_at_a_choice_is_led_through_it(path: str, places: str | None, way: str | None) -> None:
    match = rf"--set {re.escape(path)}: in a space a path leads through the choices, here to {places}; write {way}=4"
    with pytest.raises(SpecError, match=match if way else "stages is a mapping; name a field of it, known: choice"):
        load_space(set={path: 4})
    if way:
        assert load_space(set={way: 12}).size < DEFAULT.size


def test_fingerprint_ignores_comments(tmp_path: Path, space: Space) -> None:
    path = tmp_path / "other.yaml"
    path.write_text("# a comment\n" + SMALL_SPACE)
    assert load_space(path).fingerprint == space.fingerprint
    path.write_text(SMALL_SPACE.replace("[8, 16]}}", "[8, 24]}}"))
    assert load_space(path).fingerprint != space.fingerprint


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("{range: [1, 6]}", "{range: [6, 1]}", r"small\.yaml:12 .*low 6 is above high 1; swap them"),
        ("{range: [1, 6]}", "{range: [1, 6, 0]}", r":12 .*step 0 goes nowhere; use one above 0"),
        ("{range: [1, 6]}", "{range: [1, six]}", r":12 .*'six'\] is no range; write \[low, high\]"),
        ("{range: [1, 6]}", "{range: 6}", r":12 .*6 is no range"),
        ("{range: [1, 6]}", "{range: [1, 1000000]}", r":12 .*1,000,000 values are too many; use a larger step"),
        ("{choice: [2, 3]}", "{choice: []}", r":13 .*\[\] offers nothing; list at least one value"),
        ("{choice: [2, 3]}", "{choice: [2, 3, 2]}", r":13 .*choice\[2\]: 2 is offered twice; take one out"),
        ("resolution: 64", "resolution: {choice: [64, 96]}", r":2 resolution: all networks of a search see one image"),
        ("{choice: [2, 3]}", "{choice: 2}", r":13 .*2 offers nothing"),
        ("{choice: [2, 3]}", "{choice: [2], range: [1, 2]}", r":13 .*stands alone in its mapping"),
        ("{choice: [2, 3]}", "{choice: [2], depth: 2}", r":13 .*stands alone in its mapping; take out depth"),
        ("block: hr, depth: {range: [1, 6]}", "block: hrr, depth: {range: [1, 6]}", r":12 .*'hrr'; did you mean 'hr'"),
        ("width: {choice: [8, 16]}", "width: {choice: [8, 16.5]}", r":3 .*16.5 is not a whole number"),
        ("heads: 4", "haeds: 4", r"(?s):17 .*haeds: .*did you mean 'heads'"),
        ("depth: {range: [1, 3]}", "depth: {range: [0, 3]}", r":13 .*depth: 0 is too small"),
    ],
    ids=[
        "low-above-high",
        "step-0",
        "range-of-text",
        "range-of-one",
        "huge-range",
        "empty-choice",
        "choice-twice",
        "resolutions",
        "choice-of-none",
        "both",
        "choice-and-more",
        "unknown-block",
        "float-width",
        "unknown-field",
        "zero-depth",
    ],
)
def test_a_wrong_space_is_told_with_its_line(space_file: Path, old: str, new: str, match: str) -> None:
    assert old in SMALL_SPACE
    space_file.write_text(SMALL_SPACE.replace(old, new, 1))
    with pytest.raises(SpecError, match=match):
        load_space(space_file)


def test_a_space_without_choices(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"nothing varies in this space; write \{choice"):
        load_space("hiri_s")


def test_unknown_number_of_stages(space_file: Path) -> None:
    with pytest.raises(SpecError, match=r"--stages: .*no networks of 7 stages; it offers 2, 3"):
        load_space(space_file, stages=[2, 7])


def test_default_space_is_found() -> None:
    assert DEFAULT_SPACE.is_file()
    assert DEFAULT.size > 10**15
    assert len(DEFAULT.parameters) < 40


def test_spaces_of_ours_have_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_space("hiri").fingerprint == load_space().fingerprint
    assert load_space("small").size == 14_400
    (tmp_path / "small").write_text(SMALL_SPACE)
    assert load_space("small").size == 33_696  # a file of the user's own goes first
