"""Labels of what is in images, checked against the classes of the head that is to learn them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import Problem, SpecError
from .scenes import IGNORED, Objects, PixelClasses, Target


def check_labels(targets: Sequence[Target], classes: int) -> None:
    """Raise SpecError for a label that is none of the classes 0, 1, … of a head; IGNORED is for pixels alone.

    Losses take labels for places in memory: a wrong one fails somewhere deep inside on a CPU, and on a GPU leaves it
    useless for the rest of the process. The device is waited for once, whatever the number of images.
    """
    labels = {number: _labels(target) for number, target in enumerate(targets)}
    known = {number: own for number, own in labels.items() if own is not None and own.numel()}
    if not known:
        return
    bounds: list[list[int]] = torch.stack([torch.stack(own.aminmax()) for own in known.values()]).tolist()
    for number, (least, most) in zip(known, bounds, strict=True):
        if least < 0 or most >= classes:
            raise _explain(number, targets[number], known[number], classes)


def _labels(target: Target) -> Tensor | None:
    """All that must be classes; None of what is no target, which every head tells in its own words."""
    if isinstance(target, Objects):
        return target.labels.long()
    if isinstance(target, PixelClasses):
        return target.classes.long().masked_fill(target.classes == IGNORED, 0)
    return None


def _explain(number: int, target: Target, labels: Tensor, classes: int) -> SpecError:
    place: list[int] = ((labels < 0) | (labels >= classes)).nonzero()[0].tolist()
    label = int(labels[tuple(place)])
    known = f"is none of the head's {classes} classes; use 0 to {classes - 1}"
    if isinstance(target, Objects):
        message = f"label {label} {known}, or a head of more"
        return SpecError(Problem(message, f"targets[{number}].labels[{place[0]}]", code="no_class"))
    message = f"class {label} {known}, {IGNORED} where nobody says, or a head of more"
    return SpecError(Problem(message, f"targets[{number}].classes[{', '.join(map(str, place))}]", code="no_class"))
