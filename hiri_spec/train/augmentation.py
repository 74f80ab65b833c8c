"""Augmentation: how images are cropped, distorted and mixed on their way to the network, as data. No torch in here."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ..block import as_tuple, reject
from ..errors import show

MOST_LAYERS = 20
_MAGNITUDE_LIMIT = 10
"""timm's magnitudes are tenths of the strongest distortion."""
_SECTIONS = {
    "m": r"[0-9]+",
    "n": r"[0-9]+",
    "p": r"[01](?:\.[0-9]+)?",
    "mstd": r"[0-9]+(?:\.[0-9]+)?",
    "mmax": r"[0-9]+",
    "inc": r"[01]",
    "t": r"weights|3aw?",
}
_SECTION = re.compile("|".join(f"(?P<{name}>{name}(?:{value}))" for name, value in _SECTIONS.items()))

Share = Annotated[float, Field(ge=0, le=1)]
Alpha = Annotated[float, Field(ge=0, le=100)]
Level = Annotated[float, Field(ge=0, le=1)]
Deviation = Annotated[float, Field(gt=0, le=1)]
Interpolation = Literal["bilinear", "bicubic", "lanczos", "box", "random"]


def rising(value: tuple[float, float]) -> tuple[float, float]:
    """Refuse a range that runs backwards."""
    low, high = value
    if low > high:
        message = f"[{low:g}, {high:g}] runs backwards; write [{high:g}, {low:g}]"
        raise PydanticCustomError("backwards", "{message}", {"message": message})
    return value


def _rand_augment(text: str) -> str:
    """Check timm's notation here: timm itself passes over what it can't read, or fails in the first epoch."""
    first, *sections = text.split("-")
    values: dict[str, float] = {}
    if first != "rand" or not all(_SECTION.fullmatch(section) for section in sections):
        message = f"{show(text)} is not RandAugment in timm's notation; write it like rand-m9-mstd0.5-inc1, or null"
        raise PydanticCustomError("rand_augment", "{message}", {"message": message})
    for section in sections:
        name = re.match(r"[a-z]+", section)
        if name is not None and name[0] in ("m", "n", "p", "mmax"):
            values[name[0]] = float(section[name.end() :])
    most = values.get("mmax", _MAGNITUDE_LIMIT)
    limits = {
        "m": (0, most, "magnitude"),
        "n": (1, MOST_LAYERS, "number of distortions"),
        "p": (0, 1, "probability"),
        "mmax": (1, 10 * _MAGNITUDE_LIMIT, "largest magnitude"),
    }
    for key, value in values.items():
        low, high, what = limits[key]
        if not low <= value <= high:
            message = f"{show(text)} has {key}{value:g}; its {what} must lie between {low:g} and {high:g}"
            raise PydanticCustomError("rand_augment", "{message}", {"message": message})
    return text


Range = Annotated[tuple[float, float], BeforeValidator(as_tuple), AfterValidator(rising)]
RandAugment = Annotated[str, AfterValidator(_rand_augment)]
Mean = Annotated[tuple[Level, Level, Level], BeforeValidator(as_tuple)]
Std = Annotated[tuple[Deviation, Deviation, Deviation], BeforeValidator(as_tuple)]


class Augmentation(BaseModel):
    """What happens to images before the network sees them.

    HIRI-ViT's recipe names random crops, flips, RandAugment, Random Erasing, Mixup and CutMix without their strengths;
    the defaults are those of DeiT, whose recipe it is. Validation images are only resized, cropped and normalised.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    crop_scale: Range = Field(
        (0.08, 1.0), description="Smallest and largest area of a training crop, over that of the image."
    )
    crop_ratio: Range = Field(
        (3 / 4, 4 / 3), description="Smallest and largest width over height of a training crop, before it is resized."
    )
    interpolation: Interpolation = Field(
        "bicubic", description="How images are resized; random: bilinear or bicubic by chance, for training only."
    )
    flip: Share = Field(0.5, description="Probability of a flip from left to right.")
    vertical_flip: Share = Field(0, description="Probability of a flip upside down.")
    rand_augment: RandAugment | None = Field(
        "rand-m9-mstd0.5-inc1",
        description="RandAugment in timm's notation: m magnitude of 10, n distortions an image (2), p probability of "
        "each (0.5), mstd deviation of the magnitude, inc1 only distortions that grow with it. null: none.",
    )
    color_jitter: Share = Field(
        0.3, description="Most that brightness, contrast and saturation change by; only where rand_augment is null."
    )
    erasing: Share = Field(0.25, description="Probability that a random box of an image is filled with noise.")
    mixup: Alpha = Field(0.8, description="Alpha of Mixup, the blending of two images and their classes; 0: none.")
    cutmix: Alpha = Field(1.0, description="Alpha of CutMix, a box of one image put into another; 0: none.")
    mixing: Share = Field(1.0, description="Probability that the images of a batch are mixed at all.")
    cutmix_share: Share = Field(0.5, description="Share of CutMix in the mixed batches, where Mixup is on too.")
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.1, description="Share of a training target that is spread over all classes."
    )
    crop_fraction: Annotated[float, Field(gt=0, le=1)] = Field(
        0.875, description="Side of the central crop that validation images are cut to, over that of the image."
    )
    mean: Mean = Field((0.485, 0.456, 0.406), description="Mean of red, green and blue, subtracted; white is 1.")
    std: Std = Field((0.229, 0.224, 0.225), description="Standard deviation of red, green and blue, divided by.")

    @model_validator(mode="after")
    def check_ranges(self) -> Self:
        """Keep crops inside of what an image has."""
        low, high = self.crop_scale
        if low <= 0 or high > 1:
            reject("crop_scale", "range", f"{show([low, high])} leaves an image; keep it above 0 and at most 1")
        low, high = self.crop_ratio
        if low < 0.1 or high > 10:
            reject("crop_ratio", "range", f"{show([low, high])} is no ratio of an image; keep it between 0.1 and 10")
        return self

    @property
    def is_mixed(self) -> bool:
        """Whether training images are ever mixed in pairs, for which batches must be even."""
        return self.mixing > 0 and (self.mixup > 0 or self.cutmix > 0)
