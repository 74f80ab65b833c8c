"""What a safetensors file says of itself, without torch: its tensors, the spec inside, and how the model was built."""

from __future__ import annotations

import os
from pathlib import Path as FilePath
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .document import parse
from .errors import Problem, SpecError, suggest
from .messages import validate
from .saving import to_yaml
from .schema import ModelSpec
from .tensors import TensorType, find_misfits, misfit_error, tensor_types

WEIGHTS_NAME = "model.safetensors"
ENDINGS = (".safetensors", ".pt", ".pth")
OF_RUN = ("best", "last")
"""Folders of weights in that of a run."""
SPEC_NAME = "spec.yaml"
VERSION_KEY, SPEC_KEY, BUILD_KEY = "hiri_spec.version", "hiri_spec.spec", "hiri_spec.build"
MAX_HEADER = 100_000_000
"""Most bytes of a header that safetensors itself reads."""
DTYPES = {
    "F64": ("float64", 8),
    "F32": ("float32", 4),
    "F16": ("float16", 2),
    "BF16": ("bfloat16", 2),
    "F8_E4M3": ("float8_e4m3fn", 1),
    "F8_E5M2": ("float8_e5m2", 1),
    "I64": ("int64", 8),
    "I32": ("int32", 4),
    "I16": ("int16", 2),
    "I8": ("int8", 1),
    "U8": ("uint8", 1),
    "BOOL": ("bool", 1),
}
"""safetensors' types: torch's name and the bytes of a value."""

Count = Annotated[int, Field(ge=0)]


class BuildOptions(BaseModel):
    """What a model has been asked for beyond its spec: 0 classes, another pooling, or maps in place of scores."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    classes: Annotated[int, Field(le=0, ge=0)] | None = None
    global_pool: Literal["avg", "max", ""] = "avg"
    features_only: bool = False
    out_indices: tuple[int, ...] | None = None

    @property
    def has_classifier(self) -> bool:
        """Whether the head ends in a linear layer."""
        return self.classes is None

    def tensor_types(self, spec: ModelSpec) -> dict[str, TensorType]:
        """The tensors of a model built so."""
        return tensor_types(spec, has_head=not self.features_only, has_classifier=self.has_classifier)


class StoredTensor(BaseModel):
    """One tensor's entry in the header."""

    model_config = ConfigDict(frozen=True, strict=True)

    dtype: str
    shape: tuple[Count, ...]
    data_offsets: tuple[Count, Count]

    @property
    def type(self) -> TensorType:
        """What has to agree for it to be loaded."""
        return TensorType(self.shape, self.dtype.startswith(("F", "BF")))

    @property
    def bytes(self) -> int:
        """Its size in the file."""
        return self.data_offsets[1] - self.data_offsets[0]

    @property
    def is_whole(self) -> bool:
        """Whether its size is that of its shape and type, as far as the type is known."""
        _, width = DTYPES.get(self.dtype, ("", 0))
        return not width or self.bytes == self.type.size * width


class _Header(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)
    __pydantic_extra__: dict[str, StoredTensor]

    metadata: dict[str, str] = Field(default_factory=dict, alias="__metadata__")


class Checkpoint(NamedTuple):
    """A safetensors file: its tensors, and the spec and options of its model if `save_pretrained` wrote it."""

    file: str
    tensors: dict[str, StoredTensor]
    spec: ModelSpec | None
    options: BuildOptions

    def check(self) -> ModelSpec:
        """The spec inside; raises SpecError if there is none, or if the tensors are not those of its network."""
        if self.spec is None:
            message = "no spec is inside; build its model and load it with hiri_spec.load_weights(model, path)"
            raise SpecError(Problem(message, file=self.file, code="no_spec"))
        misfits = find_misfits(
            self.options.tensor_types(self.spec),
            {name: tensor.type for name, tensor in self.tensors.items()},
            there="the file",
        )
        if misfits:
            advice = f"these tensors are not those of the spec inside, {self.spec.name}; save the model anew"
            raise misfit_error(misfits, advice, file=self.file)
        return self.spec


def find_weights(path: str | os.PathLike[str]) -> FilePath:
    """A weights file: the path itself, or the one in a folder; raises SpecError where there is none."""
    if not os.fspath(path):
        raise SpecError(Problem("the path is empty; name a file or a folder", code="no_file"))
    place = FilePath(path)
    try:
        if place.is_file() or (place / WEIGHTS_NAME).is_file():
            return place if place.is_file() else place / WEIGHTS_NAME
        folder = place if place.is_dir() else place.parent
        inside = list(folder.iterdir()) if folder.is_dir() else []
        names = [other.name for other in inside if other.is_dir() or other.suffix in ENDINGS]
        meant = [other.name for other in inside if _may_be_meant(other)]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SpecError(Problem(f"cannot be read: {reason}", file=os.fspath(path), code="unreadable")) from None
    if place.exists():
        hint = f"in it: {', '.join(sorted(names))}" if names else "name the weights file"
        message = f"has no {WEIGHTS_NAME} in it; {hint}"
    else:
        message = "no such file or folder" + (f"; {suggest(place.name, meant)}" if meant else "")
    raise SpecError(Problem(message, file=os.fspath(path), code="no_file"))


def _may_be_meant(other: FilePath) -> bool:
    """Whether somebody who names weights may mean this: a file by its ending, a folder or a run's by what it holds."""
    places = (other / WEIGHTS_NAME, *(other / name / WEIGHTS_NAME for name in OF_RUN))
    # a folder that may not be looked into is no reason to fail, as it would be for is_file
    return other.suffix in ENDINGS or any(os.access(place, os.R_OK) for place in places)


def read_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read the header of a safetensors file, or of the one in a folder; no tensor is read.

    Raises SpecError for one that isn't there, is cut short, or is no safetensors file.
    """
    place = find_weights(path)
    shown = str(place)
    if place.suffix != ".safetensors":
        message = (
            "is no .safetensors file, and only those have a spec inside; "
            "build its model and load it with hiri_spec.load_weights(model, path)"
        )
        raise SpecError(Problem(message, file=shown, code="not_safetensors"))
    header = _read_header(place, shown)
    tensors = header.__pydantic_extra__
    text = header.metadata.get(SPEC_KEY)
    if text is None:
        return Checkpoint(shown, tensors, None, BuildOptions())
    try:
        options = BuildOptions.model_validate_json(header.metadata.get(BUILD_KEY, "{}"))
    except ValidationError:
        version = header.metadata.get(VERSION_KEY, "unknown")
        message = f"written by hiri-spec {version} in a way that this version can't read; use that version or a newer"
        raise SpecError(Problem(message, file=shown, code="unreadable")) from None
    return Checkpoint(shown, tensors, _read_spec(text, shown), options)


def _read_spec(text: str, shown: str) -> ModelSpec:
    document = parse(text, shown)
    try:
        spec = validate(document)
    except SpecError as error:
        if all(problem.code != "unknown" for problem in error.problems):
            raise
        hint = Problem("import the module that registers it before you read this file", file=shown, code="unknown")
        raise SpecError([*error.problems, hint]) from None
    spec._document = document
    return spec


def _read_header(place: FilePath, shown: str) -> _Header:
    def fail(message: str) -> SpecError:
        return SpecError(Problem(message, file=shown, code="not_safetensors"))

    try:
        with place.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            length = int.from_bytes(stream.read(8), "little")
            text = stream.read(length) if size >= 8 and length <= MAX_HEADER else b""
    except OSError as error:
        raise SpecError(Problem(f"cannot be read: {error.strerror}", file=shown, code="unreadable")) from None
    if not text.startswith(b"{"):
        raise fail("is no safetensors file, or was cut short at the very beginning; save or download it anew")
    there = size - 8 - length
    if there < 0:
        raise fail(f"is cut short: its header takes {length:,} bytes, and {size - 8:,} are there; download it anew")
    try:
        header = _Header.model_validate_json(text)
    except ValidationError:
        raise fail("is damaged: its header can't be read; save or download it anew") from None
    end = 0
    for name, tensor in sorted(header.__pydantic_extra__.items(), key=lambda item: item[1].data_offsets):
        if tensor.data_offsets[0] != end or tensor.data_offsets[1] < end or not tensor.is_whole:
            raise fail(f"is damaged: the place of {name} doesn't fit its shape; save or download it anew")
        end = tensor.data_offsets[1]
    if there != end:
        what = "is cut short" if there < end else "has more in it than tensors"
        raise fail(f"{what}: the tensors take {end:,} bytes, and {there:,} are there; save or download it anew")
    return header


def metadata_of(spec: ModelSpec, options: BuildOptions, version: str) -> dict[str, str]:
    """What `save_pretrained` writes into a file's header."""
    return {
        "format": "pt",  # transformers and others ask for it
        VERSION_KEY: version,
        SPEC_KEY: to_yaml(spec),
        BUILD_KEY: options.model_dump_json(exclude_defaults=True),
    }
