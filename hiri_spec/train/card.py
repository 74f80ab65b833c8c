"""A run's model card: what was trained on what and how, how good it is, what it costs, and how to use it."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from ..checkpoint_file import SPEC_NAME
from ..cost import CONVENTION, cost
from ..errors import Problem, SpecError
from ..quantities import format_amount, format_count, format_resolution
from ..saving import write_text
from .curves import Row, read_metrics
from .data.source import BUILTIN
from .networks import Network
from .plan import Plan
from .run_folder import CARD_NAME, CURVES_NAME, LOSSES_NAME, METRICS_NAME, RECIPE_NAME, Run, RunFolder

_SEAL = re.compile(r"<!-- written by hiri-spec train, sha256 ([0-9a-f]{64}) -->\n\Z")
"""The last line, by which a card is known that nobody has changed since."""


def write_card(folder: RunFolder) -> bool:
    """Write the run's README.md, whole or not at all; one that was changed by hand stays, and False says so.

    Raises SpecError where the folder holds no run, or can't be written to.
    """
    return seal_card(folder.path / CARD_NAME, lambda: card_text(folder))


def seal_card(place: Path, compose: Callable[[], str]) -> bool:
    """Write a card with a seal below, by which it is known later; one that was changed by hand stays: False."""
    try:
        if place.exists() and not _is_ours(place.read_text(encoding="utf-8")):
            return False
    except UnicodeDecodeError:
        return False
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise SpecError(Problem(message, file=str(place), code="unreadable")) from None
    text = compose()
    write_text(place, f"{text}\n<!-- written by hiri-spec train, sha256 {_digest(text)} -->\n")
    return True


def _is_ours(text: str) -> bool:
    seal = _SEAL.search(text)
    return seal is not None and seal[1] == _digest(text[: seal.start() - 1])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def card_text(folder: RunFolder) -> str:
    """The card in Markdown, with the hub's metadata in front; raises SpecError where the folder holds no run."""
    run, recipe = folder.read_run(), folder.read_recipe()
    rows = read_metrics(folder.path / METRICS_NAME) if (folder.path / METRICS_NAME).exists() else []
    best = {name: row for name in ("top1", "ema_top1") if (row := _best(rows, name)) is not None}
    data = run.data_name
    parts = [
        f"---\n{_metadata(run, data, best)}\n---\n",
        f"# {run.title}\n",
        _introduction(folder, run, data),
        _figures(best, rows),
        describe_training(run, recipe),
        _cost(folder, run),
        _use(folder, run, best),
        _contents(folder),
    ]
    return "\n".join(part for part in parts if part)


def _best(rows: list[Row], name: str) -> Row | None:
    """The epoch whose weights were kept: the first of the highest accuracy."""
    measured = [row for row in rows if row.get(name) is not None]
    return max(measured, key=lambda row: row[name] or 0.0) if measured else None


def _metadata(run: Run, data: str, best: dict[str, Row]) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    results = [
        EvalResult(
            task_type="image-classification",
            dataset_type=data,
            dataset_name=data,
            dataset_split="validation",
            metric_type="accuracy",
            metric_name="top-1 accuracy" + (" of the moving average" if name == "ema_top1" else ""),
            metric_value=round((row[name] or 0.0) / 100, 4),
        )
        for name, row in best.items()
    ]
    card = ModelCardData(
        license="unknown",
        library_name="hiri-spec",
        pipeline_tag="image-classification",
        tags=["image-classification", "pytorch", *(["timm"] if run.source == "timm" else [])],
        metrics=["accuracy"],
        model_name=run.network,
        eval_results=results or None,
    )
    return str(card.to_yaml()).strip()


def _introduction(folder: RunFolder, run: Run, data: str) -> str:
    what = "timm's model of that name" if run.source == "timm" else "a network compiled from a spec"
    lines = [
        f"{run.network} is {what}, trained by `hiri-spec train` on {data}, {len(run.class_names):,} classes, "
        f"at {format_resolution(run.resolution)} pixels."
    ]
    if run.source == "spec" and (description := folder.read_spec().description) is not None:
        lines.insert(0, description)
    if run.status != "finished":
        how = "has failed" if run.status == "failed" else "is not finished"
        lines.append(f"The training {how}; epochs done: {run.epochs}.")
    return "\n".join(lines) + "\n"


def _figures(best: dict[str, Row], rows: list[Row]) -> str:
    if not rows:
        return ""
    kinds = [("network", "top1", ""), ("its moving average", "ema_top1", "ema_")]
    lines = [
        "## Figures\n",
        "On the held-out images, after the epoch with the highest top-1 accuracy and after the last one:\n",
        "| weights | epoch | top-1 % | top-5 % | loss |",
        "|---|---:|---:|---:|---:|",
    ]
    for what, name, prefix in kinds:
        if name not in best:
            continue
        is_same = best[name] is rows[-1]
        for when, row in ((("best and last" if is_same else "best"), best[name]), *[("last", rows[-1])][is_same:]):
            figures = (f"{row[prefix + 'top1']:.2f}", f"{row[prefix + 'top5']:.2f}", f"{row[prefix + 'loss']:.4f}")
            lines.append(f"| {what}, {when} | {row['epoch']:.0f} | {' | '.join(figures)} |")
    lines.append(f"\nThe best epoch was chosen by these very images.\n\n![Curves]({CURVES_NAME})\n")
    return "\n".join(lines)


def describe_training(run: Run, recipe: Plan) -> str:
    """How it was trained: command, recipe, machine, versions."""
    optimizer, distillation = recipe.optimizer, recipe.distillation
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    taught = {
        "none": "no moving average",
        "ema": f"a moving average of decay {distillation.decay:g} beside it",
        "ema_distill": f"EMA distillation, decay {distillation.decay:g}, weight {distillation.weight:g}, "
        f"temperature {distillation.temperature:g}, from epoch {distillation.start_epoch + 1} on",
    }[distillation.distillation]
    where = run.device if run.processes == 1 else f"{run.processes} processes on {run.device}"
    start = f"- begun with the weights of {run.init_from}\n" if run.init_from is not None else ""
    ended = f", ended {run.ended}" if run.ended is not None else ""
    return (
        "## Training\n\n"
        f"```sh\n{_typed(run.command)}\n```\n\n"
        f"- recipe {recipe.name}: {format_count(recipe.epochs, 'epoch')}, {recipe.batch_size:,} images a step, "
        f"{optimizer.optimizer}, learning rate {optimizer.learning_rate:g} ({recipe.schedule.schedule}), "
        f"weight decay {optimizer.weight_decay:g}, seed {recipe.seed}; all of it is in [{RECIPE_NAME}]({RECIPE_NAME})\n"
        f"- {taught}\n"
        f"{start}"
        f"- mixed precision: {recipe.mixed_precision}; {where}; began {run.began}{ended}\n"
        f"- {versions}\n"
    )


def _typed(command: str) -> str:
    """A command as it is typed, without the folder that the program lies in."""
    program, *arguments = shlex.split(command) or [""]
    name = Path(program).name
    return shlex.join(["hiri-spec" if name in ("hiri-spec", "__main__.py") else program, *arguments])


def data_option(folder: RunFolder, run: Run, built_in: Collection[str]) -> str:
    """What a command within the run's folder needs to find the data: nothing, unless they lie at a relative path."""
    data = Path(run.data)
    if run.data.partition(":")[0] in built_in or data.is_absolute() or not data.exists():
        return ""
    place = data.parent.resolve() / data.name  # a link keeps its name
    return f" --data {shlex.quote(os.path.relpath(place, folder.path.resolve()))}"


def _cost(folder: RunFolder, run: Run) -> str:
    params, macs = _count(folder, run)
    size = format_resolution(run.resolution)
    return (
        f"## Cost\n\n{format_amount(params)} parameters, {format_amount(macs)} MACs at {size} pixels ({CONVENTION}).\n"
    )


def _count(folder: RunFolder, run: Run) -> tuple[int, int]:
    """Parameters and MACs of an image; of timm's models counted by torch."""
    if run.source == "spec":
        own = cost(folder.read_spec(), run.resolution)
        return own.params, own.macs
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    network = Network(run.network, run.resolution, run.in_channels, run.classes, None)
    with torch.device("meta"):
        # the counter follows gradients even where there are none to be had
        model = network.build().eval().requires_grad_(requires_grad=False)
        image = torch.empty(1, run.in_channels, *run.resolution)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(image)
    return sum(parameter.numel() for parameter in model.parameters()), counter.get_total_flops() // 2


def _use(folder: RunFolder, run: Run, best: dict[str, Row]) -> str:
    """How to use the weights of the highest accuracy."""
    if not best:
        return ""
    is_average = (best.get("ema_top1", {}).get("ema_top1") or 0.0) > (best["top1"]["top1"] or 0.0)
    flag, argument = (" --ema", ", ema=True") if is_average else ("", "")
    if run.source == "spec":
        imports = "import hiri_spec\n"
        name = "best_ema" if is_average else "best"
        loading = f'model = hiri_spec.from_pretrained("{name}")  # the network alone, in eval mode'
    else:
        imports, loading = "", "model = trained.model  # timm's, with these weights, in eval mode"
    return (
        "## Use\n\n"
        "In this folder, with hiri-spec installed:\n\n"
        "```sh\n"
        f"hiri-spec predict . photo.jpg{flag}\n"
        f"hiri-spec evaluate .{data_option(folder, run, BUILTIN)}{flag}\n"
        "```\n\n"
        "```python\n"
        f"{imports}from hiri_spec.train.prediction import predict\n"
        "from hiri_spec.train.trained import load_trained\n\n"
        f'trained = load_trained("."{argument})  # with its classes, and how images are made ready\n'
        'for prediction in predict(trained, ["photo.jpg"]):\n'
        "    print(prediction.image, prediction.guesses[0].name, prediction.guesses[0].probability)\n\n"
        f"{loading}\n"
        "```\n"
    )


def _contents(folder: RunFolder) -> str:
    told: dict[str, Any] = {
        "best_ema": "weights of the moving average, of its best epoch",
        "best": "weights of the network, of its best epoch",
        "last_ema": "weights of the moving average, after the last epoch",
        "last": "weights of the network, after the last epoch",
        SPEC_NAME: "the network as it was trained",
        RECIPE_NAME: "the recipe, every field",
        METRICS_NAME: "figures, a row an epoch",
        LOSSES_NAME: "the loss of every step",
    }
    there = [f"- `{name}`: {what}" for name, what in told.items() if (folder.path / name).exists()]
    return "## Files\n\n" + "\n".join(there) + "\n"
