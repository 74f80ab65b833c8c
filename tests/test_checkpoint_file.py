"""What is no checkpoint, or not a whole one, is told as such, with nothing loaded."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from checkpoints import built, edit_header
from safetensors.torch import save_file

import hiri_spec
from hiri_spec import SpecError
from hiri_spec.checkpoint_file import find_weights


class TestFinding:
    """What is not there, or is no checkpoint."""

    @pytest.mark.usefixtures("no_network")
    @pytest.mark.parametrize(
        ("source", "match"),
        [
            ("smal", r"smal: no such file or folder; did you mean 'small'\?"),
            ("small/modle.safetensors", r"no such file or folder; did you mean 'model\.safetensors'\?"),
            ("empty", r"empty: has no model\.safetensors in it; name the weights file"),
            ("others", r"others: has no model\.safetensors in it; in it: a\.pt, b\.safetensors"),
            ("others/a.pt", r"a\.pt: is no \.safetensors file, .* hiri_spec\.load_weights\(model, path\)"),
            ("hiri_s", r"source: hiri_s is a spec without weights, and no folder; hiri_spec\.build builds it"),
            ("a/b/c", r"a/b/c: no such file or folder$"),
            ("~/x", r"~/x: no such file or folder"),
            ("", r"the path is empty; name a file or a folder"),
            ("x\0y", r"no such file or folder|cannot be read"),
        ],
        ids=["typo", "file", "empty", "others", "torch", "spec", "deep", "home", "nothing", "null"],
    )
    def test_paths(self, saved: Path, monkeypatch: pytest.MonkeyPatch, source: str, match: str) -> None:
        monkeypatch.chdir(saved.parent)
        Path("empty").mkdir()
        Path("others").mkdir()
        torch.save({}, "others/a.pt")
        save_file({"a": torch.zeros(1)}, "others/b.safetensors")
        with pytest.raises(SpecError, match=match):
            hiri_spec.from_pretrained(source)

    def test_only_what_may_hold_weights_is_suggested(self, tmp_path: Path) -> None:
        for folder in ("bin", "net", "runs/best", "training/last"):
            (tmp_path / folder).mkdir(parents=True)
        (tmp_path / "notes.txt").touch()
        with pytest.raises(SpecError, match=r"xx\.pt: no such file or folder$"):
            find_weights(tmp_path / "xxxxxxxxxxxxxxxx.pt")
        for file in ("old.pth", "runs/best/model.safetensors", "training/last/model.safetensors"):
            (tmp_path / file).touch()
        (tmp_path / "net" / "model.safetensors").touch()
        with pytest.raises(SpecError, match=r"xx\.pt: no such file or folder; known: net, old\.pth, runs, training$"):
            find_weights(tmp_path / "xxxxxxxxxxxxxxxx.pt")

    def test_no_path_at_all(self) -> None:
        with pytest.raises(SpecError, match="source: NoneType is no path; give a folder, a file or a hub repository"):
            hiri_spec.from_pretrained(None)  # type: ignore[arg-type]

    def test_no_spec_inside(self, tmp_path: Path) -> None:
        save_file(built().state_dict(), tmp_path / "model.safetensors")
        with pytest.raises(SpecError, match=r"no spec is inside; build its model and load it with hiri_spec.load_w"):
            hiri_spec.from_pretrained(tmp_path)

    def test_tensors_of_another_network(self, saved: Path) -> None:
        file = saved / "model.safetensors"
        text = hiri_spec.files.to_yaml(hiri_spec.load(saved / "spec.yaml", set={"stages.0.depth": 3}))
        edit_header(file, lambda header: header["__metadata__"].update({"hiri_spec.spec": text}))
        with pytest.raises(
            SpecError, match=r"stages\.0\.blocks\.2\.high\.mix\.weight: missing from the file"
        ) as caught:
            hiri_spec.from_pretrained(saved)
        assert str(caught.value).endswith("are not those of the spec inside, small; save the model anew")

    def test_a_spec_inside_that_no_machine_holds(self, saved: Path) -> None:
        text = hiri_spec.files.to_yaml(hiri_spec.load(saved / "spec.yaml", set={"stages.0.depth": 10**12}))
        edit_header(saved / "model.safetensors", lambda h: h["__metadata__"].update({"hiri_spec.spec": text}))
        with pytest.raises(SpecError, match=r"stages\.0\.blocks: more than 500,000 operations"):
            hiri_spec.from_pretrained(saved)

    def test_a_block_that_is_not_registered(self, saved: Path) -> None:
        text = (saved / "spec.yaml").read_text().replace("block: hr", "block: mine")
        edit_header(saved / "model.safetensors", lambda h: h["__metadata__"].update({"hiri_spec.spec": text}))
        with pytest.raises(
            SpecError, match=r"stages\[0\]\.block: unknown block 'mine'; .*\n.*: import the module that"
        ):
            hiri_spec.from_pretrained(saved)

    @pytest.mark.parametrize("text", ["{", '{"classes": 7}', '{"later": 1}'], ids=["json", "classes", "later"])
    def test_options_of_another_version(self, saved: Path, text: str) -> None:
        edit_header(saved / "model.safetensors", lambda h: h["__metadata__"].update({"hiri_spec.build": text}))
        with pytest.raises(SpecError, match=rf"written by hiri-spec {re.escape(hiri_spec.__version__)} in a way that"):
            hiri_spec.from_pretrained(saved)

    @pytest.mark.parametrize(
        ("damage", "match"),
        [
            (lambda b: b[:-5], r"is cut short: the tensors take [\d,]+ bytes, and [\d,]+ are there"),
            (lambda b: b[:500], r"is cut short: its header takes [\d,]+ bytes, and 492 are there"),
            (lambda b: b[:3], r"is no safetensors file, or was cut short at the very beginning"),
            (lambda b: b"", r"is no safetensors file"),
            (lambda b: b"<html>404</html>" * 9, r"is no safetensors file"),
            (lambda b: b + b"more", r"has more in it than tensors: the tensors take [\d,]+ bytes"),
            (lambda b: b.replace(b'"dtype":"F32"', b'"dtype":"F64"', 1), r"the place of \S+ doesn't fit its shape"),
            (lambda b: b.replace(b'"shape":[', b'"shape":{', 1), r"is damaged: its header can't be read"),
        ],
        ids=["end", "header", "start", "empty", "html", "more", "type", "json"],
    )
    @pytest.mark.parametrize("how", ["load", "build"])
    def test_damaged_files(self, saved: Path, damage: Callable[[bytes], bytes], match: str, how: str) -> None:
        file = saved / "model.safetensors"
        file.write_bytes(damage(file.read_bytes()))
        model = built()
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        with pytest.raises(SpecError, match=match):
            hiri_spec.load_weights(model, saved) if how == "load" else hiri_spec.from_pretrained(saved)
        assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
