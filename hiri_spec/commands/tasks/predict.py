"""`hiri-spec tasks predict`: what a trained network sees in images, drawn onto them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...command_line import JsonOption
from ...errors import Problem, SpecError
from ...saving import make_folder
from ..extras import require
from ..progress import ImageProgress
from ..trained_options import DeviceOption, EmaOption, LastOption
from .trained_options import RunArgument, SizeOption, read_sizes

if TYPE_CHECKING:
    from ...tasks.prediction import Sight


def predict(
    network: RunArgument,
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE|FOLDER…", help="Image files, and folders to go through with all inside."),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Where pictures go, as PNG by the names of the images.")
    ] = Path("seen"),
    threshold: Annotated[
        float, typer.Option(metavar="SCORE", min=0, max=1, help="Least score of an object that is drawn and told.")
    ] = 0.3,
    ema: EmaOption = False,
    last: LastOption = False,
    size: SizeOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Draw boxes, masks or pixel classes onto images. Status 1 if some can't be read, 2 if none can."""
    require("detect")
    # torch and timm take seconds to import: after the mistakes that can be told without them
    from ...tasks.prediction import predict_dense
    from ...tasks.trained import load_dense
    from ...train.data.image_files import list_images

    trained = load_dense(network, ema=ema, last=last)
    paths = list_images(images)
    pictures = name_pictures(paths, out)
    sizes = read_sizes(size, trained.images)
    make_folder(out)
    told: list[dict[str, Any]] = []
    is_stopped = False
    try:
        with ImageProgress(len(paths)) as progress:
            sights = predict_dense(trained, paths, sizes=sizes, device=device, threshold=threshold)
            for sight, picture in zip(sights, pictures, strict=True):
                if sight.problem is None:
                    _save(sight, picture, trained.class_names, threshold)
                told.append(_as_dict(sight, picture, trained.class_names, threshold))
                progress.advance(1)
    except KeyboardInterrupt:
        is_stopped = True
    problems = [each for each in told if "problem" in each]
    if told and len(problems) == len(paths):
        raise SpecError(Problem(f"can't be read: {each['problem']}", file=each["image"]) for each in problems)
    if as_json:
        sys.stdout.write(json.dumps({"network": trained.name, "images": told}, indent=2) + "\n")
    else:
        sys.stdout.write("".join(f"{each['picture']}: {each['sees']}\n" for each in told if "picture" in each))
    for each in problems:
        sys.stderr.write(f"error: {each['image']}: can't be read: {each['problem']}\n")
    if is_stopped:
        sys.stderr.write(f"stopped after {len(told):,} of {len(paths):,} images\n")
        raise typer.Exit(130)
    if problems:
        raise typer.Exit(1)


def name_pictures(paths: list[Path], out: Path) -> list[Path]:
    """Where each picture goes; names that occur twice are numbered. Raises SpecError for the folder of an image."""
    own_names = {path.stem for path in paths}  # an image that comes later may be called as a numbered one would be
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    pictures = []
    for path in paths:
        name = path.stem
        while name in taken or (name != path.stem and name in own_names):
            numbers[path.stem] = numbers.get(path.stem, 1) + 1
            name = f"{path.stem}-{numbers[path.stem]}"
        taken.add(name)
        pictures.append(out / f"{name}.png")
    for path, picture in zip(paths, pictures, strict=True):
        if picture.exists() and any(picture.samefile(other) for other in paths if other.exists()):
            message = f"the picture of {path} would be written over the image {picture}; name another folder"
            raise SpecError(Problem(message, "--out", code="taken"))
    return pictures


def _save(sight: Sight, picture: Path, class_names: tuple[str, ...], threshold: float) -> None:
    import io

    from ...saving import write_bytes

    stream = io.BytesIO()
    sight.draw(class_names, threshold).save(stream, format="png")
    write_bytes(picture, stream.getvalue())


def _as_dict(sight: Sight, picture: Path, class_names: tuple[str, ...], threshold: float) -> dict[str, Any]:
    """What is told of an image: objects, or the share of the pixels of each class, the largest first."""
    from ...tasks.scenes import PixelClasses

    if sight.problem is not None:
        return {"image": str(sight.image), "problem": sight.problem}
    told: dict[str, Any] = {"image": str(sight.image), "picture": str(picture)}
    if isinstance(sight.answer, PixelClasses):
        counts = sight.answer.classes.flatten().bincount(minlength=len(class_names)).tolist()
        shares = {name: count / sum(counts) for name, count in zip(class_names, counts, strict=False) if count}
        largest = dict(sorted(shares.items(), key=lambda item: -item[1]))
        sees = ", ".join(f"{name} {100 * share:.1f} %" for name, share in largest.items())
        return told | {"sees": sees, "shares": {name: round(share, 6) for name, share in largest.items()}}
    assert sight.answer is not None
    objects = [
        {"class": class_names[label] if label < len(class_names) else str(label), "score": round(score, 4), "box": box}
        for label, score, box in zip(
            sight.answer.labels.tolist(),
            sight.answer.scores.tolist(),
            sight.answer.boxes.double().round(decimals=2).tolist(),
            strict=True,
        )
    ]
    sees = ", ".join(f"{each['class']} {each['score']:.2f}" for each in objects) or f"nothing of {threshold:g} or more"
    return told | {"sees": sees, "objects": objects}
