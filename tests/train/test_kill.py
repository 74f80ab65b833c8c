"""A run killed at any step and started again is the run that never was."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from runs import RECIPE, STEPS, assert_same, read_losses, start, write_files

from hiri_spec.train.run_folder import RunFolder

EPOCHS = 8
TOTAL = EPOCHS * STEPS
LONGEST_S = 180.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what is needed, and a run in `whole` that was never killed."""
    folder = tmp_path_factory.mktemp("kill")
    recipe = RECIPE.replace("epochs: 3", f"epochs: {EPOCHS}") + "  checkpointing.every_steps: 3\n"
    write_files(folder, recipe=recipe)
    finish(start(folder, "--out", "whole"))
    return folder


def finish(process: subprocess.Popen[str], status: int = 0) -> str:
    """Wait for a process; returns what it said on stderr."""
    _, told = process.communicate(timeout=LONGEST_S)
    assert process.returncode == status, told
    return told


def wait_for_step(process: subprocess.Popen[str], out: Path, step: int) -> None:
    """Until there is a checkpoint of that step or a later one."""
    began = time.monotonic()
    while not any(int(path.stem[5:]) >= step for path in (out / "checkpoints").glob("step-*.pt")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() - began < LONGEST_S
        time.sleep(0.002)


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "1"])
def test_kill_9(workers: str, folder: Path) -> None:
    """Three times at random, whatever it is at that moment: a step, an evaluation, a checkpoint half written."""
    rng, name = random.Random(f"kill {workers}"), f"killed-{workers}"
    out = folder / name
    for earliest in sorted(rng.sample(range(3, TOTAL // 2), 3)):
        process = start(folder, "--out", name, "--workers", workers)
        wait_for_step(process, out, earliest)
        time.sleep(rng.random() * 0.2)
        process.kill()
        finish(process, -signal.SIGKILL)
    was_over = RunFolder(out).read_run().status == "finished"  # on a machine so fast that the last kill came too late
    told = finish(start(folder, "--out", name, "--workers", workers))
    assert ("going on after step " in told) != was_over
    assert len(read_losses(out)) == TOTAL + 1
    assert_same(out, folder / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "cluster"])
def test_asked_to_stop(number: signal.Signals, folder: Path) -> None:
    """The signal goes to the processes that read images too, as from a terminal or a cluster's scheduler."""
    name = number.name
    process = start(folder, "--out", name, "--workers", "1", start_new_session=True)
    wait_for_step(process, folder / name, 3)
    os.killpg(process.pid, number)
    told = finish(process, 128 + number)
    assert told.endswith("stopped; the same command goes on from here\n")
    assert "Traceback" not in told
    finish(start(folder, "--out", name))
    assert_same(folder / name, folder / "whole")


@pytest.mark.slow
def test_two_at_once(folder: Path) -> None:
    first = start(folder, "--out", "shared")
    wait_for_step(first, folder / "shared", 3)
    first.send_signal(signal.SIGSTOP)
    told = finish(start(folder, "--out", "shared"), 2)
    first.send_signal(signal.SIGCONT)
    assert f"another run (process {first.pid}) is writing to shared; wait for it" in told
    finish(first)
    assert_same(folder / "shared", folder / "whole")
