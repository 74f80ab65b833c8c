"""What goes with trained weights into their file: the names of their classes, and how images are made ready."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import safe_open

from ..errors import Problem, SpecError
from .augmentation import Augmentation

KEY = "hiri_spec.trained"
"""Where they are in the header of a weights file."""
FOR_EVALUATION = {"interpolation", "crop_fraction", "mean", "std"}
"""Fields of an augmentation that held-out images are made ready by."""


class Belongings(BaseModel):
    """`class_names` are those of the first scores; of `augmentation` only what held-out images need is written."""

    model_config = ConfigDict(frozen=True)

    class_names: tuple[str, ...]
    augmentation: Augmentation

    @classmethod
    def read(cls, place: Path) -> Self | None:
        """Those of a safetensors file; None where there are none. Raises SpecError if they can't be read."""
        with safe_open(place, "pt") as file:
            text = (file.metadata() or {}).get(KEY)
        try:
            return None if text is None else cls.model_validate_json(text)
        except ValidationError:
            message = "says of its classes and images what this version can't read; use the version that wrote it"
            raise SpecError(Problem(message, file=str(place), code="unreadable")) from None

    def metadata(self) -> dict[str, str]:
        """As the header has them."""
        return {KEY: self.model_dump_json(include={"class_names": True, "augmentation": FOR_EVALUATION})}
