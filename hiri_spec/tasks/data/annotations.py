"""What stands in an annotation file of COCO's form, checked for its form: every key that is used, of the right type.

See https://cocodataset.org/#format-data for the form. Keys that nothing here needs are passed over.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError, with_config
from pydantic_core import ErrorDetails, from_json
from typing_extensions import TypedDict  # pydantic refuses Python 3.11's own

from ...errors import Problem, SpecError, format_path, show
from .runs import Flaw, Runs, read_runs

SHOWN = 5
"""Problems that are told one by one."""
STRICT = ConfigDict(strict=True)
Id = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Side = Annotated[int, Field(gt=0, lt=2**31)]


Segmentation: TypeAlias = "list[array[float]] | Runs | Flaw"


def _read_segmentation(value: Any) -> Segmentation:
    """Polygons in a compact form, as a file has a million of them; or runs; or what is wrong."""
    if isinstance(value, dict):
        return read_runs(value.get("size"), value.get("counts"))
    if not isinstance(value, list) or not value:
        return Flaw(f"{show(value)} is no mask; write polygons, [[x, y, x, y, x, y, …], …], or runs, size and counts")
    polygons = []
    for number, polygon in enumerate(value):
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
            what = f"has {len(polygon)} numbers" if isinstance(polygon, list) else f"is {show(polygon)}"
            return Flaw(f"polygon {number} {what}; write x, y of three corners or more, an even number of six or more")
        try:
            polygons.append(array("d", polygon))
        except (TypeError, OverflowError):  # of an integer that has more digits than any number of 8 bytes
            return Flaw(f"polygon {number} has something in it that is no number; write x, y of each corner")
    return polygons


@with_config(STRICT)
class ImageEntry(TypedDict):
    """An image, sides in pixels."""

    id: Id
    file_name: Annotated[str, Field(min_length=1)]
    height: Side
    width: Side


@with_config(STRICT)
class Category(TypedDict):
    """A class."""

    id: Id
    name: Annotated[str, Field(pattern=r"\S")]


@with_config(STRICT)
class Annotation(TypedDict):
    """An object: `bbox` is x, y, width, height in pixels, `area` in pixels."""

    id: Id
    image_id: Id
    category_id: Id
    bbox: tuple[float, float, float, float]
    iscrowd: NotRequired[Literal[0, 1]]
    area: NotRequired[Annotated[float, Field(ge=0, allow_inf_nan=False)]]


@with_config(STRICT)
class MaskAnnotation(Annotation):
    """An object with its mask."""

    segmentation: Annotated[Any, AfterValidator(_read_segmentation)]


class AnnotationFile(TypedDict):
    """A file for those who need no masks."""

    images: list[ImageEntry]
    categories: list[Category]
    annotations: list[Annotation]


class MaskFile(TypedDict):
    """A file for those who do."""

    images: list[ImageEntry]
    categories: list[Category]
    annotations: list[MaskAnnotation]


HINTS = {
    "bbox": "write [x, y, width, height] in pixels",
    "segmentation": "this head learns masks: write polygons or runs, or use one that needs none, like retinanet",
    "iscrowd": "write 1 for a group drawn as one, or else 0",
    "area": "write a number of pixels",
    "file_name": "write the name of the image's file",
    "name": "write what the class is called",
    "images": "write a list of images",
    "categories": "write a list of classes",
    "annotations": "write a list of objects",
}
"""What belongs there; at all other places it is a whole number."""
OF_ID = "write a whole number of 8 bytes, from -2^63 to 2^63 - 1"
OF_SIDE = "write a whole number of pixels, from 1 to 2^31 - 1"
LIMITS = {"id": OF_ID, "image_id": OF_ID, "category_id": OF_ID, "height": OF_SIDE, "width": OF_SIDE}
"""What belongs there in place of a number that is too small or too large."""
BEYOND = ("less_than", "greater_than", "greater_than_equal")
"""pydantic's names of such mistakes."""


class Complaints:
    """What is wrong with a file: the first few, and how many there are."""

    def __init__(self, file: Path) -> None:
        self._file = str(file)
        self._problems: list[Problem] = []
        self._count = 0

    def add(self, path: str, message: str) -> None:
        """One more."""
        self.add_all([path], lambda own: (own, message))

    def add_all(self, places: Sequence[Any], explain: Callable[[Any], tuple[str, str]]) -> None:
        """Many of a kind: those that are shown are explained, by their path and what is wrong."""
        self._count += len(places)
        for place in places[: SHOWN - len(self._problems)]:
            path, message = explain(place)
            self._problems.append(Problem(message, path, self._file, code="annotation"))

    def settle(self) -> None:
        """Raise SpecError if there are any."""
        if self._count > len(self._problems):
            more = self._count - len(self._problems)
            self._problems.append(Problem(f"and {more:,} more", file=self._file, code="annotation"))
        if self._problems:
            raise SpecError(self._problems)


def read_annotations(file: Path, *, has_masks: bool) -> MaskFile | AnnotationFile:
    """What stands in a file; raises SpecError that names the places of what is wrong with its form."""
    try:
        content = file.read_bytes()
    except OSError as error:
        message = f"can't be read: {error.strerror or error}; give yourself the right to read it"
        raise SpecError(Problem(message, file=str(file), code="unreadable")) from None
    if not content.strip():
        raise SpecError(Problem("is empty; write it anew, or fetch it again", file=str(file), code="empty"))
    form: TypeAdapter[Any] = TypeAdapter(MaskFile if has_masks else AnnotationFile)
    try:
        read: MaskFile | AnnotationFile = form.validate_json(content)
    except ValidationError as error:
        raise _explain(error, file, content) from None
    return read


def _explain(error: ValidationError, file: Path, content: bytes) -> SpecError:
    details = error.errors(include_url=False)
    if details[0]["type"] == "json_invalid":
        why = str(details[0].get("ctx", {}).get("error", "")).partition(" at ")
        message = f"is not JSON, or not all of it ({why[0]} at {why[2]}); write it anew, or fetch it again"
        return SpecError(Problem(message, file=str(file), code="no_json"))
    details = [detail for detail in details if not _is_one_more(detail)]
    written = from_json(content)
    complaints = Complaints(file)

    def explain(index: int) -> tuple[str, str]:
        detail = details[index]
        field = next((part for part in reversed(detail["loc"]) if isinstance(part, str)), "")
        hint = HINTS.get(field, "write a whole number" if field else f"write {', '.join(MaskFile.__annotations__)}")
        if detail["type"] in BEYOND:
            hint = LIMITS.get(field, hint)
        place = detail["loc"]
        if detail["type"] == "missing" and place[-1] == field:
            what = f"{field} is missing"
        elif detail["type"] == "missing":  # of a list, which is there, its next number
            place, what = place[:-1], f"{field} is {show(detail['input'])}, too short"
        else:
            what = f"{field} is {show(detail['input'])}" if field else f"{show(detail['input'])} stands for all of it"
        return format_path(place), f"{_whose(written, place)}{what}; {hint}"

    complaints.add_all(range(len(details)), explain)
    try:
        complaints.settle()
    except SpecError as told:
        return told
    raise AssertionError("there is no error without details")


def _is_one_more(detail: ErrorDetails) -> bool:
    """Whether it is the lack of a further number of a list that ends before the one ahead of it."""
    last = detail["loc"][-1] if detail["loc"] else ""
    return detail["type"] == "missing" and isinstance(last, int) and last > len(detail["input"])


def _whose(written: Any, place: Iterable[str | int]) -> str:
    """The id of the entry at a place, if it has one."""
    kind, index, *_ = (*place, None, None)
    if not isinstance(index, int):
        return ""
    entry = written[kind][index]
    known = entry.get("id") if isinstance(entry, dict) else None
    return "" if known is None else f"id {show(known)}: "
