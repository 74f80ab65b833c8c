"""Plan: what the recipes of all tasks share, as data. No torch is needed to read, check or compare one."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from ..block import Positive, PositiveFloat, as_tuple, reject
from ..errors import show
from ..quantities import MAX_NUMBER

Fraction = Annotated[float, Field(ge=0, lt=1)]
NotNegative = Annotated[float, Field(ge=0, le=MAX_NUMBER)]


def named(field: str) -> BeforeValidator:
    """Let a name alone stand for the mapping with nothing but it, as parts of a spec do."""
    return BeforeValidator(lambda value: {field: value} if isinstance(value, str) else value)


class Fields(BaseModel):
    """What the parts of a recipe share: nothing but their fields, of the very types, and none changed later."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Optimizer(Fields):
    """What makes steps of gradients."""

    optimizer: str = Field("adamw", description="Any of timm's optimizers, such as adamw, sgd, lamb or muon.")
    learning_rate: PositiveFloat = Field(1e-3, description="The highest one, for this recipe's batch size.")
    weight_decay: NotNegative = Field(
        0.05, description="Of all but norms, biases and what the network says needs none."
    )
    betas: Annotated[tuple[Fraction, Fraction] | None, BeforeValidator(as_tuple)] = Field(
        None, description="Decay of the averages of the gradient and of its square; null: the optimizer's own."
    )
    epsilon: PositiveFloat | None = Field(
        None, description="What keeps Adam's steps from dividing by 0; null: the optimizer's own."
    )
    momentum: Fraction = Field(0.9, description="Of optimizers that have one, such as sgd.")
    layer_decay: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="Learning rate of a group of layers over that of the next, for fine-tuning; null: the same."
    )
    clip_gradient_norm: PositiveFloat | None = Field(
        None, description="Longest gradient; longer ones are scaled down. Null: as they come."
    )


class Schedule(Fields):
    """How the learning rate goes: up linearly, then down."""

    schedule: Literal["cosine", "linear", "step", "constant"] = Field("cosine", description="The way down, or none.")
    warmup_epochs: NotNegative = Field(5, description="Epochs of the linear way up.")
    warmup_steps: Annotated[int, Field(ge=0, le=MAX_NUMBER)] | None = Field(
        None, description="Steps of the way up, in place of warmup_epochs; 0: none. Null: by warmup_epochs."
    )
    warmup_learning_rate: NotNegative = Field(1e-6, description="Learning rate of the first step of it.")
    min_learning_rate: NotNegative = Field(1e-5, description="Learning rate that the way down ends at, but for step.")
    milestones: Annotated[tuple[PositiveFloat, ...], BeforeValidator(as_tuple)] = Field(
        (), description="Of step: the epochs after which the learning rate is multiplied by factor."
    )
    factor: Annotated[float, Field(gt=0, lt=1)] = Field(0.1, description="Of step: see milestones.")

    @model_validator(mode="after")
    def check(self) -> Self:
        """Hold fields against each other."""
        if self.schedule == "step" and not self.milestones:
            reject("milestones", "milestones", "step needs some, as in [8, 11]", [], beside="schedule")
        if list(self.milestones) != sorted(set(self.milestones)):
            message = f"{show(list(self.milestones))} must grow from each to the next"
            reject("milestones", "milestones", message, list(self.milestones))
        return self


class Distillation(Fields):
    """The moving average (EMA) of the network in training, and what the network learns from it."""

    distillation: Literal["none", "ema", "ema_distill"] = Field(
        "ema_distill",
        description="none: no average; ema: kept and evaluated beside the network; ema_distill: the network's teacher.",
    )
    decay: Fraction = Field(0.9999, description="How much of the average stays at a step, once warmed up.")
    decay_warmup: bool = Field(
        True,
        description="Begin with an average of few steps: the decay of step t, from 1 on, is at most 1 - t ** -power. "
        "Either way the first step copies the network.",
    )
    decay_warmup_power: Annotated[float, Field(gt=0, le=1)] = Field(2 / 3, description="The power in that.")
    weight: NotNegative = Field(1.0, description="Of the divergence from the teacher, added to the recipe's own loss.")
    temperature: PositiveFloat = Field(
        1.0, description="Scores are divided by it before they become probabilities; higher ones are softer."
    )
    start_epoch: Annotated[int, Field(ge=0, le=MAX_NUMBER)] = Field(
        5, description="Epochs that go by before the network learns from the teacher."
    )

    @property
    def keeps_average(self) -> bool:
        """Whether there is an average at all."""
        return self.distillation != "none"

    @property
    def teaches(self) -> bool:
        """Whether the network learns from it."""
        return self.distillation == "ema_distill"


class Checkpointing(Fields):
    """When the state of the training is written; it changes nothing about the result."""

    every_steps: Positive | None = Field(1000, description="Steps between two; null: at the end of epochs only.")
    keep: Positive = Field(2, description="How many of the last checkpoints stay.")


class Plan(Fields):
    """How long a network is trained, by what steps: the part of a recipe that is the same for every task."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$")] = Field(description="Name of the recipe.")
    description: str | None = Field(None, description="One sentence about it.")
    epochs: Positive = Field(300, description="How often the training images are gone through.")
    batch_size: Positive = Field(
        1024, description="Images of one step of the optimizer, over all processes and accumulated batches."
    )
    accumulate: Positive = Field(1, description="Batches that a step's images are cut into, where memory is short.")
    drop_path_rate: Fraction | None = Field(None, description="In place of the network's own; null: that one.")
    mixed_precision: Literal["no", "fp16", "bf16"] = Field("no", description="Type that autocast computes in.")
    channels_last: bool = Field(True, description="Keep maps as NHWC: the same network, faster on most GPUs and CPUs.")
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(
        0, description="Of first weights, order of images, augmentation and drop path."
    )
    max_unreadable: Annotated[float, Field(ge=0, le=1)] = Field(
        0.01,
        description="Largest share of images that are passed over as they can't be read; one always may be, "
        "unless it is 0.",
    )
    optimizer: Annotated[Optimizer, named("optimizer")] = Field(Optimizer(), description="See below.")
    schedule: Annotated[Schedule, named("schedule")] = Field(Schedule(), description="See below.")
    distillation: Annotated[Distillation, named("distillation")] = Field(Distillation(), description="See below.")
    checkpointing: Checkpointing = Field(Checkpointing(), description="See below.")

    _document: Any = PrivateAttr(None)

    def __eq__(self, other: object) -> bool:
        """Equal as recipes, whatever files they were read from."""
        return type(other) is type(self) and self.__dict__ == other.__dict__

    def count_steps(self, images: int) -> int:
        """Steps of an epoch over so many images."""
        return images // self.batch_size

    @model_validator(mode="after")
    def check(self) -> Self:
        """Hold fields against each other."""
        is_in_epochs = self.schedule.warmup_steps is None
        if is_in_epochs and self.schedule.warmup_epochs >= self.epochs and self.schedule.warmup_epochs:
            message = (
                f"{self.epochs} leaves nothing after schedule.warmup_epochs={self.schedule.warmup_epochs:g}; "
                "use more epochs, or a shorter warm-up: schedule.warmup_epochs=0 leaves it out"
            )
            reject("epochs", "too_few", message, self.epochs)
        if self.batch_size % self.accumulate:
            message = f"{self.batch_size} is not a multiple of accumulate={self.accumulate}; change one of them"
            reject("batch_size", "indivisible", message, self.batch_size, beside="accumulate")
        return self
