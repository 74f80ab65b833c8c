"""The heads that backbones are put under: what each finds, who hosts it, which maps it reads. No torch in here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..errors import Problem, SpecError, suggest

Kind = Literal["boxes", "masks", "segmentation"]
"""What a head finds: boxes of objects; boxes and masks of objects; a class for each pixel."""


@dataclass(frozen=True, slots=True)
class Head:
    """One head. `hosts` are the libraries that have it, the default first.

    `strides` are those of the maps that it usually reads off a backbone, `extra_strides` those that its neck adds of
    its own, in pixels. `recipe` is the paper's schedule for it. `regions` are those of an image that it learns from one
    by one, in heads that have such a second stage.
    """

    name: str
    title: str
    kind: Kind
    hosts: tuple[str, ...]
    strides: tuple[int, ...]
    extra_strides: tuple[int, ...]
    recipe: str
    source: str
    regions: int | None = None

    @property
    def is_segmentation(self) -> bool:
        """Whether it gives a class for each pixel instead of objects."""
        return self.kind == "segmentation"


HEADS: dict[str, Head] = {
    head.name: head
    for head in (
        Head(
            "retinanet", "RetinaNet", "boxes", ("torchvision", "mmdet"), (8, 16, 32), (64, 128), "coco_1x",
            "Lin et al. 2017, arXiv 1708.02002",
        ),
        Head(
            "mask_rcnn", "Mask R-CNN", "masks", ("torchvision", "mmdet"), (4, 8, 16, 32), (64,), "coco_1x",
            "He et al. 2017, arXiv 1703.06870", regions=512,
        ),
        Head(
            "cascade_mask_rcnn", "Cascade Mask R-CNN", "masks", ("mmdet",), (4, 8, 16, 32), (64,), "coco_3x",
            "Cai and Vasconcelos 2019, arXiv 1906.09756", regions=512,
        ),
        Head(
            "atss", "ATSS", "boxes", ("mmdet",), (8, 16, 32), (64, 128), "coco_3x",
            "Zhang et al. 2020, arXiv 1912.02424",
        ),
        Head(
            "gfl", "GFL", "boxes", ("mmdet",), (8, 16, 32), (64, 128), "coco_3x",
            "Li et al. 2020, arXiv 2006.04388",
        ),
        Head(
            "sparse_rcnn", "Sparse R-CNN", "boxes", ("mmdet",), (4, 8, 16, 32), (), "coco_3x_sparse_rcnn",
            "Sun et al. 2021, arXiv 2011.12450", regions=300,
        ),
        Head(
            "upernet", "UPerNet", "segmentation", ("transformers",), (4, 8, 16, 32), (), "ade20k_160k",
            "Xiao et al. 2018, arXiv 1807.10221",
        ),
    )
}  # fmt: skip
HOSTS = {"torchvision": "torchvision", "mmdet": "onedl-mmdetection", "transformers": "transformers"}
"""The package of each host."""

MODULES = {"torchvision": ("torchvision",), "mmdet": ("mmdet", "mmcv", "mmengine"), "transformers": ("transformers",)}
"""The modules that each host consists of."""


def find_head(name: str) -> Head:
    """The head of a name; raises SpecError if there is none."""
    if name not in HEADS:
        message = f"{name!r} is no head; {suggest(name, HEADS)}"
        raise SpecError(Problem(message, "head", code="no_head"))
    return HEADS[name]
