"""Data sets that timm opens by name: torchvision's (`torch/…`) and those of Hugging Face's hub (`hfds/…`)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from timm.data import create_dataset

from ...errors import Problem, SpecError
from .images import MODES, ImageSet, Sample, as_bytes, decode

STREAMS = ("hfids", "tfds", "wds")
"""What timm can only read from the beginning on."""


class TorchOptions(BaseModel):
    """What can be chosen, as in `torch/cifar10:root=data,download=true`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    root: str = Field("data", description="The folder that the files lie in.")
    download: bool = Field(False, description="Download them there, if they are not there.")
    train: str = Field("train", description="Name of the training split.")
    validation: str = Field("validation", description="Name of the validation split.")


class HubOptions(BaseModel):
    """What can be chosen, as in `hfds/food101:validation=test`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    root: str | None = Field(None, description="The folder that files are downloaded to; by default datasets' own.")
    train: str = Field("train", description="Name of the training split.")
    validation: str = Field("validation", description="Name of the validation split.")
    image: str = Field("image", description="Name of the column of images.")
    label: str = Field("label", description="Name of the column of classes.")


class TorchImages(ImageSet):
    """A data set of torchvision's, in its own order."""

    def __init__(self, name: str, split: str, options: TorchOptions, in_channels: int, source: str) -> None:
        self._images: Any = _open(
            source, name, root=options.root, split=getattr(options, split), download=options.download
        )
        names = getattr(self._images, "classes", None)
        if names is None:
            raise SpecError(Problem("has no names of classes; use another data set", file=source, code="no_classes"))
        # ImageNet's are tuples of synonyms
        self.class_names = tuple(name if isinstance(name, str) else name[0] for name in names)
        self.in_channels = in_channels
        self._source = source

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Sample:
        image, target = self._images[index]
        return as_bytes(image).convert(MODES[self.in_channels]), int(target)

    def describe(self, index: int) -> str:
        return f"image {index} of {self._source}"


class HubImages(ImageSet):
    """A data set of the hub, downloaded whole, in its own order."""

    def __init__(self, name: str, split: str, options: HubOptions, in_channels: int, source: str) -> None:
        if find_spec("datasets") is None:
            message = "needs Hugging Face's datasets, which is not installed; pip install datasets"
            raise SpecError(Problem(message, file=source, code="no_datasets"))
        self._reader: Any = _open(
            source,
            name,
            root=options.root,
            split=getattr(options, split),
            input_key=options.image,
            target_key=options.label,
        ).reader
        names = self._reader.class_to_idx
        if not names:
            message = f"its column {options.label!r} has no names of classes; name another, like label=fine_label"
            raise SpecError(Problem(message, file=source, code="no_classes"))
        self.class_names = tuple(sorted(names, key=names.__getitem__))
        self.in_channels = in_channels
        self._source = source

    def __len__(self) -> int:
        return len(self._reader)

    def __getitem__(self, index: int) -> Sample:
        stream, target = self._reader[index]
        with stream:
            return decode(stream, self.in_channels), int(target)

    def describe(self, index: int) -> str:
        return f"image {index} of {self._source}"


def _open(source: str, name: str, **options: Any) -> Any:
    """timm's data set; raises SpecError with the first line of whatever goes wrong in the libraries that it calls."""
    try:
        return create_dataset(name, **options)
    except Exception as error:  # of torchvision, datasets, huggingface_hub, the network; each with types of its own
        lines = str(error).strip().splitlines()
        message = f"can't be opened: {lines[0] if lines else type(error).__name__}"
        raise SpecError(Problem(message, file=source, code="no_data")) from error
