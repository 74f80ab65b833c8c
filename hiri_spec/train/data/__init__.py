"""Images for training and validation, and the loader that gives them out in batches."""

from .images import ImageSet
from .loader import Loader, make_loader, workers_watched
from .source import open_dataset, open_splits

__all__ = ["ImageSet", "Loader", "make_loader", "open_dataset", "open_splits", "workers_watched"]
