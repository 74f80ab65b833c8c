"""Training by `hiri-spec train` against timm's own script: same network, data, recipe and machine; and its memory.

    python -m benchmarks.training pytorch-image-models/train.py

timm's script is not in its package: it is train.py of https://github.com/huggingface/pytorch-image-models. Images a
second are those that each says of its last epoch, runs made in turn.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from hiri_spec.train.curves import read_metrics
from hiri_spec.train.run_folder import METRICS_NAME

from .loading import SIDE, write_images
from .timing import report

TARGET = 0.95
EPOCHS, BATCH_SIZE, WORKERS = 3, 32, 2
RATE = re.compile(r"Train: .*\((?:\s*[\d.]+s,\s*)?([\d.]+)/s\)")
"""The mean since the epoch began, which timm's script puts in brackets."""
RUN_SCRIPT = """
import runpy, sys
import hiri_spec.timm_models

sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
MEBIBYTE = 2**20


def our_command(folder: Path, out: Path, network: str, side: int, *options: str) -> list[str]:
    """A run of ours by the recipe imagenet, cut to a few epochs."""
    return [
        *(sys.executable, "-m", "hiri_spec.train", network, "--data", str(folder), "--recipe", "imagenet"),
        *("--out", str(out), "--resolution", str(side), "--epochs", str(EPOCHS), "--batch-size", str(BATCH_SIZE)),
        *("--workers", str(WORKERS), "--device", "cpu", "--set", "schedule.warmup_epochs=1"),
        *options,
    ]


def timms_command(script: Path, folder: Path, out: Path, network: str, side: int, *options: str) -> list[str]:
    """The same by timm's script."""
    return [
        *(sys.executable, "-c", RUN_SCRIPT, str(script), "--model", network, "--data-dir", str(folder)),
        *("--output", str(out), "--img-size", str(side), "--epochs", str(EPOCHS), "--batch-size", str(BATCH_SIZE)),
        *("--workers", str(WORKERS), "--device", "cpu", "--num-classes", "4", "--channels-last", "--log-interval", "1"),
        *("--opt", "adamw", "--lr", "1e-3", "--weight-decay", "0.05", "--sched", "cosine", "--sched-on-updates"),
        *("--warmup-epochs", "1", "--mixup", "0.8", "--cutmix", "1", "--reprob", "0.25", "--smoothing", "0.1"),
        # with Pillow 13, RandAugment fails at the magnitudes that mmax9 leaves out
        *("--aa", "rand-m9-mstd0.5-inc1-mmax9", "--train-interpolation", "bicubic", "--remode", "pixel"),
        *options,
    ]


def our_rate(command: list[str], out: Path) -> float:
    """Images a second of the last epoch."""
    subprocess.run(command, check=True, capture_output=True)
    return last_rate(out)


def last_rate(out: Path) -> float:
    """Images a second of the last epoch of a run of ours."""
    rate = read_metrics(out / METRICS_NAME)[-1]["images_per_s"]
    assert rate is not None  # a run that was begun in this call has trained
    return rate


def timms_rate(command: list[str]) -> float:
    """Images a second of the last epoch."""
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(RATE.findall(done.stdout + done.stderr)[-1])


def speed(script: Path, folder: Path, network: str, side: int, distillation: str, rounds: int) -> bool:
    """Ours over timm's, without an average or with one."""
    ours, timms = [], []
    options = ["--model-ema", "--model-ema-warmup"] if distillation == "ema" else []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            out = Path(name, "ours")
            asked = ("--set", f"distillation={distillation}")
            ours.append(our_rate(our_command(folder, out, network, side, *asked), out))
            timms.append(timms_rate(timms_command(script, folder, Path(name, "timms"), network, side, *options)))
    ratio = statistics.median(one / other for one, other in zip(ours, timms, strict=True))
    rates = f"{statistics.median(ours):.1f} and {statistics.median(timms):.1f} images/s"
    return report(
        f"training {network} at {side}, {distillation}",
        f"{ratio:.2f} of timm's script ({rates})",
        f"{TARGET} of its images/s",
        ratio >= TARGET,
    )


def peak_memory(command: list[str]) -> int:
    """Most memory that a process had at once, in bytes."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_maxrss * 1024


def memory(folder: Path, network: str, side: int) -> None:
    """What `--checkpoint-grad` saves, and what it costs."""
    for options in ((), ("--checkpoint-grad",)):
        with tempfile.TemporaryDirectory() as name:
            out = Path(name, "ours")
            command = our_command(folder, out, network, side, "--workers", "0", *options)
            used = peak_memory(command) / MEBIBYTE
            rate = last_rate(out)
        print(f"{network} at {side}, {' '.join(options) or 'kept'}: {used:.0f} MiB at most, {rate:.1f} images/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("script", type=Path, help="timm's train.py")
    parser.add_argument("--network", default="hiri_s", help="a spec or a timm model, by the name that timm knows")
    parser.add_argument("--side", type=int, default=SIDE)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_images(folder)
        (folder / "validation").symlink_to(folder / "train", target_is_directory=True)
        met = [
            speed(asked.script, folder, asked.network, asked.side, distillation, asked.rounds)
            for distillation in ("none", "ema")
        ]
        memory(folder, asked.network, asked.side)
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
