"""Specs → YAML and back; a spec's own file keeps its text; files are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from strategies import model_specs

import hiri_spec
from hiri_spec import ModelSpec, SpecError
from hiri_spec.document import parse
from hiri_spec.files import as_spec
from hiri_spec.messages import validate
from hiri_spec.saving import edit_text, to_data, to_yaml, write_bytes, write_text

COMMENTED = """\
# what this is for
name: mine   # a name
stem: vit

stages:
  # the first stage
  - {block: ffn, depth: 1, width: 8}    # cheap
  - block: transformer
    depth: 2      # why two
    width: 16
    heads: 2
    downsample: strided
"""


@settings(deadline=None)
@given(spec=model_specs())
def test_load_dump_load_is_the_identity(spec: ModelSpec) -> None:
    text = to_yaml(spec)
    again = validate(parse(text, "a.yaml"))
    assert again == spec
    assert to_yaml(again) == text


@settings(deadline=None)
@given(spec=model_specs())
def test_plain_data_stand_for_the_spec(spec: ModelSpec) -> None:
    assert as_spec(to_data(spec)) == spec


@pytest.mark.parametrize("name", sorted(hiri_spec.files.builtin_specs()))
def test_built_in_specs_are_saved_as_they_are_written(name: str, tmp_path: Path) -> None:
    source = hiri_spec.files.builtin_specs()[name]
    if "extends:" not in source.read_text():
        hiri_spec.save(name, tmp_path / "a.yaml")
        assert (tmp_path / "a.yaml").read_text() == source.read_text()


def test_the_light_form_leaves_defaults_out() -> None:
    assert to_data(hiri_spec.load("hiri_s"))["stages"][0] == {"block": "hr", "depth": 2, "width": 32}


def test_a_spec_without_a_file_is_written_a_stage_a_line() -> None:
    written = to_yaml(as_spec({**to_data(hiri_spec.load("hiri_s")), "description": None}))
    assert written.splitlines()[4:6] == [
        "  - {block: hr, depth: 2, width: 32}",
        "  - {block: hr, depth: 2, width: 64, downsample: irds_a}",
    ]


class TestComments:
    """A spec loaded from a file keeps that file's text but for what was set."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        path = tmp_path / "mine.yaml"
        path.write_text(COMMENTED)
        return path

    def test_nothing_changes_without_a_change(self, path: Path) -> None:
        hiri_spec.save(hiri_spec.load(path), path)
        assert path.read_text() == COMMENTED

    @pytest.mark.parametrize(
        ("dotted", "value", "before", "after"),
        [
            ("stages.1.depth", 12, "depth: 2      # why two", "depth: 12      # why two"),
            ("stages.0.depth", 3, "depth: 1, width: 8}    # cheap", "depth: 3, width: 8}    # cheap"),
            ("name", "other", "name: mine   # a name", "name: other   # a name"),
            ("stages.1.norm", "layer", "    downsample: strided\n", "    downsample: strided\n    norm: layer\n"),
            ("stages.0.norm", "batch", "width: 8}", "width: 8, norm: batch}"),
            ("head.classes", 7, "    downsample: strided\n", "    downsample: strided\nhead: {classes: 7}\n"),
            ("stem.norm", "batch", "stem: vit", "stem: {stem: vit, norm: batch}"),
            ("resolution", [64, 96], "    downsample: strided\n", "    downsample: strided\nresolution: [64, 96]\n"),
        ],
        ids=["block", "flow", "top", "new-in-block", "new-in-flow", "new-mapping", "shorthand", "list"],
    )  # fmt: skip
    def test_one_change(self, path: Path, dotted: str, value: object, before: str, after: str) -> None:
        spec = hiri_spec.load(path, set={dotted: value})
        hiri_spec.save(spec, path)
        assert path.read_text() == COMMENTED.replace(before, after)
        assert hiri_spec.load(path) == spec

    def test_a_spec_of_code_has_no_text_to_keep(self, path: Path) -> None:
        spec = ModelSpec.model_validate(dict(hiri_spec.load(path)))
        assert "#" not in to_yaml(spec)
        assert validate(parse(to_yaml(spec), "a.yaml")) == spec

    def test_a_spec_that_extends_is_written_whole(self, path: Path) -> None:
        child = path.parent / "child.yaml"
        child.write_text("extends: mine.yaml # base\nname: child\nset: {stages.1.depth: 3}\n")
        spec = hiri_spec.load(child)
        assert "extends" not in to_yaml(spec)
        assert validate(parse(to_yaml(spec), "a.yaml")) == spec


@settings(deadline=None)
@given(spec=model_specs(), depth=...)
def test_edited_text_reads_as_the_edited_spec(spec: ModelSpec, depth: bool) -> None:
    last = len(spec.stages) - 1
    path: tuple[str | int, ...] = ("stages", last)
    path += (0, "depth") if len(spec.stages[last]) > 1 else ("depth",)
    text = edit_text(to_yaml(spec), path, 3 + depth)
    assert validate(parse(text, "a.yaml")).stages[last][0].depth == 3 + depth


class TestWriting:
    """Files."""

    def test_whole_or_not_at_all(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        target = tmp_path / "a.yaml"
        target.write_text("before")

        def no_space(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", no_space)
        with pytest.raises(SpecError, match=r"a\.yaml: cannot be written: No space left on device; choose another pl"):
            write_text(target, "after")
        assert target.read_text() == "before"
        assert list(tmp_path.iterdir()) == [target], "nothing is left lying about"

    def test_a_full_disk(self) -> None:
        with pytest.raises(SpecError, match=r"^/dev/full: cannot be written: No space left on device"):
            write_text("/dev/full", "text")
        assert Path("/dev/full").is_char_device(), "a device is never replaced by a file"

    def test_a_pipe_is_written_to(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        write_text(pipe, "text")
        assert os.read(reader, 10) == b"text"
        os.close(reader)

    def test_a_link_stays_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "real.yaml").write_text("before")
        (tmp_path / "link.yaml").symlink_to("real.yaml")
        write_text(tmp_path / "link.yaml", "after")
        assert (tmp_path / "link.yaml").is_symlink()
        assert (tmp_path / "real.yaml").read_text() == "after"

    def test_permissions_stay(self, tmp_path: Path) -> None:
        target = tmp_path / "a.yaml"
        target.write_text("before")
        target.chmod(0o640)
        write_text(target, "after")
        assert stat.S_IMODE(target.stat().st_mode) == 0o640
        write_bytes(tmp_path / "new", b"x")
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) & 0o444

    @pytest.mark.parametrize(
        ("place", "reason"),
        [
            ("no/such/folder/a.yaml", "No such file or directory"),
            ("", "Is a directory"),
            ("a\0b", "null"),
            ("x" * 300, "File name too long"),
        ],
        ids=["folder", "directory", "nul", "long"],
    )
    def test_places_that_cannot_be_written(self, tmp_path: Path, place: str, reason: str) -> None:
        with pytest.raises(SpecError, match=f"cannot be written: .*{reason}.*; choose another place"):
            write_text(f"{tmp_path}/{place}", "text")
