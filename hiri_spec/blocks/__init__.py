"""One file per block type, stem, downsampling and head; every module in this folder is imported, which registers it."""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
