"""Do all heads learn? Each on a small spec and drawn shapes, from fresh weights: `python -m benchmarks.dense_learning`.

With names of heads it trains those alone, with `--seed N` from another seed. A row of docs/dense.md is printed for each
as it ends: figures in per cent on held-out images before and after, and minutes of training, evaluation included.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from hiri_spec.files import load
from hiri_spec.tasks.assembly import assemble
from hiri_spec.tasks.assessment import assess_dense
from hiri_spec.tasks.data.source import open_scenes
from hiri_spec.tasks.recipe_file import load_dense_recipe
from hiri_spec.tasks.run import train_dense
from hiri_spec.tasks.task import read_task
from hiri_spec.tasks.trained import TrainedDense
from hiri_spec.tasks.weights import DenseBelongings

SPEC = "tiny"


@dataclass(frozen=True)
class Setting:
    """How a head is trained: few regions of an image where it has such, as the images have few objects."""

    epochs: int
    regions: int | None = None
    side: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    clip_gradient_norm: float = 10

    @property
    def data(self) -> str:
        """The drawn images."""
        return f"shapes:train=400,validation=50,size={self.side}"


SETTINGS = {
    "retinanet": Setting(6),
    "atss": Setting(6),
    "gfl": Setting(6),
    "mask_rcnn": Setting(4, regions=64),
    "cascade_mask_rcnn": Setting(3, regions=64),
    # its loss grows at 2e-4 and more; the decay and clipping are its own
    "sparse_rcnn": Setting(24, regions=16, learning_rate=1e-4, weight_decay=1e-4, clip_gradient_norm=1),
    # 512 channels wide at stride 4, it takes seconds an image at 128 pixels
    "upernet": Setting(6, side=64),
}


def figure(figures: dict[str, float | None], prefix: str = "") -> str:
    """AP50, or mIoU."""
    value = figures.get(f"{prefix}AP50", figures.get("mIoU"))
    return "none" if value is None else f"{value:.1f}"


def learn(head: str, seed: int) -> str:
    """The row of a head."""
    own = SETTINGS[head]
    changes = {
        "images.short_side": own.side,
        "optimizer.learning_rate": own.learning_rate,
        "optimizer.weight_decay": own.weight_decay,
        "optimizer.clip_gradient_norm": own.clip_gradient_norm,
        "checkpointing.every_steps": None,
    }
    folder = Path(tempfile.mkdtemp(prefix=f"{head}-"))
    began = time.perf_counter()
    result = train_dense(
        SPEC,
        own.data,
        head,
        regions=own.regions,
        workers=0,
        flags={"epochs": own.epochs, "seed": seed},
        out=folder,
        set=changes,
    )
    seconds = time.perf_counter() - began
    classes = 5 if head == "upernet" else 4
    task = read_task({"head": head, "classes": classes, "regions": own.regions})
    torch.manual_seed(seed)
    model = assemble(load(SPEC), task).eval()
    names = tuple(map(str, range(classes)))
    belongings = DenseBelongings.describe(load(SPEC), task, names, load_dense_recipe("shapes", set=changes).images)
    fresh = TrainedDense(model, Path(), belongings)
    before = assess_dense(fresh, open_scenes(own.data, "validation", task.kind)).figures
    after = result.rows[-1]
    cells = [head, task.own_host, str(own.epochs), str(result.steps), figure(before), figure(after)]
    cells.append(figure(after, "mask_") if "mask_AP50" in after else "")
    return f"| {' | '.join(cells)} | {seed} | {seconds / 60:.1f} |"


def main() -> None:
    """Train the heads that are named, or all."""
    arguments = sys.argv[1:]
    seed = int(arguments[arguments.index("--seed") + 1]) if "--seed" in arguments else 0
    for head in [name for name in arguments if name in SETTINGS] or SETTINGS:
        print(learn(head, seed), flush=True)


if __name__ == "__main__":
    main()
