"""Checkpoints come back as the model that was saved, to the bit, or not at all."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from checkpoints import SMALL, assert_same, built, image, randomise
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

import hiri_spec
from hiri_spec import SpecError
from hiri_spec.nn.checkpoint import save_pretrained, write_weights
from hiri_spec.saving import replacing


def reset(classes: int, global_pool: str | None = None) -> Callable[..., nn.Module]:
    def build() -> nn.Module:
        model = hiri_spec.build(SMALL)
        model.reset_classifier(classes, global_pool)
        return randomise(model).eval()

    return build


FORMS: dict[str, Callable[[], nn.Module]] = {
    "as-is": built,
    "classes": lambda: built(classes=3),
    "no-classes": lambda: built(classes=0),
    "reset": reset(4),
    "reset-to-none": reset(0),
    "maximum": reset(4, "max"),
    "maps": reset(4, ""),
    "features": lambda: built(features_only=True),
    "some-features": lambda: built(features_only=True, out_indices=(0, -1)),
    "channels": lambda: built(in_channels=5),
    "drop-path": lambda: built(drop_path_rate=0.3),
    "streams": lambda: randomise(hiri_spec.build("hrnet_w18_small", features_only=True)).eval(),
}


each_writer = pytest.mark.parametrize(
    "write",
    [
        lambda folder: built(classes=3).save_pretrained(folder),
        lambda folder: write_weights(nn.Linear(2, 3), folder, {}),
    ],
    ids=["a model and its spec", "any module's weights"],
)


class TestRoundTrip:
    """What `save_pretrained` wrote is what `from_pretrained` builds."""

    @pytest.mark.parametrize("build", FORMS.values(), ids=FORMS)
    @pytest.mark.usefixtures("no_network")
    def test_every_form_of_a_model(self, tmp_path: Path, build: Callable[[], nn.Module]) -> None:
        model = build()
        model.save_pretrained(tmp_path)
        twin = hiri_spec.from_pretrained(tmp_path)
        assert_same(twin, model)
        assert not twin.training
        assert all(parameter.requires_grad for parameter in twin.parameters())

    def test_the_same_model_is_the_same_file(self, tmp_path: Path) -> None:
        """Whatever order safetensors gives the entries of its header, and whatever letters are in them."""
        model = built(SMALL | {"description": 'a "Maß" of \\ \x7f \u2028 🙂'})
        more = {f"{number} é\t\b\x1b": f'"\n{number}\x00' for number in range(20)}
        contents = set()
        for folder in map(str, range(4)):
            save_pretrained(model, tmp_path / folder, metadata=more)
            contents.add((tmp_path / folder / "model.safetensors").read_bytes())
        assert len(contents) == 1
        with safe_open(tmp_path / "0" / "model.safetensors", "pt") as file:
            assert more.items() <= file.metadata().items()
        assert_same(hiri_spec.from_pretrained(tmp_path / "0"), model)

    def test_drop_path_comes_back(self, tmp_path: Path) -> None:
        built(drop_path_rate=0.3).save_pretrained(tmp_path)
        rates = [m.drop_prob for n, m in hiri_spec.from_pretrained(tmp_path).named_modules() if n.endswith("drop_path")]
        assert rates[-1] == pytest.approx(0.3)

    @pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
    def test_the_type_of_numbers_comes_back(self, tmp_path: Path, dtype: torch.dtype) -> None:
        model = built().to(dtype)
        model.save_pretrained(tmp_path)
        twin = hiri_spec.from_pretrained(tmp_path)
        with torch.no_grad():
            assert torch.equal(twin(image(model).to(dtype)), model(image(model).to(dtype)))
        fresh = hiri_spec.from_pretrained(tmp_path, classes=3)
        assert fresh(image(model).to(dtype)).dtype == dtype

    def test_mixed_types_of_numbers_come_back(self, tmp_path: Path) -> None:
        model = built()
        model.stages[2].half()
        model.save_pretrained(tmp_path)
        types = {name: tensor.dtype for name, tensor in model.state_dict().items()}
        assert {n: t.dtype for n, t in hiri_spec.from_pretrained(tmp_path).state_dict().items()} == types

    def test_from_another_layout_and_frozen(self, tmp_path: Path) -> None:
        model = built().to(memory_format=torch.channels_last).requires_grad_(False)
        model.save_pretrained(tmp_path)
        assert_same(hiri_spec.from_pretrained(tmp_path), model.to(memory_format=torch.contiguous_format))

    def test_the_file_alone_is_enough(self, saved: Path, tmp_path: Path) -> None:
        moved = (saved / "model.safetensors").rename(tmp_path / "other.safetensors")
        assert_same(hiri_spec.from_pretrained(moved), built())

    def test_the_spec_lies_beside_and_keeps_its_comments(self, tmp_path: Path) -> None:
        source = tmp_path / "mine.yaml"
        hiri_spec.save(SMALL, source)
        source.write_text("# my network\n" + source.read_text())
        hiri_spec.build(source).save_pretrained(tmp_path / "out")
        assert (tmp_path / "out" / "spec.yaml").read_text() == source.read_text()
        hiri_spec.from_pretrained(tmp_path / "out").save_pretrained(tmp_path / "again")
        assert (tmp_path / "again" / "spec.yaml").read_text() == source.read_text()

    def test_changing_the_file_later_does_not_change_the_model(self, saved: Path) -> None:
        twin = hiri_spec.from_pretrained(saved)
        file = saved / "model.safetensors"
        file.write_bytes(bytes(file.stat().st_size))
        assert_same(twin, built())

    def test_other_tools_can_read_it(self, saved: Path) -> None:
        with safe_open(saved / "model.safetensors", framework="pt") as opened:
            assert opened.metadata()["format"] == "pt"
        assert load_file(saved / "model.safetensors").keys() == built().state_dict().keys()


class TestOtherForms:
    """`from_pretrained` told to build another form than was saved."""

    @pytest.mark.parametrize("classes", [10, 3, 0])
    def test_classes(self, saved: Path, classes: int) -> None:
        model, saved_model = hiri_spec.from_pretrained(saved, classes=classes), built()
        assert model(image(model)).shape == (2, classes or 32)
        features = [each.forward_head(each.forward_features(image(each)), True) for each in (model, saved_model)]
        assert torch.equal(*features)
        if classes == 10:
            assert_same(model, saved_model)

    def test_features(self, saved: Path) -> None:
        model = hiri_spec.from_pretrained(saved, features_only=True, out_indices=(1,))
        with torch.no_grad():
            maps = built().forward_intermediates(image(model), [1], intermediates_only=True)
            assert torch.equal(model(image(model))[0], maps[0])

    def test_other_features(self, tmp_path: Path) -> None:
        built(features_only=True, out_indices=(0,)).save_pretrained(tmp_path)
        assert hiri_spec.from_pretrained(tmp_path, out_indices=(1, 2)).out_indices == [1, 2]

    def test_a_head_where_none_was_saved(self, tmp_path: Path) -> None:
        built(features_only=True).save_pretrained(tmp_path)
        model = hiri_spec.from_pretrained(tmp_path, features_only=False, classes=3)
        assert model(image(model)).shape == (2, 3)
        assert torch.equal(model.forward_features(image(model)), built().forward_features(image(model)))

    def test_drop_path(self, saved: Path) -> None:
        assert hiri_spec.from_pretrained(saved, drop_path_rate=0.2).spec.drop_path_rate == 0.2

    def test_no_folder(self) -> None:
        with pytest.raises(SpecError, match="folder: null is no path of a folder; give one"):
            built().save_pretrained(None)

    def test_what_no_spec_builds(self, tmp_path: Path) -> None:
        model = built()
        model.prune_intermediate_layers([0])
        with pytest.raises(SpecError, match="model: the model is pruned, and no spec builds that; build with features"):
            model.save_pretrained(tmp_path)
        assert not list(tmp_path.iterdir())

    def test_indices_that_are_not_there(self, saved: Path) -> None:
        with pytest.raises(SpecError, match="does not fit 3 stages"):
            hiri_spec.from_pretrained(saved, features_only=True, out_indices=(7,))

    def test_a_network_beyond_the_limits_of_build(self, tmp_path: Path) -> None:
        model = hiri_spec.build({**SMALL, "resolution": 10_000_000}, max_macs=float("inf"))
        model.save_pretrained(tmp_path)
        assert hiri_spec.from_pretrained(tmp_path).spec == model.spec


class TestSaving:
    """Nothing is written that could not be read again, and nothing half."""

    def test_an_edited_model(self, tmp_path: Path) -> None:
        model = hiri_spec.build(SMALL)
        model.head.fc = nn.Linear(32, 5)
        model.stem.conv = nn.Identity()
        with pytest.raises(SpecError, match=r"whose tensors it no longer describes") as caught:
            model.save_pretrained(tmp_path / "out")
        told = str(caught.value)
        assert "head.fc.weight: of another shape: (10, 32) here, (5, 32) there" in told
        assert "stem.conv.weight: missing from the model: (8, 3, 3, 3) here" in told
        assert not (tmp_path / "out").exists()

    def test_a_model_without_values(self, tmp_path: Path) -> None:
        with torch.device("meta"):
            model = hiri_spec.build(SMALL)
        with pytest.raises(SpecError, match="model: is on the meta device, without any values"):
            model.save_pretrained(tmp_path)

    @pytest.mark.parametrize(
        ("place", "match"),
        [
            ("file", r"file: can't be made a folder: File exists; choose another place"),
            ("file/inside", r"inside: can't be made a folder: Not a directory"),
            ("taken", r"model\.safetensors: cannot be written: Is a directory"),
        ],
        ids=["file", "inside-a-file", "taken"],
    )
    @each_writer
    def test_places_that_cannot_be_written(
        self, tmp_path: Path, place: str, match: str, write: Callable[[Path], None]
    ) -> None:
        (tmp_path / "file").write_text("mine")
        (tmp_path / "taken" / "model.safetensors").mkdir(parents=True)
        with pytest.raises(SpecError, match=match):
            write(tmp_path / place)
        assert (tmp_path / "file").read_text() == "mine"
        assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "model.safetensors", "taken"]

    @pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError], ids=["ctrl-c", "memory"])
    @each_writer
    def test_interrupted(
        self,
        saved: Path,
        monkeypatch: pytest.MonkeyPatch,
        error: type[BaseException],
        write: Callable[[Path], None],
    ) -> None:
        before = {path.name: path.read_bytes() for path in saved.iterdir()}

        def stop(tensors: object, path: Path, metadata: object) -> None:
            path.write_bytes(b"half")
            raise error

        monkeypatch.setattr("hiri_spec.nn.checkpoint.save_file", stop)
        for folder in (saved, saved / "new" / "deep"):
            with pytest.raises(error, match=r"^$"):
                write(folder)
        assert {path.name: path.read_bytes() for path in saved.iterdir()} == before

    def test_a_full_disk(self, saved: Path) -> None:
        before = {path.name: path.read_bytes() for path in saved.iterdir()}
        code = (
            "import resource, sys, hiri_spec\n"
            f"model = hiri_spec.build({SMALL!r}, classes=3)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
            "try:\n    model.save_pretrained(sys.argv[1])\n"
            "except hiri_spec.SpecError as error:\n    print(error)\n"
        )
        command = [sys.executable, "-c", code, str(saved)]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert re.search(r"model\.safetensors: cannot be written: .*File too large.*; choose another place", told)
        assert {path.name: path.read_bytes() for path in saved.iterdir()} == before

    def test_the_error_inside_is_told_once(self, tmp_path: Path) -> None:
        with pytest.raises(SpecError, match=r"^the inner one$"), replacing(tmp_path / "a"):
            raise SpecError("the inner one")
        assert list(tmp_path.iterdir()) == []
