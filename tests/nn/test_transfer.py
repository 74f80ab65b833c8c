"""`transfer_weights` after edits: what stays, what is new, what goes, and why; nothing by a guess."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import SMALL, built
from hypothesis import HealthCheck, given, settings
from strategies import model_specs
from torch import Tensor, nn

import hiri_spec
from hiri_spec import ModelSpec, SpecError
from hiri_spec.files import SpecLike, as_spec
from hiri_spec.transforms import Transfer, find_carried, scale

STAGES = SMALL["stages"]
FRONT = {"block": "hr", "depth": 1, "width": 8}
WITH_A_STAGE_IN_FRONT = {**SMALL, "stages": [FRONT, {**STAGES[0], "downsample": "irds_a"}, *STAGES[1:]]}
SUM_NORM = [f"sum_norm.{name}" for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")]


def transfer(after: SpecLike, before: SpecLike = SMALL, **options: Any) -> Transfer:
    """Transfer from one network to another, and hold the report to what really happened."""
    other, model = built(before), built(after, seed=1)
    untouched = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    report = hiri_spec.transfer_weights(model, other, **options)
    check(report, model, untouched, other.state_dict())
    return report


def check(report: Transfer, model: nn.Module, untouched: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> None:
    state = model.state_dict()
    assert {tensor.name for tensor in report.carried} | {tensor.name for tensor in report.new} == state.keys()
    assert len(report.carried) + len(report.new) == len(state)
    for tensor in report.carried:
        assert torch.equal(state[tensor.name], other[tensor.counterpart])
        assert tensor.why == ""
    for tensor in report.new:
        assert torch.equal(state[tensor.name], untouched[tensor.name])
        assert tensor.why
    used = {tensor.counterpart for tensor in report.carried}
    assert {tensor.name for tensor in report.dropped} == other.keys() - used
    assert all(tensor.why for tensor in report.dropped)
    learned = sum(parameter.numel() for parameter in model.parameters())
    assert report.params + report.new_params == learned
    assert sum(other[tensor.counterpart].numel() for tensor in report.carried if tensor.params) == report.params


def places(tensors: tuple[Any, ...], depth: int = 4) -> set[str]:
    """The module paths of tensors, cut to so many components."""
    return {".".join(tensor.name.split(".")[:depth]) for tensor in tensors}


def whys(tensors: tuple[Any, ...]) -> dict[str, str]:
    return {tensor.name: tensor.why for tensor in tensors}


class TestEdits:
    """One edit at a time."""

    def test_none(self) -> None:
        report = transfer(SMALL)
        assert (report.new, report.dropped, report.changes) == ((), (), ())
        assert report.params == hiri_spec.cost(SMALL).params
        assert str(report).splitlines()[1:] == [
            "new: 0 tensors, 0 parameters",
            "dropped: 0 tensors, 0 parameters",
        ]

    def test_a_deeper_run(self) -> None:
        report = transfer(as_spec(SMALL, set={"stages.0.depth": 3}))
        assert places(report.new) == {"stages.0.blocks.2"}
        assert set(whys(report.new).values()) == {"no such name in the other"}
        assert report.dropped == ()
        assert [change.path for change in report.changes] == ["stages[0].depth"]

    def test_a_shallower_run(self) -> None:
        report = transfer(as_spec(SMALL, set={"stages.0.depth": 1}))
        assert report.new == ()
        assert places(report.dropped) == {"stages.0.blocks.1"}
        assert set(whys(report.dropped).values()) == {"no such name in the model"}

    def test_other_classes(self) -> None:
        report = transfer(as_spec(SMALL, set={"head.classes": 3}))
        told = {
            "head.fc.weight": "of another shape: (3, 32) here, (10, 32) there",
            "head.fc.bias": "of another shape: (3,) here, (10,) there",
        }
        assert whys(report.new) == whys(report.dropped) == told

    def test_a_wider_stage(self) -> None:
        report = transfer(as_spec(SMALL, set={"stages.2.width": 48}))
        layers = {tensor.name.rpartition(".")[0] for tensor in report.carried if tensor.name.startswith("stages.2")}
        # a downsampling begins at the old width; a table of positions has a column a head, however wide
        first = {f"stages.2.downsample.{name}" for name in ("expand", "norm", "reduce")}
        assert layers == first | {f"stages.2.blocks.0.{name}.attention.attend" for name in ("straight", "shifted")}
        assert places(report.new, 2) == {"stages.2", "head.norm", "head.fc"}
        assert all("here" in tensor.why for tensor in report.new)

    def test_a_run_put_first_keeps_a_named_one(self) -> None:
        stage = [
            {**STAGES[1][0], "block": "hr"},
            {k: v for k, v in STAGES[1][0].items() if k != "downsample"},
            STAGES[1][1],
        ]
        report = transfer({**SMALL, "stages": [STAGES[0], stage, STAGES[2]]})
        assert places(report.new, 3) == {"stages.1.blocks", "stages.1.cffn"}
        assert places(report.dropped, 3) == {"stages.1.blocks"}
        assert whys(report.new)["stages.1.blocks.0.high.mix.weight"] == "hr here, cffn there"
        assert whys(report.new)["stages.1.cffn.0.norm.weight"] == "the other has no cffn in stages.1"
        assert set(whys(report.dropped).values()) == {"hr here, cffn there"}

    def test_a_run_by_another_name(self) -> None:
        report = transfer(as_spec(SMALL, set={"stages.1.1.name": "attention"}))
        assert set(whys(report.new).values()) == {"the other has no attention in stages.1"}
        assert set(whys(report.dropped).values()) == {"the model has no late in stages.1"}

    def test_a_stage_put_in_front(self) -> None:
        report = transfer(WITH_A_STAGE_IN_FRONT)
        sources = {tensor.name: tensor.counterpart for tensor in report.carried}
        assert sources["stages.2.late.0.mlp.mix.bias"] == "stages.1.late.0.mlp.mix.bias"
        assert sources["stages.3.downsample.norm.weight"] == "stages.2.downsample.norm.weight"
        assert places(report.new, 3) == {"stages.0.blocks", "stages.1.downsample"} | {
            f"stem.{name}" for name in ("high.reduce", "low.project", *SUM_NORM)
        }
        new = whys(report.new)
        assert new["stages.0.blocks.0.high.mix.weight"] == "no stage like it in the other"
        assert new["stages.1.downsample.expand.weight"] == "the other has no downsample in stages.0"
        assert places(report.dropped, 1) == {"stem"}

    def test_a_stage_taken_out(self) -> None:
        before = {**SMALL, "stages": [STAGES[0], STAGES[1], {**STAGES[2], "width": 64}, STAGES[2]]}
        report = transfer(SMALL, before)
        sources = {tensor.name: tensor.counterpart for tensor in report.carried}
        assert sources["stages.2.blocks.0.straight.mlp.norm.bias"] == "stages.3.blocks.0.straight.mlp.norm.bias"
        assert places(report.new, 3) == {"stages.2.downsample"}  # from another width
        whole = {tensor.why for tensor in report.dropped if tensor.name.startswith("stages.2")}
        assert whole == {"no stage like it in the model"}

    @pytest.mark.parametrize(
        ("changes", "new"),
        [
            ({"stem": "vit"}, "stem"),
            ({"stages.2.downsample": "strided"}, "stages.2.downsample"),
            ({"stages.0.block": "cffn"}, "stages.0.blocks"),
        ],
        ids=["stem", "downsample", "block"],
    )
    def test_a_part_of_another_type_is_new_as_a_whole(self, changes: dict[str, Any], new: str) -> None:
        report = transfer(as_spec(SMALL, set=changes))
        assert places(report.new, 3 if "." in new else 1) == {new}
        assert all(" here, " in tensor.why for tensor in report.new)

    def test_another_norm_is_new_as_a_whole(self) -> None:
        report = transfer(as_spec(SMALL, set={"head": {"classes": 10, "norm": "layer"}}))
        assert whys(report.new) == {
            "head.norm.weight": "its layer is another there: running_mean is only there",
            "head.norm.bias": "its layer is another there: running_mean is only there",
        }
        report = transfer(SMALL, as_spec(SMALL, set={"head": {"classes": 10, "norm": "layer"}}))
        new = whys(report.new)
        assert new["head.norm.weight"] == "its layer is another there: running_mean is missing"
        assert new["head.norm.running_var"] == "no such name in the other"

    def test_heads_are_carried_and_told(self) -> None:
        report = transfer(as_spec(SMALL, set={"stages.1.1.heads": 4}))
        assert report.new == ()
        assert [str(change.path) for change in report.changes] == ["stages[1][1].heads"]
        assert str(report).endswith("the specs differ:\n  stages[1][1].heads: 3 → 4")

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        before=model_specs(max_width=16, max_depth=2, max_stages=3),
        after=model_specs(max_width=16, max_depth=2, max_stages=3),
    )
    def test_between_any_two_networks_the_report_is_true(self, before: ModelSpec, after: ModelSpec) -> None:
        assert str(transfer(after, before)).startswith("carried: ")


class TestPlaces:
    """The user says what is what."""

    def test_a_block_put_in_the_middle(self) -> None:
        report = transfer(
            as_spec(SMALL, set={"stages.0.depth": 3}),
            places={"stages.0.blocks.1": None, "stages.0.blocks.2": "stages.0.blocks.1"},
        )
        assert places(report.new) == {"stages.0.blocks.1"}
        assert set(whys(report.new).values()) == {"new as asked for in places"}
        assert report.dropped == ()

    def test_a_run_by_another_name(self) -> None:
        spec = as_spec(SMALL, set={"stages.1.1.name": "attention"})
        assert transfer(spec, places={"stages.1.attention": "stages.1.late"}).new == ()

    @pytest.mark.parametrize(
        ("given", "match"),
        [
            ({"stages.0.blokcs": None}, r"places: 'stages\.0\.blokcs' is no module with weights in the model; did you"),
            ({"stem": "stam"}, r"places: 'stam' is no module with weights in the other; did you mean 'stem'"),
        ],
        ids=["here", "there"],
    )
    def test_places_that_are_not_there(self, given: dict[str, str | None], match: str) -> None:
        model, before = built(), built().state_dict()
        with pytest.raises(SpecError, match=match):
            hiri_spec.transfer_weights(model, built(seed=1), places=given)
        assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


class TestSources:
    """What weights can be carried over from."""

    AFTER = as_spec(SMALL, set={"stages.0.depth": 3, "stages.2.width": 48})

    @pytest.mark.parametrize("kind", ["model", "state-dict", "nested", "folder", "torch-file"])
    def test_they_all_give_the_same(self, tmp_path: Path, kind: str) -> None:
        other = built()
        other.save_pretrained(tmp_path)
        torch.save({"state_dict": other.state_dict()}, tmp_path / "a.pt")
        sources = {
            "model": other,
            "state-dict": other.state_dict(),
            "nested": {"model": {f"module.{name}": tensor for name, tensor in other.state_dict().items()}, "epoch": 3},
            "folder": tmp_path,
            "torch-file": str(tmp_path / "a.pt"),
        }
        report = hiri_spec.transfer_weights(built(self.AFTER, seed=1), sources[kind])
        expected = hiri_spec.transfer_weights(built(self.AFTER, seed=1), other)
        assert report.carried == expected.carried
        assert whys(report.new).keys() == whys(expected.new).keys()
        assert sorted(whys(report.dropped)) == sorted(whys(expected.dropped))
        assert bool(report.changes) == (kind in ("model", "folder"))

    def test_a_state_dict_with_its_spec(self) -> None:
        after = WITH_A_STAGE_IN_FRONT
        state = built().state_dict()
        known = hiri_spec.transfer_weights(built(after, seed=1), state, other_spec=SMALL)
        assert known == hiri_spec.transfer_weights(built(after, seed=1), built())
        assert known.params > hiri_spec.transfer_weights(built(after, seed=1), state).params

    def test_models_of_other_forms(self) -> None:
        model = hiri_spec.build(SMALL, features_only=True)
        report = hiri_spec.transfer_weights(model, built())
        assert report.new == ()
        assert places(report.dropped, 1) == {"head"}
        report = hiri_spec.transfer_weights(hiri_spec.build(SMALL), model)
        assert places(report.new, 1) == {"head"}

    def test_any_torch_module(self) -> None:
        model, other = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4)), nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 5))
        report = hiri_spec.transfer_weights(model, other)
        assert [tensor.name for tensor in report.carried] == ["0.weight", "0.bias"]
        assert torch.equal(model[0].weight, other[0].weight)

    @pytest.mark.parametrize("name", ["pvt_v2_b0", "swin_tiny_patch4_window7_224"])
    def test_scaled_networks_keep_what_carry_weights_does(self, name: str) -> None:
        scaled = scale(name)
        with torch.device("meta"):
            original, model = hiri_spec.build(name), hiri_spec.build(scaled.spec)
        original, model = original.to_empty(device="cpu"), model.to_empty(device="cpu")
        report = hiri_spec.transfer_weights(model, original)
        carried = find_carried(scaled)
        sources = {tensor.name.rpartition(".")[0]: tensor.counterpart.rpartition(".")[0] for tensor in report.carried}
        assert {place: sources[place] for place in carried.places} == carried.places
        assert report.params >= carried.params

    @pytest.mark.parametrize(
        ("other", "match"),
        [
            (3, "other: int is no model, state dict or path; give one of them"),
            ({"a": 1}, "other: is no state dict: there is not only tensors but a in it"),
            ("nowhere", "nowhere: no such file or folder"),
            (nn.Linear(2, 2, device="meta"), "other: is on the meta device, without any values"),
            ({"a": torch.zeros(2, device="meta")}, "other: is on the meta device, without any values"),
        ],
        ids=["number", "no-tensors", "path", "meta-model", "meta-tensors"],
    )
    def test_misuse(self, other: Any, match: str) -> None:
        with pytest.raises(SpecError, match=match):
            hiri_spec.transfer_weights(built(), other)


def test_the_report_reads_well() -> None:
    report = transfer(as_spec(SMALL, set={"stages.0.depth": 3, "head.classes": 3}))
    carried, new = report.params, report.new_params
    assert report.dropped_params == 330
    shapes = "of another shape: (3, 32) here, (10, 32) there, as of head.fc.weight"
    assert str(report).splitlines() == [
        f"carried: {len(report.carried)} tensors, {carried / 1e3:.2f} k parameters",
        f"new: 13 tensors, {new / 1e3:.2f} k parameters",
        f"  stages.0.blocks.2: 11 tensors, {(new - 99) / 1e3:.2f} k parameters: no such name in the other",
        f"  head.fc: 2 tensors, 99 parameters: {shapes}",
        "dropped: 2 tensors, 330 parameters",
        f"  head.fc: 2 tensors, 330 parameters: {shapes}",
        "the specs differ:",
        "  head.classes: 10 → 3",
        "  stages[0].depth: 2 → 3",
    ]
