"""The loop: steps, epochs, evaluation, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..errors import Problem, SpecError
from .agreement import Agreement, StoppedError
from .checkpoints import list_checkpoints, remove_checkpoint, write_checkpoint
from .curves import write_curves
from .devices import average_buffers
from .goal import Batches, Figures, Goal
from .logs import LossLog, write_metrics
from .optimization import learning_rate
from .plan import Plan
from .run_folder import METRICS_NAME, RunFolder, told_way_on
from .state import Parts, capture
from .watcher import Stepped, Watcher

PENDING_STEPS = 20
"""Losses that stay on a GPU before they are looked at: to look is to wait for it."""
CURVES_S = 30
"""Seconds between two drawings of the curves at least: one takes some tenths."""

Ending = Literal["finished", "interrupted"]


@dataclass(frozen=True, slots=True)
class _Pending:
    step: int
    epoch: int
    epoch_step: int
    learning_rate: float
    loss: Tensor
    images_per_s: float


class Loop:
    """One run, from where its parts stand to the last epoch.

    `model` and `optimizer` are what accelerate made of those in `parts`; `name` is the network's.
    """

    def __init__(
        self,
        parts: Parts,
        model: nn.Module,
        optimizer: Any,
        *,
        recipe: Plan,
        name: str,
        goal: Goal,
        training: Batches,
        validation: Batches,
        folder: RunFolder,
        log: LossLog | None,
        watcher: Watcher,
        agreement: Agreement,
    ) -> None:
        self._parts, self._model, self._optimizer = parts, model, optimizer
        self._recipe, self._name, self._goal = recipe, name, goal
        self._training, self._validation = training, validation
        self._folder, self._log, self._watcher, self._agreement = folder, log, watcher, agreement
        self._accelerator = parts.accelerator
        self._pending: list[_Pending] = []
        self._images, self._seconds = 0, 0.0
        """Trained on in this epoch, since the run was started or went on."""
        self._most_pending = 1 if self._accelerator.device.type == "cpu" else PENDING_STEPS
        self.steps_per_epoch = len(training) // recipe.accumulate

    def run(self) -> Ending:
        """Train until the last epoch is done or a stop is asked for; then there is a checkpoint.

        Raises SpecError where the loss is no number, the disk is full, or too many images can't be read.
        """
        while self._parts.progress.epoch < self._recipe.epochs:
            is_whole = self._train_epoch()
            if is_whole:
                self._agreement.count_unreadable(self._training)
                if self._recipe.checkpointing.every_steps is not None:
                    self._save_checkpoint()  # evaluation may take long, and may fail
                is_whole = self._end_epoch()
            self._save_checkpoint()
            if not is_whole:
                return "interrupted"
        return "finished"

    def _train_epoch(self) -> bool:
        """The steps of an epoch that are left; False if it was stopped before their end."""
        progress, recipe = self._parts.progress, self._recipe
        self._model.train()
        batches = self._training.epoch(progress.epoch, progress.epoch_steps * recipe.accumulate)
        began, first = time.perf_counter(), progress.epoch_steps
        while progress.epoch_steps < self.steps_per_epoch:
            rate = learning_rate(self._parts.optimizer)
            loss = self._step(islice(batches, recipe.accumulate))
            progress.epoch_steps += 1
            done = (progress.epoch_steps - first) * recipe.batch_size
            self._seconds, self._images = time.perf_counter() - began, done
            pending = _Pending(
                progress.steps, progress.epoch + 1, progress.epoch_steps, rate, loss, done / self._seconds
            )
            self._pending.append(pending)
            if len(self._pending) >= self._most_pending:
                self._look_at_losses()
            if progress.steps % self._agreement.every == 0 and self._agreement.is_stopping():
                return False
            every = recipe.checkpointing.every_steps
            if every and progress.steps % every == 0 and progress.epoch_steps < self.steps_per_epoch:
                self._save_checkpoint()
        self._look_at_losses()
        return True

    def _step(self, batches: Iterable[Any]) -> Tensor:
        """One step of the optimizer over some batches; returns the mean loss of this process's images."""
        parts, recipe, accelerator = self._parts, self._recipe, self._accelerator
        settings, teacher = recipe.distillation, parts.teacher
        is_taught = settings.teaches and parts.progress.epoch >= settings.start_epoch
        source = teacher if is_taught else None
        total = torch.zeros((), device=accelerator.device)
        for batch in batches:
            with accelerator.accumulate(self._model):
                loss = self._goal.compute_loss(self._model, batch, source)
                accelerator.backward(loss)
                if accelerator.sync_gradients and recipe.optimizer.clip_gradient_norm is not None:
                    accelerator.clip_grad_norm_(self._model.parameters(), recipe.optimizer.clip_gradient_norm)
                self._optimizer.step()
                self._optimizer.zero_grad()
            total += loss.detach() / recipe.accumulate
        parts.progress.steps += 1
        average_buffers(parts.model, accelerator)
        if teacher is not None:
            teacher.update(parts.model, parts.progress.steps)
        parts.scheduler.step_update(parts.progress.steps)
        return total

    def _look_at_losses(self) -> None:
        """Fetch the losses that are waiting, note them, and stop at one that is no number."""
        pending, self._pending = self._pending, []
        if not pending:
            return
        losses = self._accelerator.reduce(torch.stack([each.loss for each in pending]), reduction="mean").tolist()
        for each, loss in zip(pending, losses, strict=True):
            if self._log is not None:
                self._log.add(each.step, each.epoch, each.learning_rate, loss)
            if not math.isfinite(loss):
                at = f"at step {each.step:,} (epoch {each.epoch}), at a learning rate of {each.learning_rate:g}"
                raise self._not_finite(f"the loss is {loss} {at}")
            self._parts.progress.loss_sum += loss
            self._watcher.stepped(
                Stepped(each.step, each.epoch, each.epoch_step, loss, each.learning_rate, each.images_per_s)
            )
        last = {"step/loss": losses[-1], "step/learning_rate": pending[-1].learning_rate}
        self._accelerator.log(last, step=pending[-1].step)

    def _not_finite(self, what: str) -> SpecError:
        self._flush_log()
        kept = list_checkpoints(self._folder.checkpoints)
        last = f"the last good checkpoint is {kept[-1]}" if kept else "there is no checkpoint yet"
        start = f", from there with --init-from {kept[-1]}" if kept else ""
        ways = f"Lower optimizer.learning_rate, or set optimizer.clip_gradient_norm, in a new folder{start}"
        message = f"{what}; {last}. {ways}"
        return SpecError(Problem(message, code="not_finite"))

    def _end_epoch(self) -> bool:
        """Evaluate, note the figures, keep the weights; False if it was stopped before that was done."""
        parts, progress = self._parts, self._parts.progress
        own = self._evaluate(parts.model, self._name)
        average = None if own is None or parts.teacher is None else self._evaluate(parts.teacher.model, "its average")
        if own is None or (parts.teacher is not None and average is None):
            return False
        for what, figures in (("", own), (" of the average", average)):
            loss = None if figures is None else figures.get("loss")
            if loss is not None and not math.isfinite(loss):
                at = f"after step {progress.steps:,} (epoch {progress.epoch + 1})"
                if self._accelerator.is_main_process:
                    remove_checkpoint(self._folder.checkpoints, progress.steps)
                raise self._not_finite(f"the loss{what} on held-out images is {loss} {at}")
        progress.rows.append(self._row(own, average))
        is_best, progress.best = self._compare(own, progress.best)
        is_best_ema, progress.best_ema = (
            (False, progress.best_ema) if average is None else self._compare(average, progress.best_ema)
        )
        if self._accelerator.is_main_process:
            teacher = None if parts.teacher is None else parts.teacher.model
            kept = {"last": parts.model, "best": parts.model if is_best else None}
            kept |= {"last_ema": teacher, "best_ema": teacher if is_best_ema else None}
            with told_way_on():
                for name, model in kept.items():
                    if model is not None:
                        self._goal.save(model, self._folder.path / name)
                write_metrics(self._folder.path / METRICS_NAME, progress.rows)
                goal = self._goal
                write_curves(self._folder, score=goal.score, label=goal.score_label, least_age_s=CURVES_S)
        known = {f"epoch/{name}": value for name, value in progress.rows[-1].items() if value is not None}
        self._accelerator.log(known, step=progress.steps)
        self._watcher.epoch_ended(progress.rows[-1])
        progress.epoch, progress.epoch_steps, progress.loss_sum = progress.epoch + 1, 0, 0.0
        return True

    def _compare(self, figures: Figures, best: float | None) -> tuple[bool, float | None]:
        """Whether figures are the best so far, and the best score then; the first are, whatever they are."""
        score = figures[self._goal.score]
        if best is None or (score is not None and score > best):
            return True, score
        return False, best

    def _evaluate(self, model: nn.Module, what: str) -> Figures | None:
        """Figures, or None if it was stopped."""
        self._watcher.evaluating(what)
        try:
            return self._goal.evaluate(model)
        except StoppedError:
            return None

    def _row(self, own: Figures, average: Figures | None) -> dict[str, Any]:
        """A row of metrics.csv: figures in per cent but for losses, epochs counted from 1."""
        progress, device = self._parts.progress, self._accelerator.device
        return {
            "epoch": progress.epoch + 1,
            "steps": progress.steps,
            "learning_rate": learning_rate(self._parts.optimizer),
            "train_loss": progress.loss_sum / self.steps_per_epoch,
            **own,
            **{f"ema_{name}": average and average[name] for name in own},
            "images_per_s": round(self._images / self._seconds, 3) if self._images else None,
            "train_s": round(self._seconds, 2),
            "unreadable": len(self._training.unreadable) + len(self._validation.unreadable),
            "peak_memory_bytes": torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None,
        }

    def _flush_log(self) -> None:
        if self._log is not None:
            self._log.flush()

    def _save_checkpoint(self) -> None:
        self._look_at_losses()
        self._flush_log()
        parameters = [parameter.detach().isfinite().all() for parameter in self._parts.model.parameters()]
        if not torch.stack(parameters).all():  # of a step whose loss was a number still
            raise self._not_finite(f"weights are no numbers after step {self._parts.progress.steps:,}")
        state = capture(self._parts)
        if self._accelerator.is_main_process:
            path = write_checkpoint(self._folder.checkpoints, state, self._recipe.checkpointing.keep)
            self._watcher.saved(path)
