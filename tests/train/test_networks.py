"""What is trained: specs and timm's models; and what a run begins with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from runs import Notes, run
from safetensors import safe_open
from safetensors.torch import save_file

import hiri_spec
from hiri_spec import SpecError, from_pretrained
from hiri_spec.train.networks import Network, read_network, save_weights, set_checkpointing, start_from
from hiri_spec.train.recipe import Recipe
from hiri_spec.train.run import TrainResult
from hiri_spec.train.run_folder import RunFolder
from hiri_spec.transforms import scale


def recipe(**fields: Any) -> Recipe:
    return Recipe.model_validate({"name": "a", **fields})


def test_the_recipe_has_the_last_word() -> None:
    spec, size, channels = read_network("hiri_s", recipe(resolution=96, drop_path_rate=0.3), print)
    assert isinstance(spec, hiri_spec.ModelSpec)
    assert (spec.resolution, spec.drop_path_rate, size, channels) == (96, 0.3, (96, 96), 3)
    spec, size, _ = read_network("hiri_s", recipe(), print, set={"in_channels": 1, "resolution": [64, 96]})
    assert isinstance(spec, hiri_spec.ModelSpec)
    assert (spec.in_channels, spec.drop_path_rate, size) == (1, 0, (64, 96))


def test_timms_own_where_both_have_it() -> None:
    notes: list[str] = []
    assert read_network("timm:pvt_v2_b0", recipe(resolution=64), notes.append)[:2] == ("pvt_v2_b0", (64, 64))
    assert notes == []
    assert isinstance(read_network("pvt_v2_b0", recipe(), notes.append)[0], hiri_spec.ModelSpec)
    assert "pvt_v2_b0 is a spec and a timm model; the spec is built" in notes[0]


def test_a_timm_model_of_a_fixed_size() -> None:
    name, size, channels = read_network("vit_tiny_patch16_224", recipe(resolution=64), print)
    model = Network(name, size, channels, 5, 0.1).build()
    assert model(torch.zeros(2, 3, 64, 64)).shape == (2, 5)


def test_what_a_timm_model_does_not_take() -> None:
    with pytest.raises(SpecError, match=r"drop_path_rate: timm's vgg11 refuses: .*drop_path_rate"):
        Network("vgg11", (64, 64), 3, 5, 0.1).build()


def test_a_timm_model_is_trained(files: Path) -> None:
    """Its weights load into a model of timm's, and a run can begin from them."""
    run(files, network="timm:test_resnet", flags={"epochs": 2, "resolution": 64})
    place = files / "run" / "best" / "model.safetensors"
    model = timm.create_model("test_resnet", num_classes=4, checkpoint_path=str(place))
    assert model.num_classes == 4
    with safe_open(place, "pt") as stored:
        assert stored.metadata()["timm.model"] == "test_resnet"
        assert stored.metadata()["timm.img_size"] == "64x64"
    described = RunFolder(files / "run").read_run()
    assert (described.source, described.network, described.classes) == ("timm", "test_resnet", 4)
    fresh = Network("test_resnet", (64, 64), 3, 4, None).build()
    found, report = start_from(fresh, str(files / "run"))
    assert (found.parent.name, report.new) == ("best", ())


def test_beginning_from_a_run_at_another_resolution(finished: tuple[Path, TrainResult], tmp_path: Path) -> None:
    folder, _ = finished
    notes = Notes()
    options: dict[str, Any] = {"flags": {"resolution": 48, "epochs": 2}, "init_from": folder / "run"}
    run(folder, str(tmp_path / "fine"), watcher=notes, **options)
    assert notes.notes[0].startswith(f"weights of {folder / 'run' / 'best' / 'model.safetensors'}\ncarried: ")
    assert "new: 0 tensors" in notes.notes[0]
    assert from_pretrained(tmp_path / "fine" / "last").spec.resolution == 48
    assert run(folder, str(tmp_path / "fine"), **options).status == "already_finished"
    with pytest.raises(SpecError, match=r'init_from was .*run", is –'):
        run(folder, str(tmp_path / "fine"), flags=options["flags"])


@pytest.mark.parametrize("network", ["mini.yaml", "timm:test_resnet"], ids=["spec", "timm"])
def test_two_runs_write_the_same_weights(network: str, files: Path) -> None:
    """Byte for byte."""
    name = network if network.startswith("timm:") else str(files / network)
    contents = {
        (run(files, out, network=name, flags={"epochs": 2}).out / "last" / "model.safetensors").read_bytes()
        for out in ("a", "b", "c")
    }
    assert len(contents) == 1


def test_a_start_is_what_was_saved(finished: tuple[Path, TrainResult]) -> None:
    place = finished[0] / "run" / "best"
    model = hiri_spec.build(RunFolder(finished[0] / "run").read_spec())
    _, report = start_from(model, str(place))
    assert report.new == ()
    torch.testing.assert_close(dict(model.state_dict()), dict(from_pretrained(place).state_dict()), rtol=0, atol=0)


def test_a_scaled_network_begins_from_its_original(tmp_path: Path) -> None:
    """As much is carried over as by the rules that scaled it."""
    original = hiri_spec.build("pvt_v2_b0")
    save_weights(original, Network(original.spec, (224, 224), 3, 1000, None), tmp_path)
    scaled = scale("pvt_v2_b0", resolution=448)
    by_rule, by_file = hiri_spec.build(scaled.spec), hiri_spec.build(scaled.spec)
    carried = hiri_spec.carry_weights(by_rule, scaled, original.state_dict())
    _, report = start_from(by_file, str(tmp_path))
    assert report.params == carried.params > 1_000_000


@pytest.mark.parametrize("classes", [1000, 10])
def test_a_scaled_network_begins_from_timms_own_file(classes: int, tmp_path: Path) -> None:
    theirs = timm.create_model("pvt_v2_b0", num_classes=classes)
    save_file(theirs.state_dict(), tmp_path / "pvt.safetensors")
    original = hiri_spec.build("pvt_v2_b0", classes=classes)
    hiri_spec.load_timm_weights(original, theirs.state_dict())
    scaled = scale(hiri_spec.load("pvt_v2_b0", set={"resolution": 64, "head.classes": classes}), resolution=128)
    by_rule, by_file = hiri_spec.build(scaled.spec), hiri_spec.build(scaled.spec)
    carried = hiri_spec.carry_weights(by_rule, scaled, original.state_dict())
    _, report = start_from(by_file, str(tmp_path / "pvt.safetensors"))
    assert report.params == carried.params > 1_000_000
    mine, expected = by_file.state_dict(), by_rule.state_dict()
    assert all(torch.equal(mine[each.name], expected[each.name]) for each in report.carried)


def test_a_spec_of_other_classes_begins_from_timms_own_file(tmp_path: Path) -> None:
    torch.save(timm.create_model("pvt_v2_b0").state_dict(), tmp_path / "pvt.pt")
    _, report = start_from(hiri_spec.build("pvt_v2_b0", classes=10), str(tmp_path / "pvt.pt"))
    assert {each.name for each in report.new} == {"head.fc.weight", "head.fc.bias"}
    assert [change.path for change in report.changes] == ["head.classes"]


def test_a_spec_that_is_not_built_in_begins_from_timms_tensors(tmp_path: Path) -> None:
    theirs = timm.create_model("pvt_v2_b0", depths=(1, 1, 3, 1)).state_dict()
    torch.save(theirs, tmp_path / "pvt.pt")
    depths = {f"stages.{stage}.0.depth": depth for stage, depth in enumerate((1, 1, 3, 1))}
    own = hiri_spec.build(hiri_spec.load("pvt_v2_b0", set=depths | {"head.classes": 10}))
    _, report = start_from(own, str(tmp_path / "pvt.pt"))
    assert {each.name for each in report.new} == {"head.fc.weight", "head.fc.bias"}
    with pytest.raises(SpecError, match=r"If they are timm's, of a model that no built-in spec is: load them into"):
        start_from(hiri_spec.build("tiny"), str(tmp_path / "pvt.pt"))


def test_a_timm_model_begins_from_timms_own_file(tmp_path: Path) -> None:
    save_file(timm.create_model("pvt_v2_b0").state_dict(), tmp_path / "pvt.safetensors")
    model = Network("pvt_v2_b0", (64, 64), 3, 1000, None).build()
    assert start_from(model, str(tmp_path / "pvt.safetensors"))[1].new == ()


@pytest.mark.parametrize("is_spec", [True, False], ids=["spec", "timm"])
def test_nothing_fits(is_spec: bool, tmp_path: Path) -> None:
    torch.save({"other.weight": torch.zeros(3)}, tmp_path / "w.pt")
    model = hiri_spec.build("tiny") if is_spec else timm.create_model("test_resnet")
    with pytest.raises(SpecError, match=r"w.pt --init-from: nothing in it fits this network") as caught:
        start_from(model, str(tmp_path / "w.pt"))
    assert ("hiri_spec.load_timm_weights" in str(caught.value)) == is_spec


def test_a_network_without_gradient_checkpointing() -> None:
    with pytest.raises(SpecError, match=r"--checkpoint-grad: this network has no gradient checkpointing"):
        set_checkpointing(torch.nn.Linear(2, 2))
