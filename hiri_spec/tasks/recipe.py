"""DenseRecipe: how detectors and segmenters are trained, as data. No torch is needed to read, check or compare one."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ..block import Positive, PositiveFloat, as_tuple, reject
from ..errors import show
from ..quantities import LARGEST_IMAGE_SIDE
from ..schema import Size
from ..train.augmentation import Share, rising
from ..train.plan import Distillation, Fields, Plan, named

ImageSide = Annotated[int, Field(ge=1, le=LARGEST_IMAGE_SIDE)]
Sides = Annotated[tuple[ImageSide, ...], Field(min_length=1), BeforeValidator(as_tuple)]
Factors = Annotated[tuple[PositiveFloat, PositiveFloat], BeforeValidator(as_tuple), AfterValidator(rising)]


class Images(Fields):
    """How images are resized, cropped and distorted; sides in pixels, proportions always stay."""

    short_side: ImageSide = Field(800, description="Length of the shorter side, in evaluation and by default.")
    longest_side: ImageSide = Field(1333, description="Where the longer side would be longer, it gets this length.")
    short_sides: Sides | None = Field(
        None, description="Lengths of the shorter side in training, one by chance for each image; null: short_side."
    )
    scale: Factors | None = Field(
        None, description="Factors between which training images are made larger or smaller still; null: none."
    )
    crop: Size | None = Field(
        None,
        description="A side, or [height, width], that training images are cropped to, smaller ones padded; "
        "null: they stay whole.",
    )
    flip: Share = Field(0.5, description="Share of training images that are mirrored.")
    photometric: bool = Field(
        False, description="Change brightness, contrast, saturation and hue of training images by chance."
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        """Hold fields against each other."""
        if self.short_side > self.longest_side:
            message = f"{self.short_side} is longer than longest_side={self.longest_side}; change one of them"
            reject("short_side", "too_long", message, self.short_side, beside="longest_side")
        most = round(self.longest_side * (self.scale[1] if self.scale else 1))
        if most > LARGEST_IMAGE_SIDE:
            message = (
                f"{show(list(self.scale or ()))} makes longest_side={self.longest_side} up to {most:,} pixels; "
                f"{LARGEST_IMAGE_SIDE:,} are the most"
            )
            reject("scale", "too_long", message, list(self.scale or ()), beside="longest_side")
        sides = self.crop if isinstance(self.crop, tuple) else (self.crop or 0,)
        if max(sides) > LARGEST_IMAGE_SIDE:
            message = f"{show(self.crop)} is too large; use {LARGEST_IMAGE_SIDE:,} or less a side"
            reject("crop", "too_long", message, self.crop)
        return self


class DenseRecipe(Plan):
    """A recipe for detection or segmentation."""

    epoch_steps: Positive | None = Field(
        None, description="Steps that make an epoch, wherever in the images they end; null: once through the images."
    )
    distillation: Annotated[Distillation, named("distillation")] = Field(
        Distillation(distillation="none"), description="Its average alone: nothing is learnt from it."
    )
    images: Images = Field(Images(), description="See below.")

    def count_steps(self, images: int) -> int:
        """Steps of an epoch over so many images."""
        return super().count_steps(images) if self.epoch_steps is None else self.epoch_steps

    @model_validator(mode="after")
    def check_distillation(self) -> Self:
        """Refuse what is for classes alone."""
        if self.distillation.teaches:
            message = "ema_distill compares class scores, which no such head gives; use none, or ema for an average"
            reject("distillation.distillation", "no_teacher", message, self.distillation.distillation)
        return self
