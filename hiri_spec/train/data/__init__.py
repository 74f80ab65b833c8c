"""Images for training and validation, and the loader that gives them out in batches."""

from .images import ImageSet
from .loader import Loader, make_loader
from .source import open_dataset

__all__ = ["ImageSet", "Loader", "make_loader", "open_dataset"]
