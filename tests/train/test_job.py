"""What a run is asked for is checked before its first step."""

from __future__ import annotations

from pathlib import Path

import pytest
from runs import STEPS, Notes, run

from hiri_spec import SpecError

UNMIXED = {"augmentation.mixup": 0, "augmentation.cutmix": 0, "schedule.warmup_epochs": 0}


def break_images(folder: Path, count: int) -> None:
    for number in range(count):
        (folder / "images" / "train" / "blue" / f"{number}.png").write_text("no image")


def test_more_images_may_be_unreadable_if_the_recipe_says_so(files: Path) -> None:
    break_images(files, 2)
    told = (
        r"2 of 48 images can't be read, and 1 may be passed over: .* or raise max_unreadable, a share, which is 0\.01"
    )
    with pytest.raises(SpecError, match=told):
        run(files, flags={"epochs": 2})
    assert run(files, flags={"epochs": 2}, set={"max_unreadable": 0.05}).rows[-1]["unreadable"] == 2


@pytest.mark.parametrize(
    ("network", "accumulate", "message"),
    [
        ("tiny", 1, "tiny at 32 pixels normalises maps of a single position; use 2 or more, or a larger resolution"),
        ("tiny", 4, "tiny at 32 pixels normalises maps of a single position; use 8 or more, or a larger resolution"),
        ("timm:test_resnet", 1, "test_resnet at 32 pixels normalises maps of a single position; use 2 or more"),
    ],
    ids=["spec", "accumulated", "timm"],
)
def test_single_images_that_batch_norm_refuses(files: Path, network: str, accumulate: int, message: str) -> None:
    flags = {"batch_size": accumulate, "epochs": 1, "resolution": 32}
    notes = Notes()
    with pytest.raises(SpecError, match=rf"batch_size: each batch has one image, of which {message}"):
        run(files, network=network, flags=flags, set=UNMIXED | {"accumulate": accumulate}, watcher=notes)
    assert notes.start is None


def test_single_images_that_every_norm_takes(files: Path) -> None:
    flags = {"batch_size": 1, "epochs": 1, "resolution": 32}
    assert run(files, flags=flags, set=UNMIXED).status == "finished"


@pytest.mark.parametrize(
    ("recipe", "warmup", "note"),
    [
        (
            "",
            "warmup_epochs: 0.1",
            "takes 0.1 epochs instead; --set schedule.warmup_epochs=0 leaves it out",
        ),
        (
            "  schedule.warmup_steps: 9\n",
            "warmup_steps: 0",
            "--epochs 1 has 4 steps, which leaves nothing after the recipe's warm-up, so that is left out",
        ),
    ],
    ids=["epochs", "steps"],
)
def test_few_epochs_have_a_short_warm_up(recipe: str, warmup: str, note: str, files: Path) -> None:
    """--epochs 1 just works, and goes on as the same run."""
    with (files / "quick.yaml").open("a") as stream:
        stream.write(recipe)
    notes = Notes()
    assert run(files, flags={"epochs": 1}, watcher=notes).steps == STEPS
    assert notes.notes[0].endswith(note)
    assert warmup in (files / "run" / "recipe.yaml").read_text()
    assert run(files, flags={"epochs": 1}).status == "already_finished"


def test_epochs_that_the_warm_up_leaves_room_for_change_nothing(files: Path) -> None:
    notes = Notes()
    with pytest.raises(SpecError, match="nowhere"):
        run(files, flags={"epochs": 2}, init_from="nowhere", watcher=notes)
    assert notes.notes == []
