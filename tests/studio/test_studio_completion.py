"""What can be typed at the cursor."""

import time
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiri_spec.block import Block, Downsample, Head, Stem
from hiri_spec.document import Node, parse, read_nodes
from hiri_spec.files import builtin_specs
from hiri_spec.json_schema import json_schema
from hiri_spec.messages import validate
from studio.completion import Completions, Option, complete
from studio.fields import schemas_at

TEXTS = {name: path.read_text() for name, path in builtin_specs().items()}
BLOCK_STYLE = """\
name: written_out
stem:
  stem: hr
  width: 32
stages:
- block: hr
  depth: 2
  width: 32
-
  - block: cffn
    width: 64
    depth: 1
    downsample:
      downsample: irds_a  # the first
      expansion: 4
  - {block: transformer, "depth": 2, width: 64,
     heads: 8}
head: {
  classes: 10
}
"""
TEXTS |= {"block style": BLOCK_STYLE, "windows": BLOCK_STYLE.replace("\n", "\r\n")}


def at(marked: str) -> Completions | None:
    """What is offered where a | stands."""
    offset = marked.index("|")
    return complete(marked.replace("|", "", 1), offset)


def labels(marked: str) -> list[str]:
    found = at(marked)
    return [option.label for option in found.options] if found else []


def only(marked: str, label: str) -> Option:
    found = at(marked)
    assert found is not None
    (option,) = [option for option in found.options if option.label == label]
    return option


def accepted(marked: str, label: str) -> str:
    """The text once an option is taken."""
    offset = marked.index("|")
    text = marked.replace("|", "", 1)
    found = complete(text, offset)
    assert found is not None
    (option,) = [option for option in found.options if option.label == label]
    return text[: found.start] + option.insert + text[found.end :]


FIELDS = {
    "of nothing": ("|", ["name", "stem", "stages", "description"]),
    "of a spec": ("name: a\nst|", ["stem", "stages"]),
    "held in a word": ("name: a\ntem|", ["stem"]),
    "of one that extends": ("extends: hiri_s\n|", ["name", "description", "resolution"]),
    "needed ones first": ("stages:\n  - {block: transformer, |", ["depth", "width", "heads", "norm"]),
    "those written left out": ("stages:\n  - {block: transformer, |, depth: 2, heads: 2}", ["width", "norm"]),
    "before a line that goes on": ("stages:\n  - {block: hr, de|\n  - {block: cffn, depth: 2}", ["depth"]),
    "in block style": ("stages:\n  - block: hr\n    |\n    width: 3\nname: q", ["depth", "norm"]),
    "half typed in block style": ("stages:\n  - block: hr\n    dep|\n    width: 3\nname: q", ["depth"]),
    "of a part further in": ("stages:\n- block: hr\n  downsample:\n    |", ["downsample", "norm"]),
    "of a part without its name": ("head: {|", ["head", "classes"]),
    "over several lines": ("head: {classes: 3,\n  |\n  }\nname: x", ["head", "norm"]),
    "of a second run": ("stages:\n- - {block: hr}\n  - {block: norm, w|", ["width"]),
    "paths to set": ("extends: hiri_s\nset:\n  stages.3.|", ["stages.3.block", "stages.3.depth", "stages.3.width"]),
    "paths that aren't set yet": (
        "extends: hiri_s\nset: {stages.3.depth: 3, depth|}",
        ["stages.0.depth", "stages.1.depth"],
    ),
    "a key that is there": ("stem: {stem: hr, wi|dth: 3}", ["width"]),
    "in quotes": ('{"na|me": a}', ["name"]),
}


@pytest.mark.parametrize(("marked", "expected"), FIELDS.values(), ids=FIELDS)
def test_fields(marked: str, expected: list[str]) -> None:
    assert labels(marked)[: len(expected)] == expected


VALUES = {
    "blocks": ("stages: [{block: |", sorted(Block.registry)),
    "of a half typed name": ("stages: [{block: s|", ["streams", "swin", "transformer"]),
    "stems, those that need nothing first": ("stem: |", ["hrnet", "vit", "conv", "hr"]),
    "stems inside": ("stem: {stem: |}", sorted(Stem.registry)),
    "downsamplings": ("stages: [{block: hr, downsample: |}]", [*sorted(Downsample.registry), "null"]),
    "heads": ("name: a\nhead:\n  head: |", sorted(Head.registry)),
    "words": ("stages: [{block: hr, activation: |", ["gelu", "relu", "silu"]),
    "words of one part": ("stages: [{block: transformer, mlp: |", ["cffn", "ffn"]),
    "yes or no": ("head: {pool_first: |}", ["true", "false"]),
    "a default": ("stages: [{block: hr, expansion: |", ["4"]),
    "set from afar": ("set: {stages.3.downsample: irds|}", ["irds_a", "irds_b"]),
    "set in what is extended": ("extends: hiri_s\nset: {stages.3.mlp: |", ["cffn", "ffn"]),
    "set in what has no such field": (
        "extends: hiri_s\nset: {stages.0.downsample.downsample: irds|",
        ["irds_a", "irds_b"],
    ),
    "a spec to extend": ("extends: hiri_s|", ["hiri_s", "hiri_s_4stage", "hiri_s_6stage"]),
    "items": ("stages:\n  - |", ["block", *sorted(Block.registry), "width"]),
    "items in brackets": ("stages: [|", sorted(Block.registry)),
}


@pytest.mark.parametrize(("marked", "expected"), VALUES.values(), ids=VALUES)
def test_values(marked: str, expected: list[str]) -> None:
    assert labels(marked)[: len(expected)] == expected


NOTHING = {
    "a comment": "name: a # he|re",
    "a line of comment": "# |",
    "a name": "name: |",
    "behind a value": "stem: {stem: vit |}",
    "an unknown field": "stem: {stem: vit, colour: |}",
    "inside an unknown field": "colours:\n  - |",
    "a part that there isn't": "stages: [{block: hrr, |",
    "a text over lines": "description: |\n  st",
    "a wrong column": "name: a\n      st|",
}


@pytest.mark.parametrize("marked", NOTHING.values(), ids=NOTHING)
def test_nothing_is_offered_for(marked: str) -> None:
    if marked.startswith("description"):
        assert complete(marked, len(marked)) is None
    else:
        assert at(marked) is None


TAKEN = {
    "a field": ("head: {cl|", "classes", "head: {classes: "),
    "a key with its colon": ("head: {cl|: 3}", "classes", "head: {classes: 3}"),
    "a field of words in brackets": (
        "stages: [{block: transformer, ml|}]",
        "mlp",
        "stages: [{block: transformer, mlp: cffn}]",
    ),
    "a field of parts in brackets": ("{name: a, hea|}", "head", "{name: a, head: classifier}"),
    "a field in brackets that may be empty": ("stages: [{down|}]", "downsample", "stages: [{downsample: }]"),
    "a key of words with its colon": ("stages: [{ml|p: ffn}]", "mlp", "stages: [{mlp: ffn}]"),
    "a field of words in block style": ("stages:\n  - ml|", "mlp", "stages:\n  - mlp: "),
    "a value behind a bare colon": ("head:|", "hrnet", "head: hrnet"),
    "behind a bare dash": ("stages:\n  -|", "block", "stages:\n  - block: "),
    "a part that needs fields": ("stem: h|", "hr", "stem: {stem: hr, width: 1}"),
    "a field of the first item": ("stages:\n  |", "block", "stages:\n  - block: "),
    "a block like the one before": (
        "stages:\n  - - {block: hr, depth: 3, width: 64}\n  |",
        "cffn",
        "stages:\n  - - {block: hr, depth: 3, width: 64}\n  - {block: cffn, depth: 3, width: 64}",
    ),
    "in the middle of a word": ("stages: [{block: h|rr}]", "hr", "stages: [{block: hr}]"),
}


@pytest.mark.parametrize(("marked", "label", "expected"), TAKEN.values(), ids=TAKEN)
def test_what_is_taken_fits_in(marked: str, label: str, expected: str) -> None:
    assert accepted(marked, label) == expected


def test_options_are_told_about() -> None:
    depth = only("stages: [{block: hr, |", "depth")
    told = "How many of these blocks follow one another."
    assert depth == Option("depth", "depth: ", "field", "whole number; needed", told)
    norm = only("stages: [{block: transformer, |", "norm")
    assert (norm.detail, norm.documentation) == ("batch or layer; layer by default", "Normalisation before attention.")
    hr = only("stages: [{block: h|", "hr")
    assert (hr.kind, hr.documentation) == ("block", (Block.registry["hr"].__doc__ or "").splitlines()[0])
    downsample = only("stages: [{block: hr, |", "downsample")
    assert downsample.documentation == "What leads from the stage before into this one."


@pytest.mark.parametrize("block", sorted(Block.registry))
def test_a_whole_block_is_legal(block: str) -> None:
    text = accepted("stages: [|]", block)
    run = parse(text, "").data["stages"][0]
    schema = json_schema()
    jsonschema.validate(run, {"$ref": "#/$defs/block", "$defs": schema["$defs"]})


@pytest.mark.parametrize("block", sorted(Block.registry))
def test_a_field_of_words_in_brackets_leaves_a_block_legal(block: str) -> None:
    text = accepted("stages: [|]", block).replace("}]", ", |}]")
    found = at(text)
    assert found is not None
    schema = json_schema()
    for option in found.options:
        run = parse(text.replace("|", option.insert), "").data["stages"][0]
        if run[option.label] is not None or ("number" not in option.detail and option.label != "name"):
            jsonschema.validate(run, {"$ref": "#/$defs/block", "$defs": schema["$defs"]})


def test_a_spec_made_of_options_alone() -> None:
    text = accepted("|", "name") + "a\n|"
    text = accepted(text, "stem") + "|"
    text = accepted(text, "hr") + "\n|"
    text = accepted(text, "stages") + "\n  |"
    text = accepted(text, "cffn") + "\n  |"
    text = accepted(text, "transformer") + "\n"
    assert [stage[0].block for stage in validate(parse(text, "")).stages] == ["cffn", "transformer"]


def scalars(node: Node, key: Node | None = None) -> Iterator[tuple[Node, Any]]:
    """Every key of a text with the node of its value."""
    if isinstance(node.content, dict):
        for name, item in node.content.items():
            yield node.keys[name], item
            if name != "set":  # its keys are paths
                yield from scalars(item)
    elif isinstance(node.content, list):
        for item in node.content:
            yield from scalars(item)


@pytest.mark.parametrize("name", TEXTS)
def test_what_built_in_specs_hold_is_offered_where_they_hold_it(name: str) -> None:
    """Each key and each word, when all behind it is still to be typed, and when only it is."""
    text = TEXTS[name]
    words = {"block", "stem", "downsample", "head", "norm", "activation", "mlp", "mlp_norm", "high", "pool_first"}
    for key, value in scalars(read_nodes(text, "")):
        wanted = [(key.start, key.end, key.content)]
        if key.content in words and isinstance(value.content, str):
            wanted.append((value.start, value.end, value.content))
        for start, end, label in wanted:
            for broken, offset in (
                (text[:start], start),
                (text[:start] + text[end:], start),
                (text[: start + 1], start + 1),
                (text, start + 1),
            ):
                found = complete(broken, offset)
                assert found is not None, (label, broken[:offset])
                assert label in [option.label for option in found.options], (label, broken[:offset])


@given(st.sampled_from(sorted(TEXTS.values())), st.data())
def test_any_piece_of_a_spec_can_be_completed_anywhere(text: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, len(text)))
    piece = text[:begin] + text[end:]
    offset = data.draw(st.integers(0, len(piece)))
    found = complete(piece, offset)
    if found is not None:
        assert 0 <= found.start <= offset <= found.end <= len(piece)
        assert found.options


YAML_LIKE = st.text(st.sampled_from("{}[]:,-#|>&*!?'\" \n\tab0.")) | st.text()


@given(YAML_LIKE, st.data())
def test_any_text_can_be_completed_anywhere(text: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(-1, len(text) + 1))
    found = complete(text, offset)
    if found is not None:
        assert 0 <= found.start <= offset <= found.end <= len(text)


LONG = {
    "brackets": "[{a: " * 16000,
    "dashes": "- " * 40000,
    "lists": "\n".join("  " * depth + "-" for depth in range(300)),
    "blank lines": "a: {" + "\n" * 90000,
    "comments": "{" + "# c\n" * 20000,
    "colons": ":" * 90000,
    "quotes": '"' * 90000,
    "words": "a b " * 20000,
    "keys": "a: 1\n" * 18000,
    "aliases": "a: &a [1,1,1,1,1,1,1,1,1]\n"
    + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
    "too long": "a" * 1_000_000,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_long_texts_take_no_time(text: str) -> None:
    begin = time.process_time()
    complete(text, len(text))
    assert time.process_time() - begin < 2


def test_a_long_path_that_leads_nowhere_takes_no_time() -> None:
    data = parse(TEXTS["hiri_s"], "").data
    begin = time.process_time()
    assert schemas_at(("stages",) + (0,) * 45_000, data) == []
    assert time.process_time() - begin < 0.2
