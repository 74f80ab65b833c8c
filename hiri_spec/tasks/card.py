"""The card of a run of detection or segmentation: what was trained on what, how good it is, how to use it."""

from __future__ import annotations

from ..checkpoint_file import SPEC_NAME
from ..train.card import data_option, describe_training
from ..train.curves import Row
from ..train.run_folder import CURVES_NAME, LOSSES_NAME, METRICS_NAME, RECIPE_NAME, WEIGHTS
from .data.source import BUILTIN
from .goal import score_of
from .heads import HOSTS
from .run_folder import DenseRun, DenseRunFolder

ABOUT = ("epoch", "steps", "learning_rate", "train_loss", "images_per_s", "train_s", "unreadable", "peak_memory_bytes")
"""Columns of metrics.csv that tell of the training, not of how good the network is."""


def dense_card_text(folder: DenseRunFolder, rows: list[Row]) -> str:
    """The card in Markdown; raises SpecError where the folder holds no run."""
    run = folder.read_run()
    data = run.data_name
    parts = [
        f"# {run.task.kind.title} on {run.network}, trained on {data}\n",
        _introduction(run, data),
        _figures(run, rows),
        describe_training(run, folder.read_recipe()),
        _use(folder, run, rows),
        _contents(folder),
    ]
    return "\n".join(part for part in parts if part)


def _introduction(run: DenseRun, data: str) -> str:
    task, (short, longest) = run.task, run.resolution
    strides = "its usual strides" if task.strides is None else f"strides {', '.join(map(str, task.strides))}"
    lines = [
        f"The backbone is {'the spec' if run.source == 'spec' else 'timm’s'} {run.network}, the head that of "
        f"{HOSTS[task.own_host]}, fed at {strides}; the backbone's batch norms are {task.norms}. {data} has "
        f"{len(run.class_names):,} classes. Images: shorter side {short} pixels, longer one {longest} at most.",
    ]
    if run.status != "finished":
        how = "has failed" if run.status == "failed" else "is not finished"
        lines.append(f"The training {how}; epochs done: {run.epochs}.")
    return "\n".join(lines) + "\n"


def _figures(run: DenseRun, rows: list[Row]) -> str:
    if not rows:
        return ""
    score, label = score_of(run.task.kind)
    if not any(row.get(prefix + score) is not None for row in rows for prefix in ("", "ema_")):
        return (
            "## Figures\n\nNone: nothing was found in the held-out images that could be right or wrong. So the best "
            "weights are the last ones.\n"
        )
    columns = [name for name in rows[-1] if name not in ABOUT and not name.startswith("ema_")]
    lines = [
        "## Figures\n",
        f"In per cent, on the held-out images, after the epoch with the highest {label} and after the last one:\n",
        f"| weights | epoch | {' | '.join(columns)} |",
        f"|---|---:|{'---:|' * len(columns)}",
    ]
    for what, prefix in (("network", ""), ("its moving average", "ema_")):
        if rows[-1].get(prefix + score) is None:
            continue
        best = max(rows, key=lambda row: row[prefix + score] or 0.0)
        for when, row in (("best", best), ("last", rows[-1])):
            figures = ["" if (value := row[prefix + name]) is None else f"{value:.2f}" for name in columns]
            lines.append(f"| {what}, {when} | {row['epoch']:.0f} | {' | '.join(figures)} |")
    lines.append(f"\nThe best epoch was chosen by these very images.\n\n![Curves]({CURVES_NAME})\n")
    return "\n".join(lines)


def _use(folder: DenseRunFolder, run: DenseRun, rows: list[Row]) -> str:
    if not rows:
        return ""
    return (
        "## Use\n\nIn this folder, with `hiri-spec[detect]` installed:\n\n```sh\n"
        "hiri-spec tasks predict . photo.jpg --out seen\n"
        f"hiri-spec tasks evaluate .{data_option(folder, run, (BUILTIN,))}\n```\n\n"
        "```python\nfrom hiri_spec.tasks.trained import load_dense\n\n"
        'trained = load_dense(".")\nmodel = trained.model  # images of 0 to 1, each (3, H, W) → what is in each\n```\n'
    )


def _contents(folder: DenseRunFolder) -> str:
    told = {
        **dict.fromkeys(WEIGHTS, "weights, with spec, head, classes and image sizes inside"),
        SPEC_NAME: "the backbone as it was trained",
        RECIPE_NAME: "the recipe, every field",
        METRICS_NAME: "figures, a row an epoch",
        LOSSES_NAME: "the loss of every step",
    }
    there = [f"- `{name}`: {what}" for name, what in told.items() if (folder.path / name).exists()]
    return "## Files\n\n" + "\n".join(there) + "\n"
