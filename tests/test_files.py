"""Loading: paths and names, `extends` and `set`, what may be read, and the lines that errors point at."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

import hiri_spec
from hiri_spec import SpecError
from hiri_spec.files import as_spec, builtin_specs, find, load_text

SMALL = """\
name: small
stem: vit
stages:
  - {block: ffn, depth: 1, width: 8}
  - - {block: ffn, depth: 1, width: 16, downsample: strided}
    - {block: transformer, depth: 2, width: 16, heads: 2, name: late}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with small.yaml in it."""
    (tmp_path / "small.yaml").write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, text: str) -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text)
    return name


def test_a_built_in_name_stands_before_a_file_of_that_name(folder: Path) -> None:
    write("hiri_s", SMALL)
    assert hiri_spec.load("hiri_s").name == "hiri_s"
    assert hiri_spec.load("./hiri_s").name == "small"


def test_a_path_of_any_kind(folder: Path) -> None:
    assert hiri_spec.load(folder / "small.yaml") == hiri_spec.load("small.yaml") == hiri_spec.load("./small.yaml")


def test_spaces_are_no_specs() -> None:
    assert "hiri" not in builtin_specs()
    assert {"hiri_s", "hiri_b", "hiri_l", "hiri_s_4stage", "hiri_s_6stage"} <= set(builtin_specs())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hiri_z", r"^'hiri_z' is no file and no built-in spec; did you mean 'hiri_s' or "),
        ("smal.yaml", r"^smal\.yaml: no such file; did you mean 'small\.yaml'\?"),
        ("no/such/folder/a.yaml", r"^no/such/folder/a\.yaml: no such file; known: "),
        ("", r"^'' is no file and no built-in spec; "),
        ("a\0b", r"'a\\x00b' is no file and no built-in spec"),
        ("x" * 5000, r"^'x{59}… is no file and no built-in spec"),
    ],
    ids=["name", "file", "folder", "empty", "nul", "long"],
)
def test_nothing_of_that_name(folder: Path, name: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        find(name)


def test_files_that_cannot_be_read(folder: Path) -> None:
    (folder / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    (folder / "huge.yaml").write_text("# " + "x" * 1_000_000)
    (folder / "inner.yaml").mkdir()
    with pytest.raises(SpecError, match=r"^binary\.yaml: is not UTF-8 text"):
        hiri_spec.load("binary.yaml")
    with pytest.raises(SpecError, match=r"^huge\.yaml: is larger than 1,000,000 bytes"):
        hiri_spec.load("huge.yaml")
    with pytest.raises(SpecError, match=r"^inner\.yaml: is a folder; name a YAML file in it"):
        hiri_spec.load("inner.yaml")


def test_a_file_that_the_system_refuses_to_read() -> None:
    with pytest.raises(SpecError, match=r"^/proc/self/mem: cannot be read: Input/output error"):
        hiri_spec.load("/proc/self/mem")


def test_a_device_does_not_hang_the_loader() -> None:
    with pytest.raises(SpecError, match=r"^/dev/zero: is larger than 1,000,000 bytes"):
        hiri_spec.load("/dev/zero")


def test_windows_marks_and_line_ends(folder: Path) -> None:
    (folder / "windows.yaml").write_bytes(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode())
    assert hiri_spec.load("windows.yaml") == hiri_spec.load("small.yaml")


@pytest.mark.parametrize("text", ["- a\n", "hiri\n", "12\n"], ids=["list", "text", "number"])
def test_not_a_mapping(folder: Path, text: str) -> None:
    with pytest.raises(SpecError, match=r"^a\.yaml:1: .* is no spec; write a mapping with name, stem and stages"):
        hiri_spec.load(write("a.yaml", text))


def test_an_empty_file(folder: Path) -> None:
    with pytest.raises(SpecError, match=r"^a\.yaml:1: nothing is written here; write a mapping with name, stem"):
        hiri_spec.load(write("a.yaml", ""))


def test_hiri_stands_before_the_other_families() -> None:
    names = list(builtin_specs())
    assert names[0] == "hiri_b"
    assert names.index("hiri_s_6stage") < names.index("davit_tiny")


class TestExtends:
    """`extends` and `set` in a file."""

    def test_values_are_replaced_and_set(self, folder: Path) -> None:
        text = (
            "extends: small.yaml\nname: big\nhead: {classes: 7}\nset:\n  stages.1.1.depth: 5\n  stages[0].width: 24\n"
        )
        spec = hiri_spec.load(write("a.yaml", text))
        assert (spec.name, spec.head.classes, spec.stages[1][1].depth, spec.stages[0][0].width) == ("big", 7, 5, 24)

    def test_of_a_built_in_name_and_in_a_chain(self, folder: Path) -> None:
        write("one.yaml", "extends: hiri_s\nname: one\nset: {stages.3.depth: 12}\n")
        spec = hiri_spec.load(write("two.yaml", "extends: one.yaml\nname: two\nset: {stages.-1.depth: 1}\n"))
        assert [stage[0].depth for stage in spec.stages] == [2, 2, 4, 12, 1]

    def test_beside_the_file_that_extends(self, folder: Path) -> None:
        write("deep/base.yaml", SMALL)
        assert hiri_spec.load(write("deep/a.yaml", "extends: base.yaml\nname: a\n")).name == "a"

    def test_the_base_is_left_as_it_was(self, folder: Path) -> None:
        before = (folder / "small.yaml").read_text()
        hiri_spec.load(write("a.yaml", "extends: small.yaml\nname: a\nset: {stages.0.depth: 3}\n"))
        assert (folder / "small.yaml").read_text() == before

    def test_set_alone(self, folder: Path) -> None:
        assert hiri_spec.load(write("a.yaml", SMALL + "set: {stages.0.depth: 3}\n")).stages[0][0].depth == 3

    def test_a_dict_extends_too(self) -> None:
        assert as_spec({"extends": "hiri_s", "name": "mine", "set": {"stages.3.depth": 12}}).stages[3][0].depth == 12

    @pytest.mark.parametrize(
        ("files", "message"),
        [
            pytest.param(
                {"a.yaml": "extends: a.yaml\nname: a\n"},
                r"^a\.yaml:1 extends: goes round in a circle: a\.yaml → a\.yaml; let one of them stand alone",
                id="itself",
            ),
            pytest.param(
                {
                    "a.yaml": "name: a\nextends: b.yaml\n",
                    "b.yaml": "extends: c.yaml\n",
                    "c.yaml": "\nextends: b.yaml\n",
                },
                r"^c\.yaml:2 extends: goes round in a circle: b\.yaml → c\.yaml → b\.yaml",
                id="circle",
            ),
            pytest.param(
                {"a.yaml": "extends: smal.yaml\n"},
                r"^a\.yaml:1 extends: there is no file 'smal\.yaml'; did you mean 'small\.yaml'",
                id="typo",
            ),
            pytest.param({"a.yaml": "extends: 3\n"}, r"^a\.yaml:1 extends: 3 is not a file or a built-in", id="number"),
            pytest.param({"a.yaml": "extends: [small.yaml]\n"}, r"^a\.yaml:1 extends: \['small", id="list"),
            pytest.param({"a.yaml": 'extends: "a\\0b"\n'}, r"^a\.yaml:1 extends: there is no file", id="nul"),
            pytest.param(
                {"a.yaml": "extends: b.yaml\n", "b.yaml": "- 1\n"},
                r"^a\.yaml:1 extends: 'b\.yaml' is no spec: \[1\]; write a mapping in it",
                id="base-no-mapping",
            ),
            pytest.param(
                {"a.yaml": "extends: b.yaml\n", "b.yaml": "x: [\n"}, r"^b\.yaml:\d: not valid YAML", id="base-no-yaml"
            ),
            pytest.param(
                {"a.yaml": "extends: small.yaml\nset: [1]\n"},
                r"^a\.yaml:2 set: must be a mapping of dotted paths to values, like stages\.3\.depth: 12",
                id="set-list",
            ),
            pytest.param(
                {"a.yaml": "extends: small.yaml\nset:\n  stages.5.depth: 1\n"},
                r"^a\.yaml:3 stages\.5\.depth: stages has 2 items, 0 to 1; there is no 5",
                id="set-beyond",
            ),
            pytest.param(
                {"a.yaml": "extends: small.yaml\nset:\n  stage.0.depth: 1\n"},
                r"^a\.yaml:3 stage\.0\.depth: the spec has no stage; did you mean 'stages'",
                id="set-typo",
            ),
            pytest.param(
                {"a.yaml": "extends: small.yaml\nset:\n  name.first: 1\n"},
                r"^a\.yaml:3 name\.first: name is 'small', with nothing inside",
                id="set-inside-text",
            ),
            pytest.param(
                {"a.yaml": "extends: small.yaml\nset:\n  0: 1\n"},
                r"^a\.yaml:3 set: the key 0 is not text; put it in quotes",
                id="set-number",
            ),
            pytest.param(
                {"a.yaml": "extends: small.yaml\nset:\n  '0': 1\n"},
                r"^a\.yaml:3 0: the spec is a mapping; name a field of it",
                id="set-item-of-a-mapping",
            ),
        ],
    )
    def test_mistakes(self, folder: Path, files: dict[str, str], message: str) -> None:
        for name, text in files.items():
            write(name, text)
        with pytest.raises(SpecError, match=message):
            hiri_spec.load("a.yaml")

    def test_errors_point_at_the_file_that_holds_the_value(self, folder: Path) -> None:
        write("base.yaml", SMALL.replace("heads: 2", "heads: 3"))
        with pytest.raises(SpecError, match=r"^base\.yaml:6 stages\[1\]\[1\]\.width: 16 is not a multiple of heads=3"):
            hiri_spec.load(write("a.yaml", "extends: base.yaml\nname: a\n"))

    def test_errors_point_at_the_line_that_set_the_value(self, folder: Path) -> None:
        text = "extends: small.yaml\nset:\n\n  stages.1:\n    - block: ffn\n      depth: -1\n      width: 8\n"
        with pytest.raises(SpecError, match=r"^a\.yaml:6 stages\[1\]\[0\]\.depth: -1 is too small; use 1 or more"):
            hiri_spec.load(write("a.yaml", text))


class TestWhatMayBeRead:
    """`extends` stays in the file's own folder, the current one and among the built-in specs."""

    @pytest.fixture
    def outside(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        place = tmp_path_factory.mktemp("outside") / "secret.yaml"
        place.write_text(SMALL)
        return place

    def test_an_absolute_path_outside(self, folder: Path, outside: Path) -> None:
        with pytest.raises(SpecError, match=r"^a\.yaml:1 extends: .* leads to .*, outside the folders that a spec may"):
            hiri_spec.load(write("a.yaml", f"extends: {outside}\n"))

    def test_a_link_that_leads_outside(self, folder: Path, outside: Path) -> None:
        (folder / "link.yaml").symlink_to(outside)
        with pytest.raises(SpecError, match=r"outside the folders that a spec may read"):
            hiri_spec.load(write("a.yaml", "extends: link.yaml\n"))

    def test_dots_that_lead_outside(self, folder: Path, outside: Path) -> None:
        dots = os.path.relpath(outside, folder)
        with pytest.raises(SpecError, match=r"outside the folders .*; copy that file beside this one"):
            hiri_spec.load(write("a.yaml", f"extends: {dots}\n"))

    def test_a_parent_folder_within_the_current_one(self, folder: Path) -> None:
        assert hiri_spec.load(write("deep/a.yaml", "extends: ../small.yaml\nname: a\n")).name == "a"

    def test_a_base_does_not_widen_what_may_be_read(self, folder: Path, outside: Path) -> None:
        write("b.yaml", f"extends: {outside}\n")
        with pytest.raises(SpecError, match=r"^b\.yaml:1 extends: .* outside the folders"):
            hiri_spec.load(write("a.yaml", "extends: b.yaml\n"))


def test_every_mistake_is_told_at_once(folder: Path) -> None:
    text = SMALL.replace("depth: 1", "depth: 0").replace("stem: vit", "stem: vitt") + "colour: red\n"
    with pytest.raises(SpecError, match=r"^a\.yaml:2 stem: ") as caught:
        hiri_spec.load(write("a.yaml", text))
    told = [re.sub(r": .*", "", str(problem)) for problem in caught.value.problems]
    assert told == [
        "a.yaml:2 stem",
        "a.yaml:4 stages[0].depth",
        "a.yaml:5 stages[1][0].depth",
        "a.yaml:7 colour",
    ]


class TestText:
    """A spec from text that is in no file yet."""

    def test_as_from_the_file(self, folder: Path) -> None:
        text = "extends: small.yaml\nset: {stages.0.depth: 3}\n"
        spec = load_text(text, file="new.yaml", roots=[folder])
        assert spec == hiri_spec.load(write("new.yaml", text))
        assert hiri_spec.files.to_yaml(spec) == hiri_spec.files.to_yaml(hiri_spec.load("new.yaml"))

    def test_it_keeps_its_comments(self, folder: Path) -> None:
        text = "# mine\n" + SMALL
        assert hiri_spec.files.to_yaml(load_text(text, file="new.yaml", roots=[])) == text

    def test_the_current_folder_is_not_read(self, folder: Path) -> None:
        inner = folder / "inner"
        inner.mkdir()
        with pytest.raises(
            SpecError, match=rf"outside the folders that a spec may read \({inner}, the built-in specs\)"
        ):
            load_text("extends: ../small.yaml\n", file=inner / "new.yaml", roots=[inner])

    @pytest.mark.parametrize("text", ["#" * 1_000_001, "ä" * 500_001], ids=["letters", "bytes"])
    def test_too_long(self, text: str) -> None:
        with pytest.raises(SpecError, match=r"^new\.yaml: is larger than 1,000,000 bytes"):
            load_text(text, file="new.yaml", roots=[])


def test_many_changes_take_no_time(folder: Path) -> None:
    runs = "".join(f"  - {{block: ffn, depth: 1, width: 8, name: run_{number}}}\n" for number in range(2000))
    write("base.yaml", f"name: a\nstem: vit\nstages:\n{runs}")
    changes = "".join(f"  stages.{number}.depth: 2\n" for number in range(2000))
    begin = time.process_time()
    spec = hiri_spec.load(write("a.yaml", f"extends: base.yaml\nset:\n{changes}"))
    assert time.process_time() - begin < 10
    assert {stage[0].depth for stage in spec.stages} == {2}
