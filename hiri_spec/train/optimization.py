"""Optimizer and schedule of a recipe, by timm's factories."""

from __future__ import annotations

from typing import Any

import torch
from timm.optim import create_optimizer_v2, get_optimizer_info, list_optimizers
from timm.scheduler import create_scheduler_v2
from timm.scheduler.scheduler import Scheduler
from torch import nn

from ..errors import Problem, SpecError, suggest
from .plan import Optimizer, Plan

TIMM_SCHEDULES = {"cosine": ("cosine", 0.1), "linear": ("poly", 1.0), "constant": ("constant", 1.0)}
"""timm's name of a schedule, and its decay rate: the power of a polynomial. The rate of `step` is a field."""


def check_optimizer(settings: Optimizer) -> None:
    """Refuse an optimizer that timm doesn't have, and fields that it would pass over."""
    known = [str(name) for name in list_optimizers()]
    if settings.optimizer not in known:
        message = f"timm has no optimizer {settings.optimizer!r}; {suggest(settings.optimizer, known)}"
        raise SpecError(Problem(message, "optimizer.optimizer"))
    info = get_optimizer_info(settings.optimizer)
    if info.second_order:
        message = f"{settings.optimizer} needs second derivatives, which are not computed here; use another"
        raise SpecError(Problem(message, "optimizer.optimizer"))
    for field, value, is_taken in (
        ("betas", settings.betas, info.has_betas and info.num_betas == 2),
        ("epsilon", settings.epsilon, info.has_eps),
    ):
        if value is not None and not is_taken:
            raise SpecError(Problem(f"{settings.optimizer} has none such; leave it null", f"optimizer.{field}"))


def make_optimizer(model: nn.Module, settings: Optimizer) -> torch.optim.Optimizer:
    """The optimizer over a model's parameters, in groups by weight decay and, if asked for, layer by layer."""
    options: dict[str, Any] = {"betas": settings.betas, "eps": settings.epsilon}
    try:
        return create_optimizer_v2(
            model,
            opt=settings.optimizer,
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            momentum=settings.momentum,
            layer_decay=settings.layer_decay,
            **{name: value for name, value in options.items() if value is not None},
        )
    except (TypeError, AssertionError, ValueError, ImportError) as error:
        # values that go beyond what the optimizer takes, a library that it needs
        raise SpecError(Problem(f"timm's {settings.optimizer} refuses: {error}", "optimizer")) from error


def make_scheduler(optimizer: torch.optim.Optimizer, recipe: Plan, steps_per_epoch: int) -> Scheduler:
    """The schedule of the learning rate over all of the recipe's steps; it moves on with `step_update`."""
    settings = recipe.schedule
    name, decay_rate = TIMM_SCHEDULES.get(settings.schedule, ("multistep", settings.factor))
    steps = recipe.epochs * steps_per_epoch
    if settings.warmup_steps and settings.warmup_steps >= steps:
        message = f"{settings.warmup_steps:,} leaves nothing of {steps:,} steps; use fewer (0: none), or more epochs"
        raise SpecError(Problem(message, "schedule.warmup_steps", code="too_many"))
    warmup = settings.warmup_epochs if settings.warmup_steps is None else settings.warmup_steps / steps_per_epoch
    options: dict[str, Any] = {
        "num_epochs": recipe.epochs,
        "decay_rate": decay_rate,
        # timm multiplies a step too early; half a step keeps clear of rounding
        "decay_milestones": [milestone + 0.5 / steps_per_epoch for milestone in settings.milestones],
        "min_lr": settings.min_learning_rate,
        "warmup_lr": settings.warmup_learning_rate,
        "warmup_epochs": warmup,
        "step_on_epochs": False,
        "updates_per_epoch": steps_per_epoch,
    }
    scheduler, _ = create_scheduler_v2(optimizer, sched=name, **options)
    return scheduler


def learning_rate(optimizer: torch.optim.Optimizer) -> float:
    """The highest learning rate of the next step; layers may have lower ones."""
    return max(float(group["lr"]) for group in optimizer.param_groups)
