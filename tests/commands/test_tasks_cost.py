"""`hiri-spec tasks cost` as users type it."""

from __future__ import annotations

import json
from functools import partial

import pytest
from told import Command


@pytest.fixture
def cost(hiri_spec_command: Command) -> Command:
    """Run `hiri-spec tasks cost`."""
    return partial(hiri_spec_command, "tasks", "cost")


def test_parts_and_what_was_taken_as_given(cost: Command) -> None:
    told = cost("tiny", "--size", "100", "130")
    assert told.status == 0
    assert told.err == ""
    lines = told.out.splitlines()
    assert lines[0] == (
        "tiny under Mask R-CNN (torchvision, 80 classes) on maps of stride 4, 8, 16, 32, 64, one image of 100x130, "
        "padded to 128x192"
    )
    rows = {line.split()[0]: line.split()[1:] for line in lines if line.startswith(("backbone", "neck", "head", "to"))}
    assert list(rows) == ["backbone", "neck", "head", "total"]
    for column in range(3):
        *parts, total = (float(row[column]) for row in rows.values())
        assert sum(parts) == pytest.approx(total, abs=0.11)
    assert "Taken as given: 1,000 proposals and 100 masks an image." in lines
    assert "Reading 1,100 regions off the maps interpolates: 0.281 GMACs more, not counted." in lines
    assert lines[-1] == "MACs as papers count GFLOPs: 1 multiply-add = 1; attention products are counted."


def test_stages_that_feed_nothing_are_told_with_the_way_to_keep_them(cost: Command) -> None:
    told = cost("tiny", "--head", "upernet", "--size", "64", "64")
    assert "The stage of stride 64 feeds nothing and is left out; --strides 4,8,16,32,64 keeps it." in told.out
    assert "M more parameters learn along and are not used in inference." in told.out
    kept = cost("tiny", "--head", "upernet", "--size", "64", "64", "--strides", "4,8,16,32,64")
    assert kept.status == 0
    assert "feeds nothing" not in kept.out


def test_json_has_the_integers(cost: Command) -> None:
    told = cost("timm:resnet18", "--head", "retinanet", "--size", "64", "96", "--classes", "7", "--json")
    own = json.loads(told.out)
    assert (own["name"], own["head"], own["host"], own["classes"]) == ("resnet18", "retinanet", "torchvision", 7)
    assert own["size"] == [64, 96]
    assert own["strides"] == [8, 16, 32]
    assert own["macs"] == sum(part["macs"] for part in own["parts"])
    assert own["params"] == sum(part["params"] for part in own["parts"])
    assert own["gmacs"] == round(own["macs"] / 1e9, 3)


def test_changes_are_costed(cost: Command) -> None:
    plain, changed = (
        json.loads(cost("tiny", "--size", "64", "64", "--json", *more).out)
        for more in ((), ("--set", "stages.3.depth=4"))
    )
    assert changed["parts"][0]["params"] > plain["parts"][0]["params"]
    assert changed["parts"][1:] == plain["parts"][1:]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing_such",), "error: 'nothing_such' is no file, no built-in spec and no timm model"),
        (("tiny", "--head", "retnanet"), "error: --head: 'retnanet' is no head; did you mean 'retinanet'"),
        (("tiny", "--host", "mmseg"), "error: --host: 'mmseg' has no mask_rcnn here; "),
        (("tiny", "--strides", "8;16"), "error: --strides: '8;16' are no strides; write them like 8,16,32"),
        (("tiny", "--strides", "8,32"), "error: --strides: [8, 32] must double from each to the next"),
        (("tiny", "--strides", "64,128"), "error: --strides: tiny has no map of stride 128; it has those of 4, 8"),
        (("tiny", "--size", "20", "64"), "error: --size: 20 is no side of an image; use 32 to 16,384 pixels"),
        (("timm:resnet18", "--set", "a=1"), "error: --set: a is of a spec, and resnet18 is a timm model"),
        (("timm:vit_tiny_patch16_224",), "error: --strides: mask_rcnn reads maps of stride 4, 8, 16, 32, and vit_"),
    ],
    ids=["network", "head", "host", "strides text", "strides", "no stride", "size", "set", "no maps"],
)
def test_mistakes_are_told_by_their_option(cost: Command, arguments: tuple[str, ...], message: str) -> None:
    told = cost(*arguments)
    assert (told.status, told.out) == (2, "")
    assert told.err.startswith(message)
    assert told.err.count("\n") == 1
