"""`load_weights` takes a model's own weights from files of several kinds, whole, and refuses any others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import SMALL, built
from safetensors.torch import save_file
from torch import Tensor, nn

import hiri_spec
from hiri_spec import SpecError

State = dict[str, Tensor]


def copied(model: nn.Module) -> State:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def assert_equal(one: State, other: State) -> None:
    assert one.keys() == other.keys()
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def edited(changes: dict[str, Any], *, name: str = "other") -> dict[str, Any]:
    """The small network with some values changed."""
    return hiri_spec.files.to_data(hiri_spec.files.as_spec({**SMALL, "name": name}, set=changes))


FORMATS: dict[str, tuple[str, Callable[[nn.Module, Path], None]]] = {
    "folder": ("", lambda model, path: model.save_pretrained(path)),
    "file": ("model.safetensors", lambda model, path: model.save_pretrained(path.parent)),
    "safetensors": ("a.safetensors", lambda model, path: save_file(model.state_dict(), path)),
    "pt": ("a.pt", lambda model, path: torch.save(model.state_dict(), path)),
    "pth": ("a.pth", lambda model, path: torch.save(model.state_dict(), path, _use_new_zipfile_serialization=False)),
    "state_dict": ("a.pth.tar", lambda model, path: torch.save({"epoch": 3, "state_dict": model.state_dict()}, path)),
    "model": ("a.bin", lambda model, path: torch.save({"model": model.state_dict(), "args": {"lr": 0.1}}, path)),
    "parallel": ("a.pt", lambda model, path: torch.save(nn.DataParallel(model).state_dict(), path)),
    "compiled": ("a.pt", lambda model, path: torch.save(torch.compile(model).state_dict(), path)),
    "both": ("a.pt", lambda model, path: torch.save(prefixed(model, "module._orig_mod."), path)),
}


def prefixed(model: nn.Module, prefix: str) -> State:
    return {prefix + name: tensor for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize(("name", "save"), FORMATS.values(), ids=FORMATS)
def test_every_kind_of_file(tmp_path: Path, name: str, save: Callable[[nn.Module, Path], None]) -> None:
    source, model = built(), built(seed=1)
    save(source, tmp_path / name)
    hiri_spec.load_weights(model, tmp_path / name)
    assert_equal(model.state_dict(), source.state_dict())


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "other", "description": "another"},
        {"resolution": 96},
        {"drop_path_rate": 0.3},
        {"head": {"classes": 10, "drop_rate": 0.5}},
        {"stages.1.0.layer_scale": 0.5},
        {"stages.0.name": "blocks"},
    ],
    ids=["name", "resolution", "drop-path", "dropout", "layer-scale", "run-name"],
)
def test_what_no_weight_depends_on(tmp_path: Path, changes: dict[str, Any]) -> None:
    source, model = built(edited(changes)), built(seed=1)
    source.save_pretrained(tmp_path)
    hiri_spec.load_weights(model, tmp_path)
    assert_equal(model.state_dict(), source.state_dict())


def test_into_another_type_of_numbers(tmp_path: Path) -> None:
    source, model = built(), built(seed=1).half()
    source.save_pretrained(tmp_path)
    hiri_spec.load_weights(model, tmp_path)
    assert_equal(model.state_dict(), source.half().state_dict())


@pytest.mark.parametrize("options", [{"classes": 0}, {"features_only": True}], ids=["no-classes", "features"])
def test_classes_are_no_matter_without_a_classifier(tmp_path: Path, options: dict[str, Any]) -> None:
    source, model = built(edited({"head.classes": 77}), **options), built(seed=1, **options)
    source.save_pretrained(tmp_path)
    hiri_spec.load_weights(model, tmp_path)
    assert_equal(model.state_dict(), source.state_dict())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"stages.0.depth": 3}, "stages[0].depth: 3 in the file, 2 in the model"),
        ({"stages.1.1.heads": 4}, "stages[1][1].heads: 4 in the file, 3 in the model"),
        ({"stages.1.1.name": "early"}, "stages[1][1].name: early in the file, late in the model"),
        ({"stages.0.activation": "relu"}, "stages[0].activation: relu in the file, – in the model"),
        ({"stages.1.0.layer_scale": None}, "stages[1][0].layer_scale: – in the file, 1 in the model"),
        ({"head.classes": 3}, "head.classes: 3 in the file, 10 in the model"),
        ({"in_channels": 1}, "in_channels: 1 in the file, – in the model"),
    ],
    ids=["depth", "heads", "run-name", "activation", "layer-scale", "classes", "channels"],
)
def test_another_spec_is_refused_with_the_differences(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    built(edited(changes)).save_pretrained(tmp_path)
    model = built(seed=1)
    before = copied(model)
    with pytest.raises(
        SpecError, match=r"the spec inside, other, is another than the model's; nothing was loaded"
    ) as e:
        hiri_spec.load_weights(model, tmp_path)
    assert [str(problem) for problem in e.value.problems[:-1]] == [told]
    assert_equal(model.state_dict(), before)


def test_every_tensor_that_does_not_fit_is_told(tmp_path: Path) -> None:
    model = built(seed=1)
    before = copied(model)
    state = copied(built())
    state["head.fc.weight"] = torch.zeros(3, 32)
    state["stem.norm.bias"] = state["stem.norm.bias"].long()
    state["more"] = torch.zeros(())
    del state["stem.conv.weight"], state["stages.1.late.0.mlp.mix.bias"]
    torch.save(state, tmp_path / "a.pt")
    with pytest.raises(SpecError, match="missing from the file") as caught:
        hiri_spec.load_weights(model, tmp_path / "a.pt")
    assert [str(problem) for problem in caught.value.problems] == [
        "stem.conv.weight: missing from the file: (8, 3, 3, 3) here",
        "stages.1.late.0.mlp.mix.bias: missing from the file: (96,) here",
        "stem.norm.bias: of another type: of floats here, of whole numbers there",
        "head.fc.weight: of another shape: (10, 32) here, (3, 32) there",
        "more: not in the model: () there",
        f"{tmp_path / 'a.pt'}: nothing was loaded; hiri_spec.transfer_weights(model, path) carries over what fits",
    ]
    assert_equal(model.state_dict(), before)


def test_a_head_that_the_model_does_not_have(tmp_path: Path) -> None:
    built().save_pretrained(tmp_path)
    with pytest.raises(SpecError, match=r"head\.norm\.weight: not in the model: \(32,\) there"):
        hiri_spec.load_weights(hiri_spec.build(SMALL, features_only=True), tmp_path)


class Runs:
    """What a hostile file would have run."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("1/0",)


@pytest.mark.parametrize(
    ("name", "write", "match"),
    [
        ("a.pt", lambda path: torch.save({"a": Runs()}, path), "holds objects that would have to be run"),
        ("a.pt", lambda path: path.write_bytes(b""), "or is cut short"),
        ("a.pt", lambda path: path.write_bytes(b"PK\3\4 no zip"), "or is cut short"),
        ("a.txt", lambda path: path.write_text("hello\n"), "no torch file of plain tensors|nor a torch state dict"),
        ("a.pt", lambda path: torch.save([1, 2], path), "list is no state dict"),
        ("a.pt", lambda path: torch.save({}, path), "there is nothing in it"),
        ("a.pt", lambda path: torch.save({"epoch": 1, "best": 0.5}, path), "not only tensors but epoch, best in it"),
        ("a.pt", lambda path: path.mkdir(), r"a\.pt: has no model\.safetensors in it"),
        ("a.pt", lambda path: None, r"a\.pt: no such file or folder"),
    ],
    ids=["code", "empty", "zip", "text", "list", "nothing", "no-tensors", "folder", "absent"],
)
def test_files_without_weights(tmp_path: Path, name: str, write: Callable[[Path], object], match: str) -> None:
    write(tmp_path / name)
    model = built()
    with pytest.raises(SpecError, match=match):
        hiri_spec.load_weights(model, tmp_path / name)
    assert_equal(model.state_dict(), built().state_dict())


def test_a_torch_file_cut_short(tmp_path: Path) -> None:
    torch.save(built().state_dict(), tmp_path / "a.pt")
    content = (tmp_path / "a.pt").read_bytes()
    (tmp_path / "a.pt").write_bytes(content[: len(content) // 2])
    with pytest.raises(
        SpecError, match=r"a\.pt: is neither a safetensors file nor a torch state dict, or is cut short"
    ):
        hiri_spec.load_weights(built(), tmp_path / "a.pt")


def test_misuse(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"path: OrderedDict is no path; a state dict is loaded with model\.load_state"):
        hiri_spec.load_weights(built(), built().state_dict())  # type: ignore[arg-type]
    with pytest.raises(SpecError, match=r"model: 'hiri_s' is no model; build one with hiri_spec\.build"):
        hiri_spec.load_weights("hiri_s", tmp_path)  # type: ignore[arg-type]
    with torch.device("meta"):
        model = hiri_spec.build(SMALL)
    with pytest.raises(SpecError, match="model: is on the meta device"):
        hiri_spec.load_weights(model, tmp_path)
