"""What the studio says about a text: the spec and its cost, or the mistakes and where they are."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hiri_spec
from hiri_spec.cost import MAX_MACS
from hiri_spec.errors import SpecError
from hiri_spec.files import builtin_specs, load_text
from studio.analysis import MAX_CHARACTERS, Analysis, Mark, analyse

TEXT = builtin_specs()["hiri_s"].read_text()
NOWHERE = Path("nowhere") / "spec.yaml"


def read(text: str) -> Analysis:
    return analyse(text, file=NOWHERE, roots=())


def marked(text: str) -> list[tuple[int, str, str]]:
    """Line, underlined piece and message of each mark."""
    return [(mark.line, text[mark.start : mark.end], mark.message) for mark in read(text).marks]


@pytest.mark.parametrize("path", builtin_specs().values(), ids=builtin_specs())
def test_built_in_specs_have_no_mistakes(path: Path) -> None:
    sizes = [(224, 224), (448, 672)]
    analysis = analyse(path.read_text(), file=path, roots=[path.parent], sizes=sizes)
    assert analysis.marks == ()
    assert analysis.spec == hiri_spec.load(path)
    assert [cost.as_dict() for cost in analysis.costs] == [hiri_spec.cost(str(path), size).as_dict() for size in sizes]


def test_its_own_size_is_the_default() -> None:
    (cost,) = read(TEXT).costs
    assert cost.resolution == (448, 448)
    assert cost.macs == 5_009_471_744


@pytest.mark.parametrize("size", [(10_000_000, 10_000_000), (32, 10_000_000)], ids=["large", "long"])
def test_a_size_beyond_the_limits_is_a_mark(size: tuple[int, int]) -> None:
    analysis = analyse(TEXT, file=NOWHERE, roots=(), sizes=[(224, 224), size])
    assert (analysis.spec, analysis.costs) == (None, ())
    (mark,) = analysis.marks
    assert (mark.path, TEXT[mark.start : mark.end]) == ("resolution", "448")
    told = rf"\d\.\d+e\+\d+ MACs at {size[0]}x{size[1]}, the limit is 1e\+14; use a smaller resolution"
    assert re.fullmatch(told, mark.message)


def test_the_largest_size_within_the_limits() -> None:
    (cost,) = analyse(TEXT, file=NOWHERE, roots=(), sizes=[(10_000, 10_000)]).costs
    assert 0.1 * MAX_MACS < cost.macs <= MAX_MACS


MISTAKES = {
    "a value": (
        TEXT.replace("width: 320", "width: 321"),
        [(12, "321", "321 is not a multiple of heads=10; use 320 or 330")],
    ),
    "a key": (
        TEXT.replace("heads: 10", "heads: 10, redction: 2"),
        [(12, "redction", "block transformer has no field 'redction'; did you mean 'reduction' or 'activation'?")],
    ),
    "two": (
        TEXT.replace("stem: hr", "stem: hrr").replace("classes: 1000", "classes: 0"),
        [(7, "hrr", "unknown stem 'hrr'; did you mean 'hr' or 'hrnet'?"), (14, "0", "0 is too small; use 1 or more")],
    ),
    "a shorthand": (
        TEXT.replace("downsample: irds_a}", "downsample: irds}", 1),
        [(10, "irds", "unknown downsample 'irds'; did you mean 'irds_b' or 'irds_a'?")],
    ),
    "a key twice": (TEXT + "name: b\n", [(15, "name", "name is here twice, first on line 4; remove one of the two")]),
    "no YAML": (
        "name: a\nstem: {stem: vit\nstages: []\n",
        [
            (
                3,
                "stages: []",
                "not valid YAML: expected ',' or '}', but got ':', while parsing a flow mapping that begins on line 2; "
                "check indentation, quotes, brackets and colons",
            )
        ],
    ),
    "an empty value": (
        "name:\nstem: vit\nstages: [{block: hr, depth: 1, width: 8}]",
        [(1, "name", "null is not text; put it in quotes")],
    ),
    "set": (
        "extends: hiri_s\nset: {stages.3.width: 321, head.classes: 0}\n",
        [
            (2, "321", "321 is not a multiple of heads=10; use 320 or 330"),
            (2, "0", "0 is too small; use 1 or more"),
        ],
    ),
    "set from the end": (
        "extends: hiri_s\nset:\n  stages.-1.depth: 0\n",
        [(3, "0", "0 is too small; use 1 or more")],
    ),
    "set nowhere": (
        "extends: hiri_s\nset:\n  stages.9.depth: 2\n",
        [(3, "2", "stages has 5 items, 0 to 4; there is no 9")],
    ),
    "nothing": ("", [(1, "", "nothing is written here; write a mapping with name, stem and stages")]),
    "blanks": ("\n  \n", [(1, "\n  \n", "nothing is written here; write a mapping with name, stem and stages")]),
    "a whole block": (
        "name: a\nstem: vit\nstages:\n- block: hr\n  width: 8\n",
        [(4, "- block: hr", "depth is missing; add `depth: …`")],
    ),
}


@pytest.mark.parametrize(("text", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_marked_where_they_are(text: str, expected: list[tuple[int, str, str]]) -> None:
    assert marked(text) == expected


def test_a_mistake_in_a_file_that_is_extended(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(TEXT.replace("depth: 9", "depth: 0"))
    text = "name: b\nextends: base.yaml\n"
    (mark,) = analyse(text, file=tmp_path / "new.yaml", roots=[tmp_path]).marks
    assert mark == Mark(
        2, 17, 26, f"{tmp_path}/base.yaml:12 stages[3].depth: 0 is too small; use 1 or more", "stages[3].depth"
    )


class TestWhatMayBeRead:
    def test_beside_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "base.yaml").write_text(TEXT)
        analysis = analyse("extends: base.yaml\nname: b\n", file=tmp_path / "new.yaml", roots=[tmp_path])
        assert analysis.spec is not None
        assert analysis.spec.name == "b"

    @pytest.mark.parametrize(
        "form", ["../secret.yaml", "{}/secret.yaml", "link.yaml"], ids=["dots", "absolute", "link"]
    )
    def test_outside(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
        root = tmp_path / "root"
        root.mkdir()
        monkeypatch.chdir(tmp_path)  # the current folder is of no use here
        (tmp_path / "secret.yaml").write_text(TEXT)
        (root / "link.yaml").symlink_to(tmp_path / "secret.yaml")
        text = f"extends: {form.format(tmp_path)}\n"
        (mark,) = analyse(text, file=root / "new.yaml", roots=[root]).marks
        assert f"outside the folders that a spec may read ({root}, the built-in specs)" in mark.message
        assert mark.start == len("extends: ")

    def test_itself(self, tmp_path: Path) -> None:
        file = tmp_path / "a.yaml"
        file.write_text(TEXT)
        (mark,) = analyse("extends: a.yaml\n", file=file, roots=[tmp_path]).marks
        assert mark.message == "goes round in a circle: a.yaml → a.yaml; let one of them stand alone"

    def test_a_long_chain(self, tmp_path: Path) -> None:
        (tmp_path / "0.yaml").write_text(TEXT)
        for number in range(1, 60):
            (tmp_path / f"{number}.yaml").write_text(f"extends: {number - 1}.yaml\n")
        with pytest.raises(SpecError, match=r"more than 32 files extend one another here; write some of them as one"):
            load_text("extends: 59.yaml\n", file=tmp_path / "new.yaml", roots=[tmp_path])

    @pytest.mark.parametrize(
        "name", ["/dev/zero", "a\\0b", "x" * 5000, ".", ""], ids=["device", "NUL", "long", "folder", "empty"]
    )
    def test_names_that_no_spec_has(self, tmp_path: Path, name: str) -> None:
        (mark,) = analyse(f'extends: "{name}"\n', file=tmp_path / "new.yaml", roots=[tmp_path]).marks
        assert mark.path == "extends"


HEAD = "name: a\nstem: vit\nstages:\n"
RUN = "{block: hr, depth: 1, width: 8}"
HUGE = {
    "text": ("# " + "x" * 1_000_000, "1,000,002 characters; the studio follows a spec of at most 100,000"),
    "depth": (TEXT.replace("depth: 9", f"depth: {10**12}"), "parameters in all, most of them here"),
    "image": (TEXT.replace("448\n", "10000000\n"), "MACs at 10000000x10000000 in all, most of them here"),
    "operations": (HEAD + "- {block: norm, depth: 900000, width: 1}", "operations in all, most of them here"),
    "number": (TEXT.replace("448\n", "9" * 5000 + "\n"), "is no number of use here"),
    "a stem's depth": (
        TEXT.replace("{stem: hr, width: 32}", "{stem: hrnet, depth: 1000000000}").replace(
            "{block: hr, depth: 2, width: 32}", "{block: hr, depth: 2, width: 32, downsample: irds_a}"
        ),
        "stem hrnet has more than 20,000 operations; lower the numbers in it",
    ),
    "a module's blocks": (
        HEAD + "- {block: streams, depth: 1, width: 8, streams: 1, blocks: 1000000000}",
        "block streams has more than 20,000 operations",
    ),
    "different parts": (
        HEAD + "".join(f"- {{block: hr, depth: 1, width: 8, expansion: {1 + i}}}\n" for i in range(1900)),
        "more than 20,000 different operations up to here; write a smaller network",
    ),
    "brackets": ("[" * 90_000, "nested more than 64 levels deep"),
    "keys in keys": ("? " * 40_000, "nested more than 64 levels deep"),
    "dashes": ("- " * 40_000, "nested more than 64 levels deep"),
    "aliases": (
        "a: &a [1,1,1,1,1,1,1,1,1]\n"
        + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
        "more than 50,000 values once aliases are expanded",
    ),
    "merged mappings": (
        "a: &a {" + "".join(f"k{i}: 1, " for i in range(5000)) + "}\nb: [" + "{<<: *a}, " * 5000 + "]",
        "more than 50,000 values once << is followed",
    ),
    "long names many times": (
        HEAD + "- &a {block: " + "x" * 50_000 + "}\n" + "- *a\n" * 8000,
        "unknown block 'xxxxx",
    ),
    "mistakes": (HEAD + f"- {RUN}\n" + "".join(f"f{i}: 1\n" for i in range(10_000)), "a spec has no field 'f0'"),
    "changes": (
        "extends: hiri_s\nset:\n" + "".join(f"  stages.{i % 5}.k{i}: 1\n" for i in range(4500)),
        "block hr has no field 'k0'",
    ),
    "lines": ("\n" * 99_000 + "name: a", "stem is missing"),
}


@pytest.mark.parametrize(("text", "told"), HUGE.values(), ids=HUGE)
def test_what_is_too_large_is_a_mark(text: str, told: str) -> None:
    begin = time.process_time()
    analysis = read(text)
    assert time.process_time() - begin < 10
    assert analysis.spec is None
    assert analysis.costs == ()
    assert told in analysis.marks[0].message
    assert len(analysis.marks) <= 201
    assert sum(len(mark.message) for mark in analysis.marks) < 100_000


def test_too_many_mistakes_are_cut_short() -> None:
    marks = read(HEAD + f"- {RUN}\n" + "".join(f"f{i}: 1\n" for i in range(300))).marks
    assert len(marks) == 201
    assert marks[-1].message == "100 mistakes more are not listed; mend those above first"


def check_marks(analysis: Analysis) -> None:
    """What holds for any text."""
    text = analysis.text
    assert (analysis.spec is None) == bool(analysis.marks)
    for mark in analysis.marks:
        assert 0 <= mark.start <= mark.end <= len(text)
        assert mark.start < mark.end or not text
        assert mark.line == 1 + sum(text.count(end, 0, mark.start) for end in "\n\x85\u2028\u2029") + sum(
            text[index] == "\r" and text[index + 1 : index + 2] != "\n" for index in range(mark.start)
        )
        assert len(mark.message.splitlines()) == 1


ANY_TEXT = st.text(st.characters()) | st.text(st.sampled_from("{}[]:,-#|>&*!?'\" \n\r\tab0.\x85\u2028\ufeff\ud800"))


@given(ANY_TEXT)
def test_any_text_is_read(text: str) -> None:
    check_marks(read(text))


@given(st.text(st.sampled_from("{}[]:,-#|>&*!?'\" \n\tab0.")), st.integers(0, len(TEXT)), st.integers(0, 40))
def test_any_text_in_a_spec_is_read(piece: str, start: int, length: int) -> None:
    check_marks(read(TEXT[:start] + piece + TEXT[start + length :]))


def test_torch_is_not_loaded() -> None:
    code = (
        "import sys, pathlib, studio.analysis as a, studio.completion as c, studio.numbers as n, studio.sharing as s\n"
        "text = 'extends: hiri_s\\nset: {stages.3.depth: 2}\\n'\n"
        "assert a.analyse(text, file=pathlib.Path('x.yaml'), roots=()).costs\n"
        "assert c.complete(text, 1) and n.number_at(text, text.index('2')) and s.to_fragment(text)\n"
        "print({'torch', 'nicegui', 'optuna', 'pandas', 'numpy', 'timm'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_limit_is_below_that_of_files() -> None:
    text = f"name: {'a' * MAX_CHARACTERS}"
    assert read(text).marks[0].message.startswith("100,006 characters")
    with pytest.raises(SpecError, match=r"is longer than 100 characters; shorten it"):
        load_text(text, file=NOWHERE, roots=())
