"""A session: one process's part in a run, begun or gone on with, until it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list, set_seed

from ..errors import Problem, SpecError
from ..locking import locked_folder
from .agreement import Agreement, WatchedBatches
from .checkpoints import list_checkpoints, read_checkpoint
from .classification import LAYOUTS
from .curves import read_metrics
from .data.loader import workers_watched
from .devices import opened_accelerator
from .distill import Teacher
from .interrupts import StopRequest
from .logs import LossLog
from .loop import Loop
from .optimization import make_optimizer, make_scheduler
from .run_folder import LOSSES_NAME, METRICS_NAME, Run
from .single_images import told_single_images
from .state import Parts, Progress, restore
from .watcher import Watcher
from .work import Work, now


@dataclass(frozen=True, slots=True)
class TrainResult:
    """How a run ended; `rows` are the figures of all finished epochs, as metrics.csv has them.

    `status` is "already_finished" where there was nothing left to do; `signal` is the one that interrupted it.
    """

    status: Literal["finished", "interrupted", "already_finished"]
    out: Path
    rows: list[dict[str, Any]]
    steps: int
    signal: int | None = None
    is_main: bool = True
    """Whether this is the process that speaks for all of them."""


def run_work(work: Work, watcher: Watcher) -> TrainResult:
    """Train what is there to train, in as many processes as there are; raises SpecError for whatever goes wrong."""
    with (
        opened_accelerator(
            work.wishes.device,
            mixed_precision=work.plan.mixed_precision,
            accumulate=work.plan.accumulate,
            tracker=work.wishes.tracker,
            logs=str(work.folder.logs),
        ) as accelerator,
        ExitStack() as stack,
    ):
        if accelerator.is_main_process:
            stack.enter_context(locked_folder(work.folder.path, "run"))
        return Session(work, accelerator, watcher, stack).run()


@contextmanager
def told_failures() -> Iterator[None]:
    """Tell of what the machine lacks as of a mistake; the last checkpoint stays."""
    try:
        with workers_watched(), told_single_images():
            yield
    except torch.OutOfMemoryError as error:
        message = (
            f"the device is out of memory: {str(error).splitlines()[0]} Cut the batch with --set accumulate=2 or more, "
            "or use --checkpoint-grad or --mixed-precision bf16"
        )
        raise SpecError(Problem(message, "batch_size", code="out_of_memory")) from error


class Session:
    """One process's part in a run, from now until it ends; `stack` closes what it opens."""

    def __init__(self, work: Work, accelerator: Accelerator, watcher: Watcher, stack: ExitStack) -> None:
        self._work, self._accelerator, self._watcher, self._stack = work, accelerator, watcher, stack
        self._is_main = accelerator.is_main_process
        self._loaders = work.make_loaders(accelerator)
        self._steps_per_epoch = len(self._loaders[0]) // work.plan.accumulate

    def run(self) -> TrainResult:
        """Begin, or go on, and end."""
        is_finished, state = self._look_back()
        if is_finished:
            out, rows = self._work.folder.path, self._rows(state)
            steps = int(rows[-1]["steps"] or 0) if rows else 0
            return TrainResult("already_finished", out, rows, steps, is_main=self._is_main)
        parts = self._make_parts(is_new=state is None)
        model, optimizer = self._accelerator.prepare(parts.model, parts.optimizer)
        if state is not None:
            self._go_on(parts, state)
        run = self._begin()
        return self._train(parts, model, optimizer, run)

    def _look_back(self) -> tuple[bool, dict[str, Any] | None]:
        """Whether the run in the folder is finished, and its last state; refuses another run's folder."""
        work, folder = self._work, self._work.folder
        checkpoints = folder.checkpoints
        answer: list[Any] = [False, False]
        state = None
        if self._is_main and folder.holds_run and not work.wishes.restart:
            folder.check_same(work.describe(self._accelerator), work.spec, work.plan)
            is_over = folder.read_run().status == "finished"
            state = None if is_over and not list_checkpoints(checkpoints) else self._read_state()
            answer = [is_over, state is not None]
        is_finished, has_state = broadcast_object_list(answer)
        if has_state and state is None:
            state = read_checkpoint(checkpoints, self._watcher.noted)
        return is_finished, state

    def _read_state(self) -> dict[str, Any] | None:
        """The last state; raises SpecError where none is left of a run that had one, which is not trained over."""
        folder = self._work.folder
        state = read_checkpoint(folder.checkpoints, self._watcher.noted)
        if state is None and folder.has_trained:
            message = "holds no checkpoint to go on from; begin anew with --restart, or in another folder with --out"
            raise SpecError(Problem(message, file=str(folder.checkpoints), code="damaged"))
        return state

    def _rows(self, state: dict[str, Any] | None) -> list[dict[str, Any]]:
        """The figures of a finished run, whether or not its checkpoints are still there."""
        if state is not None:
            rows: list[dict[str, Any]] = state["progress"]["rows"]
            return rows
        metrics = self._work.folder.path / METRICS_NAME
        return [dict(row) for row in read_metrics(metrics)] if metrics.exists() else []

    def _make_parts(self, *, is_new: bool) -> Parts:
        """Model, teacher, optimizer and schedule as they are before the first step."""
        work, recipe = self._work, self._work.plan
        set_seed(recipe.seed)
        model = work.build()
        if work.wishes.init_from is not None and is_new:
            self._watcher.noted(work.start(model))
        if work.wishes.checkpoint_grad:
            work.set_checkpointing(model)
        model.to(self._accelerator.device)
        model.to(memory_format=LAYOUTS[recipe.channels_last])
        set_seed(recipe.seed + self._accelerator.process_index)
        optimizer = make_optimizer(model, recipe.optimizer)
        teacher = Teacher(model, recipe.distillation) if recipe.distillation.keeps_average else None
        scheduler = make_scheduler(optimizer, recipe, self._steps_per_epoch)
        return Parts(model, teacher, optimizer, scheduler, self._accelerator, Progress())

    def _go_on(self, parts: Parts, state: dict[str, Any]) -> None:
        restore(parts, state, self._work.plan.seed)
        before, now_ = len(state["random"]), self._accelerator.num_processes
        if before != now_:
            self._watcher.noted(
                f"going on in {now_} processes, {before} before: no longer bit for bit what {before} would have given"
            )

    def _begin(self) -> Run | None:
        """Write down what the run is; only the main process does."""
        if not self._is_main:
            return None
        work, folder = self._work, self._work.folder
        run = work.describe(self._accelerator)
        if work.wishes.restart and folder.holds_run:  # what no run wrote stays, and is refused below
            folder.clear()
        if folder.holds_run:
            known = folder.read_run()
            run = run.model_copy(update={"began": known.began, "epochs": known.epochs})
            folder.write_run(run)
        else:
            folder.begin(run, work.spec, work.plan)
        return run

    def _train(self, parts: Parts, model: Any, optimizer: Any, run: Run | None) -> TrainResult:
        work, steps = self._work, parts.progress.steps
        log = LossLog(work.folder.path / LOSSES_NAME, steps) if self._is_main else None
        if log is not None:
            self._stack.callback(log.close)
        trackers = {"tensorboard": {"purge_step": steps + 1}} if steps else {}
        self._accelerator.init_trackers(work.name, init_kwargs=trackers)
        self._stack.callback(self._accelerator.end_training)
        agreement = Agreement(self._accelerator, self._stack.enter_context(StopRequest()))
        validation = WatchedBatches(self._loaders[1], agreement)
        loop = Loop(
            parts,
            model,
            optimizer,
            recipe=work.plan,
            name=work.name,
            goal=work.make_goal(self._accelerator, validation),
            training=self._loaders[0],
            validation=validation,
            folder=work.folder,
            log=log,
            watcher=self._watcher,
            agreement=agreement,
        )
        params = sum(parameter.numel() for parameter in parts.model.parameters())
        start = work.tell_start(params, self._accelerator, parts.progress.steps, self._steps_per_epoch)
        self._watcher.started(start)
        try:
            with told_failures():
                ending = loop.run()
        except SpecError:
            with suppress(SpecError):  # on a full disk, that is what must be told
                self._leave(run, "failed", parts.progress)
            raise
        self._leave(run, ending, parts.progress)
        self._accelerator.wait_for_everyone()
        rows = parts.progress.rows
        return TrainResult(ending, work.folder.path, rows, parts.progress.steps, agreement.signal, self._is_main)

    def _leave(self, run: Run | None, status: str, progress: Progress) -> None:
        """Write down how the run ended, with its curves and its card; only the main process does."""
        if run is None:
            return
        folder = self._work.folder
        folder.write_run(run.model_copy(update={"status": status, "ended": now(), "epochs": progress.epoch}))
        self._work.write_report(self._watcher.noted)
