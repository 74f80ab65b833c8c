"""Changing values by dotted path: `set` in files and in Python, `--set` on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import hiri_spec
from hiri_spec import SpecError
from hiri_spec.errors import Path as SpecPath
from hiri_spec.files import as_spec, load_document, parse_assignments, parse_path

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


class TestSet:
    """`set=` in code and `--set` on the command line."""

    @pytest.mark.parametrize(
        ("changes", "path", "expected"),
        [
            ({"stages.1.1.depth": 7}, ("stages", 1, 1, "depth"), 7),
            ({"stages[1][1].depth": 7}, ("stages", 1, 1, "depth"), 7),
            ({"stages.-1.-1.depth": 7}, ("stages", 1, 1, "depth"), 7),
            ({"stem.norm": "batch"}, ("stem",), {"stem": "vit", "norm": "batch"}),
            ({"head.classes": 5}, ("head",), {"classes": 5}),
            (
                {"stages.1.0.downsample.kernel": 5},
                ("stages", 1, 0, "downsample"),
                {"downsample": "strided", "kernel": 5},
            ),
            ({"stages.0.width": 24, "stages.0.depth": 3}, ("stages", 0), {"block": "ffn", "depth": 3, "width": 24}),
            ({"name": "other"}, ("name",), "other"),
        ],
        ids=["dots", "brackets", "from-the-end", "shorthand", "left-out", "nested-shorthand", "two", "top"],
    )
    def test_values(self, folder: Path, changes: dict[str, Any], path: SpecPath, expected: object) -> None:
        document = load_document("small.yaml", set=changes)
        value = document.data
        for part in path:
            value = value[part]
        assert value == expected

    def test_the_given_data_are_left_as_they_were(self) -> None:
        data = {"extends": "hiri_s", "name": "mine", "head": {"classes": 3}}
        as_spec(data, set={"head.classes": 5})
        assert data == {"extends": "hiri_s", "name": "mine", "head": {"classes": 3}}

    def test_of_a_spec_object(self) -> None:
        spec = hiri_spec.load("hiri_s")
        assert as_spec(spec, set={"stages.3.depth": 12}).stages[3][0].depth == 12
        assert spec.stages[3][0].depth == 9
        assert as_spec(spec) is spec

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"stages.9.depth": 1}, r"^--set stages\.9\.depth: stages has 2 items, 0 to 1; there is no 9"),
            ({"stages.-3.depth": 1}, r"stages has 2 items, 0 to 1; there is no -3"),
            ({"stages.x": 1}, r"stages has 2 items, 0 to 1; there is no x"),
            ({"stages.0.wdth": 1}, r"^--set stages\[0\]\.wdth: block ffn has no field 'wdth'; did you mean 'width'"),
            ({"": 1}, r"has an empty name between its dots"),
            (
                {"stages..depth": 1},
                r"^--set stages\.\.depth: has an empty name between its dots; write it like stages\.3\.depth",
            ),
            ({"stages.0.depth": "x"}, r"^--set stages\[0\]\.depth: 'x' is not a whole number"),
        ],
        ids=["beyond", "before", "text-for-a-number", "typo", "empty", "empty-part", "wrong-type"],
    )
    def test_mistakes(self, folder: Path, changes: dict[str, Any], message: str) -> None:
        with pytest.raises(SpecError, match=message):
            hiri_spec.load("small.yaml", set=changes)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("stages.3.depth=12", {"stages.3.depth": 12}),
            ("resolution=[512, 1024]", {"resolution": [512, 1024]}),
            ("stages.0.layer_scale=1e-5", {"stages.0.layer_scale": 1e-5}),
            ("name=a", {"name": "a"}),
            (" name = a=b ", {"name": "a=b"}),
            ("description=", {"description": None}),
            ("stem={stem: hr, width: 32}", {"stem": {"stem": "hr", "width": 32}}),
        ],
    )
    def test_assignments(self, text: str, expected: dict[str, Any]) -> None:
        assert parse_assignments([text]) == expected

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("stages.3.depth", r"^--set: 'stages\.3\.depth' sets nothing; write PATH=VALUE, like stages\.3\.depth=12"),
            ("=12", r"^--set: '=12' sets nothing"),
            ("name=[1", r"^--set name: '\[1' is not one value; put text in quotes, and close every bracket"),
            ("name=!!python/none x", r"^--set name: the tag .* is not allowed"),
            ("name=.nan", r"^--set name: '\.nan' is no number of use here"),
        ],
    )
    def test_bad_assignments(self, text: str, message: str) -> None:
        with pytest.raises(SpecError, match=message):
            parse_assignments([text])

    @pytest.mark.parametrize(
        ("dotted", "expected"),
        [("stages.3.depth", ("stages", 3, "depth")), ("stages[-1][0].x", ("stages", -1, 0, "x")), ("a.٣", ("a", "٣"))],
    )
    def test_paths(self, dotted: str, expected: SpecPath) -> None:
        assert parse_path(dotted) == expected
