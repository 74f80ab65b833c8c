"""YAML text → plain data with origins: what is read, as what, and what is refused with its line."""

from __future__ import annotations

import json
import math
import re
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiri_spec import SpecError
from hiri_spec.document import MAX_BYTES, MAX_NESTING, MAX_VALUES, Document, Origin, get, parse, parse_value, resolve
from hiri_spec.errors import Path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("null", None),
        ("~", None),
        ("", None),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("on", "on"),
        ("no", "no"),
        ("12", 12),
        ("-12", -12),
        ("+12", 12),
        ("012", 12),
        ("0o14", 12),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e5", 1e5),
        ("1e-5", 1e-5),
        ("e5", "e5"),
        ("hr", "hr"),
        ("٣", "٣"),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str, expected: object) -> None:
    value = resolve(text)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize("text", [".nan", ".NaN"])
def test_no_number(text: str) -> None:
    assert math.isnan(resolve(text))


@pytest.mark.parametrize("text", [".inf", "-.inf", ".nan", "1e16", "1" * 5000, "-1e999"])
def test_numbers_of_no_use(text: str) -> None:
    with pytest.raises(SpecError, match=r"^a\.yaml:2 width: .* is no number of use here; use one of at most 1e\+15"):
        parse(f"name: a\nwidth: {text}\n", "a.yaml")


PLAIN_DATA = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(-1e15, 1e15)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc_ñ", min_size=1), inner, max_size=4),
    max_leaves=20,
)


@given(PLAIN_DATA)
def test_json_is_yaml(data: Any) -> None:
    assert parse_value(json.dumps(data, ensure_ascii=False), "a.yaml") == data


@given(st.text() | st.text("abc:-[]{},&*!|>'\"%@#\n ?<0.1~"))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(SpecError):
        assert isinstance(parse(text, "a.yaml"), Document)


def test_origins() -> None:
    text = "name: a\nstages:\n  - {block: hr,\n     depth: 2}\n  -\n    width: 3\n"
    document = parse(text, "a.yaml")
    expected: dict[Path, int] = {
        (): 1,
        ("name",): 1,
        ("stages",): 2,
        ("stages", 0): 3,
        ("stages", 0, "depth"): 4,
        ("stages", 1): 6,
        ("stages", 1, "width"): 6,
    }
    for path, line in expected.items():
        assert document.origin(path) == Origin("a.yaml", line)
    assert document.origin(("stages", 1, "width", "inside")) == Origin("a.yaml", 6), "the nearest value around it"


def test_aliases_and_merges() -> None:
    text = (
        "base: &b {block: hr, depth: 2}\nother: &o {width: 3}\nstages:\n- {<<: *b, depth: 4}\n- {<<: [*b, *o]}\n- *o\n"
    )
    document = parse(text, "a.yaml")
    assert document.data["stages"] == [
        {"block": "hr", "depth": 4},
        {"block": "hr", "depth": 2, "width": 3},
        {"width": 3},
    ]
    assert document.origin(("stages", 0, "depth")).line == 4
    assert document.origin(("stages", 0, "block")).line == 1, "where the value stands"
    assert document.origin(("stages", 2)).line == 6


def test_a_quoted_merge_key_is_a_name() -> None:
    assert parse('"<<": 1', "a.yaml").data == {"<<": 1}


BAD = {
    "unclosed-bracket": ("name: a\nstages: [1, 2\n", r"a\.yaml:2: not valid YAML: .*; check indentation"),
    "unclosed-quote": ('name: "a\n', r"a\.yaml:1: not valid YAML"),
    "tab": ("name: a\nstages:\n\t- 1\n", r"a\.yaml:3: not valid YAML"),
    "two-colons": ("name: a: b\n", r"a\.yaml:1: not valid YAML"),
    "control-character": ("name: a\nb: \x01\n", r"a\.yaml:2: not valid YAML: .*not allowed"),
    "duplicate-key": ("name: a\nb: 1\nname: c\n", r"a\.yaml:3 name: name is here twice, first on line 1; remove one"),
    "duplicate-inside": ("a:\n  b: 1\n  b: 2\n", r"a\.yaml:3 a\.b: b is here twice, first on line 2"),
    "key-number": ("1: a\n", r"a\.yaml:1: the key 1 is not text; put it in quotes"),
    "key-null": ("? \n: 1\n", r"a\.yaml:1: the key null is not text"),
    "key-list": ("[1, 2]: a\n", r"a\.yaml:1: a key is not text"),
    "python-tag": ("a: !!python/object/apply:os.system [x]\n", r"a\.yaml:1 a: the tag !!python.* is not allowed"),
    "own-tag": ("a: !mine 1\n", r"a\.yaml:1 a: the tag !mine is not allowed; a spec holds plain data only, remove it"),
    "int-tag": ("a: !!int '1'\n", r"a\.yaml:1 a: the tag !!int is not allowed"),
    "two-documents": ("a: 1\n---\nb: 2\n", r"a\.yaml:2: a second document begins here; a file holds one spec"),
    "yaml-1.1": ("%YAML 1.1\n---\na: 1\n", r"YAML 1\.1 is not read, only 1\.2; remove the line %YAML"),
    "unknown-alias": ("a: 1\nb: *c\n", r"a\.yaml:2 b: unknown alias \*c; there is no &c before it"),
    "recursive-alias": ("a: &x\n  b: *x\n", r"a\.yaml:2 a\.b: \*x contains itself; write it out"),
    "merge-of-text": ("a:\n  <<: hr\n", r"a\.yaml:2 a\.<<: << takes a mapping or a list of mappings"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_bad_yaml(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        parse(text, "a.yaml")


def billion_laughs(levels: int, width: int) -> str:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


def merging_laughs(levels: int) -> str:
    lines = ["a0: &a0 {k: 1}"]
    lines += [f"a{n}: &a{n} {{<<: *a{n - 1}, k{n}: *a{n - 1}}}" for n in range(1, levels)]
    return "\n".join(lines)


BOMBS = {
    "aliases": (billion_laughs(30, 10), f"more than {MAX_VALUES:,} values once aliases are expanded; write fewer"),
    "merges": (merging_laughs(40), f"more than {MAX_VALUES:,} values|levels deep"),
    "values": ("[" + "1, " * (MAX_VALUES + 1) + "1]", f"more than {MAX_VALUES:,} values; write fewer"),
    "flow-nesting": ("[" * 5_000 + "]" * 5_000, f"nested more than {MAX_NESTING} levels deep; make it flatter"),
    "key-nesting": ("? " * 5_000, f"nested more than {MAX_NESTING} levels deep; make it flatter"),
    "copies-by-merging": (
        "a: &a {" + "".join(f"k{n}: 1, " for n in range(2_000)) + "}\nb: [" + "{<<: *a}, " * 5_000 + "]",
        f"more than {MAX_VALUES:,} values once << is followed",
    ),
    "block-nesting": ("\n".join(" " * n + "a:" for n in range(900)), f"nested more than {MAX_NESTING} levels deep"),
    "alias-nesting": ("\n".join(["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 200)]), "levels deep"),
    "size": ("# " + "x" * MAX_BYTES, r"1,000,002 characters; a spec has at most 1,000,000"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BOMBS.values(), ids=BOMBS)
def test_bombs_are_refused_at_once(text: str, message: str) -> None:
    begin = time.process_time()
    with pytest.raises(SpecError, match=message):
        parse(text, "bomb.yaml")
    assert time.process_time() - begin < 30, "a bomb must not go off"


@pytest.mark.parametrize(
    ("path", "expected"),
    [(("a", 1, "b"), 2), (("a", 5), None), (("a", "x"), None), (("z",), None), ((), {"a": [0, {"b": 2}]})],
    ids=["inside", "beyond", "text-for-a-list", "absent", "root"],
)
def test_get(path: Path, expected: object) -> None:
    assert get({"a": [0, {"b": 2}]}, path) == expected


def test_an_error_of_a_document_points_into_it() -> None:
    error = Document({}, {("a",): Origin("f.yaml", 7)}, "f.yaml").error(("a", 0), "wrong", "code")
    assert str(error) == "f.yaml:7 a[0]: wrong"
    assert re.fullmatch("code", error.problems[0].code)
