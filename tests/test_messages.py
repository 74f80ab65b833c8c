"""Mistakes in a spec: the line, the dotted path, the value as written, and what would do."""

from __future__ import annotations

import pytest

from hiri_spec import SpecError
from hiri_spec.document import parse
from hiri_spec.messages import validate

TEMPLATE = """\
name: a
resolution: 64
stem: {stem: conv, width: 8}
stages:
  - {block: ffn, depth: 1, width: 8}
  - {block: transformer, depth: 2, width: 24, heads: 3,
     downsample: irds_a}
head: {classes: 10}
"""

MISTAKES = {
    "heads": (
        "heads: 3",
        "heads: 5",
        "6 stages[1].width: 24 is not a multiple of heads=5; use 20 or 25",
    ),
    "unknown-block": (
        "block: ffn",
        "block: fnn",
        "5 stages[0].block: unknown block 'fnn'; did you mean 'ffn' or 'cffn'?",
    ),
    "block-number": (
        "block: ffn",
        "block: 3",
        "5 stages[0].block: unknown block 3; known: cffn, davit, ffn, hr, norm, streams, swin, transformer",
    ),
    "no-block": (
        "block: ffn, ",
        "",
        "5 stages[0].block: which block? add block: one of cffn, davit, ffn, hr, norm, streams, swin, transformer",
    ),
    "block-is-text": (
        "- {block: ffn, depth: 1, width: 8}",
        "- ffn",
        "5 stages[0]: 'ffn' is no block; write a mapping like {block: cffn, …}",
    ),
    "negative-depth": ("depth: 2", "depth: -2", "6 stages[1].depth: -2 is too small; use 1 or more"),
    "zero-depth": ("depth: 2", "depth: 0", "6 stages[1].depth: 0 is too small; use 1 or more"),
    "float-depth": ("depth: 2", "depth: 2.5", "6 stages[1].depth: 2.5 is not a whole number; use 2 or 3"),
    "whole-float-depth": ("depth: 2", "depth: 2.0", "6 stages[1].depth: 2.0 is not a whole number; use 2"),
    "text-depth": (
        "depth: 2",
        "depth: '2'",
        "6 stages[1].depth: '2' is not a whole number; write it in digits, without quotes",
    ),
    "bool-depth": ("depth: 2", "depth: true", "6 stages[1].depth: true is not a whole number; write it in digits"),
    "null-depth": ("depth: 2", "depth: ", "6 stages[1].depth: null is not a whole number"),
    "list-depth": ("depth: 2", "depth: [2]", "6 stages[1].depth: [2] is not a whole number"),
    "no-depth": ("depth: 2, ", "", "6 stages[1].depth: depth is missing; add `depth: …`"),
    "no-heads": (", heads: 3", "", "6 stages[1].heads: heads is missing; add `heads: …`"),
    "misspelt-field": (
        "heads: 3",
        "heads: 3, kernal: 3",
        "6 stages[1].kernal: block transformer has no field 'kernal'; did you mean 'kernel'?",
    ),
    "field-of-another-block": (
        "depth: 1",
        "depth: 1, heads: 2",
        "5 stages[0].heads: block ffn has no field 'heads'; ",
    ),
    "even-kernel": ("heads: 3", "heads: 3, kernel: 4", "6 stages[1].kernel: 4 is even; use 3 or 5"),
    "unknown-norm": ("depth: 1", "depth: 1, norm: bach", "5 stages[0].norm: 'bach' is not known here; use 'batch' or"),
    "zero-expansion": (
        "depth: 1",
        "depth: 1, expansion: 0",
        "5 stages[0].expansion: 0 is too small; use more than 0",
    ),
    "text-expansion": ("depth: 1", "depth: 1, expansion: big", "5 stages[0].expansion: 'big' is not a number; write"),
    "run-name": (
        "depth: 1",
        "depth: 1, name: My Run",
        "5 stages[0].name: 'My Run' is not a usable name; use lower-case letters, digits and underscores",
    ),
    "reserved-run-name": (
        "depth: 1",
        "depth: 1, name: train",
        "5 stages[0].name: train is a word of Python or torch; use another, such as train_blocks",
    ),
    "number-name": ("name: a", "name: 5", "1 name: 5 is not text; put it in quotes"),
    "model-name": ("name: a", "name: 'a b'", "1 name: 'a b' is not a usable name"),
    "no-name": ("name: a\n", "", "1 name: name is missing; add `name: …`"),
    "unknown-stem": ("stem: conv", "stem: cnv", "3 stem.stem: unknown stem 'cnv'; did you mean 'conv'?"),
    "stem-needs-width": (
        "{stem: conv, width: 8}",
        "conv",
        "3 stem: stem conv needs a width; write {stem: conv, width:",
    ),
    "stem-is-a-list": ("{stem: conv, width: 8}", "[conv]", "3 stem: ['conv'] is no stem; write a mapping like {stem:"),
    "no-stem": ("stem: {stem: conv, width: 8}\n", "", "1 stem: stem is missing; add `stem: …`"),
    "unknown-downsample": (
        "irds_a",
        "irds",
        "7 stages[1].downsample: unknown downsample 'irds'; did you mean 'irds_b' or 'irds_a'?",
    ),
    "width-jump": (
        "downsample: irds_a",
        "norm: layer",
        "6 stages[1].width: 24 differs from the width of the stage before, 8; add a downsample, e.g. irds_b",
    ),
    "first-downsample": (
        "depth: 1",
        "depth: 1, downsample: irds_a",
        "5 stages[0].downsample: the stem already leads into the first stage; remove the downsample",
    ),
    "no-stages": ("stages:", "stages: []\nx:", "4 stages: this list is empty; give it at least one item"),
    "stages-mapping": ("stages:", "stages: {a: 1}\nx:", "4 stages: {'a': 1} is not a list; write [ … ] or one"),
    "empty-stage": ("- {block: ffn, depth: 1, width: 8}", "- []", "5 stages[0]: this list is empty; give it at least"),
    "small-resolution": ("resolution: 64", "resolution: 31", "2 resolution: 31 is too small; use 32 or more a side"),
    "odd-resolution": (
        "resolution: 64",
        "resolution: 64px",
        "2 resolution: '64px' is no image size; write a side or [height, width] in pixels, like 448 or [512, 1024]",
    ),
    "three-sides": ("resolution: 64", "resolution: [64, 64, 64]", "2 resolution: [64, 64, 64] is no image size; write"),
    "zero-classes": ("classes: 10", "classes: 0", "8 head.classes: 0 is too small; use 1 or more"),
    "head-field": ("classes: 10", "clases: 10", "8 head.clases: head has no field 'clases'; did you mean 'classes'?"),
    "top-level-field": (
        "resolution: 64",
        "resolutoin: 64",
        "2 resolutoin: a spec has no field 'resolutoin'; did you mean 'resolution'?",
    ),
    "drop-path": (
        "resolution: 64",
        "drop_path_rate: 1",
        "2 drop_path_rate: 1 is too large; use less than 1",
    ),
    "choice": (
        "depth: 2",
        "depth: {choice: [1, 2]}",
        "6 stages[1].depth: a choice or a range belongs in a search space, for python -m explorer.search; write one",
    ),
    "choice-of-stages": (
        "stages:",
        "stages: {choice: []}\nx:",
        "4 stages: a choice or a range belongs in a search space",
    ),
}


@pytest.mark.parametrize(("written", "mistake", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes(written: str, mistake: str, message: str) -> None:
    assert written in TEMPLATE
    document = parse(TEMPLATE.replace(written, mistake, 1), "specs/a.yaml")
    with pytest.raises(SpecError, match=r"^specs/a\.yaml:\d") as caught:
        validate(document)
    assert f"specs/a.yaml:{message}" in " ".join(str(problem) + "|" for problem in caught.value.problems)


def test_the_template_is_valid() -> None:
    assert len(validate(parse(TEMPLATE, "a.yaml")).stages) == 2


RUNS = """\
name: a
stem: vit
stages:
  - {block: ffn, depth: 1, width: 8}
  - - {block: ffn, depth: 1, width: 16, downsample: strided, name: x}
    - {block: ffn, depth: 1, width: 16}
"""


@pytest.mark.parametrize(
    ("written", "mistake", "message"),
    [
        (
            "width: 16}",
            "width: 24}",
            "stages[1][1].width: 24 differs from the width of the run before, 16; runs of one",
        ),
        (
            "width: 16}",
            "width: 16, downsample: irds_a}",
            "only the first run of a stage can downsample; start a new st",
        ),
        ("width: 16}", "width: 16, name: x}", "stages[1][1].name: 'x' is taken in this stage; choose another"),
        ("width: 16}", "width: 16, heads: 1}", "a.yaml:6 stages[1][1].heads: block ffn has no field 'heads'"),
    ],
    ids=["width", "downsample", "name", "field"],
)
def test_mistakes_in_mixed_stages(written: str, mistake: str, message: str) -> None:
    with pytest.raises(SpecError, match=r"^a\.yaml:6 ") as caught:
        validate(parse(RUNS.replace(written, mistake), "a.yaml"))
    assert message in str(caught.value)


STREAMS = """\
name: a
stem: hrnet
stages:
  - {block: streams, depth: 1, width: 8, streams: 2, downsample: add_stream}
  - {block: streams, depth: 1, width: 8, streams: 3, downsample: add_stream}
head: {head: hrnet}
"""


@pytest.mark.parametrize(
    ("written", "mistake", "message"),
    [
        ("streams: 3", "streams: 2", "5 stages[1].streams: 2 differs from the 3 that come in; add one with add_stream"),
        ("{head: hrnet}", "{}", "6 head: takes one map, and 3 streams come in; use hrnet"),
        (
            "block: streams, depth: 1, width: 8, streams: 3",
            "block: ffn, depth: 1, width: 8",
            "5 stages[1].block: takes",
        ),
        (
            "streams: 3, downsample: add_stream",
            "streams: 2, downsample: strided",
            "5 stages[1].downsample: takes one map",
        ),
        (
            "streams: 2, downsample: add_stream",
            "streams: 1",
            "4 stages[0].width: the stem gives a width of its own; add",
        ),
    ],
    ids=["count", "head", "block", "downsample", "no-downsample"],
)
def test_mistakes_in_streams(written: str, mistake: str, message: str) -> None:
    assert validate(parse(STREAMS, "a.yaml")).stages
    with pytest.raises(SpecError, match=r"^a\.yaml:\d") as caught:
        validate(parse(STREAMS.replace(written, mistake), "a.yaml"))
    assert f"a.yaml:{message}" in str(caught.value)


def test_problems_have_stable_codes() -> None:
    with pytest.raises(SpecError, match="did you mean 'ffn'") as caught:
        validate(parse(TEMPLATE.replace("block: ffn", "block: fnn").replace("heads: 3", "heads: 5"), "a.yaml"))
    assert [problem.code for problem in caught.value.problems] == ["unknown", "indivisible"]


def test_mistakes_beyond_counting_are_summed_up() -> None:
    with pytest.raises(SpecError, match=r"a\.yaml:1: 300 mistakes more are not listed; mend those above first$"):
        validate(parse(TEMPLATE + "".join(f"field{number}: 1\n" for number in range(500)), "a.yaml"))


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        ("{block: " + "x" * 5000 + "}", r"stages\[0\]\.block: unknown block 'x{59}…; known: cffn"),
        ("x" * 5000, r"stages\[0\]: 'x{59}… is no block; write a mapping like"),
        (
            "{block: ffn, depth: 1, width: 8, name: " + "x" * 101 + "}",
            r"name: 'x{59}… is longer than 100 characters; shor",
        ),
    ],
    ids=["block", "text", "name"],
)
def test_long_words_are_told_short(mistake: str, told: str) -> None:
    text = TEMPLATE.replace("{block: ffn, depth: 1, width: 8}", mistake)
    with pytest.raises(SpecError, match=told) as caught:
        validate(parse(text, "a.yaml"))
    assert len(str(caught.value)) < 300
