"""The augmentation's fields: what is refused and why, and that timm takes what is not."""

from __future__ import annotations

from typing import Any

import pytest
from timm.data.auto_augment import rand_augment_transform

from hiri_spec.document import Document
from hiri_spec.errors import SpecError
from hiri_spec.messages import validate_as
from hiri_spec.train.augmentation import Augmentation


def read(**values: Any) -> Augmentation:
    return validate_as(Augmentation, Document(values, {}, "recipe.yaml"), "recipe", "its fields")


def test_the_defaults_are_deits() -> None:
    chosen = Augmentation()
    assert (chosen.mixup, chosen.cutmix, chosen.mixing, chosen.cutmix_share) == (0.8, 1.0, 1.0, 0.5)
    assert (chosen.rand_augment, chosen.erasing, chosen.label_smoothing) == ("rand-m9-mstd0.5-inc1", 0.25, 0.1)
    assert (chosen.crop_scale, chosen.crop_fraction, chosen.interpolation) == ((0.08, 1.0), 0.875, "bicubic")


def test_every_field_says_what_it_is() -> None:
    assert [name for name, field in Augmentation.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"crop_scale": [0.5, 0.2]}, r"crop_scale: \[0.5, 0.2\] runs backwards; write \[0.2, 0.5\]"),
        ({"crop_scale": [0, 1]}, "crop_scale: .* leaves an image; keep it above 0 and at most 1"),
        ({"crop_scale": [0.5, 1.5]}, "crop_scale: .* leaves an image"),
        ({"crop_ratio": [0.01, 1]}, "crop_ratio: .* is no ratio of an image"),
        ({"crop_scale": 0.5}, "crop_scale: 0.5 is not a list"),
        ({"flip": 1.5}, "flip: 1.5 is too large; use 1 or less"),
        ({"erasing": -0.1}, "erasing: -0.1 is too small; use 0 or more"),
        ({"mixup": True}, "mixup: true is not a number"),
        ({"mixup": float("nan")}, "mixup"),
        ({"label_smoothing": 1}, "label_smoothing: 1 is too large; use less than 1"),
        ({"crop_fraction": 0}, "crop_fraction: 0 is too small; use more than 0"),
        ({"std": [0, 1, 1]}, r"std\[0\]: 0 is too small; use more than 0"),
        ({"interpolation": "nearest"}, "interpolation: 'nearest' is not known here; use 'bilinear'"),
        ({"cutmixs": 1}, "a recipe has no field 'cutmixs'; did you mean 'cutmix'"),
        ({"rand_augment": "rand-m9-mstd"}, "rand_augment: 'rand-m9-mstd' is not RandAugment in timm's notation"),
        ({"rand_augment": "original"}, "write it like rand-m9-mstd0.5-inc1, or null"),
        ({"rand_augment": "rand-m11"}, "'rand-m11' has m11; its magnitude must lie between 0 and 10"),
        ({"rand_augment": "rand-n0"}, "has n0; its number of distortions must lie between 1 and 20"),
        ({"rand_augment": "rand-p1.5"}, "has p1.5; its probability must lie between 0 and 1"),
    ],
    ids=str,
)
def test_what_is_refused(values: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        read(**values)


@pytest.mark.parametrize(
    "text",
    ["rand", "rand-m9-mstd0.5-inc1", "rand-m15-mmax20-n3-p0.25", "rand-mstd101", "rand-tweights-inc0", "rand-t3a"],
)
def test_timm_reads_what_is_accepted(text: str) -> None:
    assert read(rand_augment=text).rand_augment == text
    assert rand_augment_transform(text, {"img_mean": (128, 128, 128)}).ops


@pytest.mark.parametrize(
    ("values", "is_mixed"),
    [({}, True), ({"mixup": 0}, True), ({"mixup": 0, "cutmix": 0}, False), ({"mixing": 0}, False)],
    ids=str,
)
def test_is_mixed(values: dict[str, Any], is_mixed: bool) -> None:
    assert read(**values).is_mixed is is_mixed
