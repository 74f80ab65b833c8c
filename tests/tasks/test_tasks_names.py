"""The public names of hiri_spec.tasks."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

from hiri_spec import tasks


def test_no_module_has_the_name_of_a_public_one() -> None:
    """A module that is imported takes its name in the package, whatever else was to be found there."""
    modules = {module.name for module in pkgutil.iter_modules(tasks.__path__)}
    assert not modules & set(tasks.__all__)


@pytest.mark.slow
@pytest.mark.parametrize("first", sorted(tasks.__all__))
def test_each_is_what_it_is_whichever_comes_first(first: str) -> None:
    names = sorted(tasks.__all__)
    code = f"from hiri_spec import tasks; tasks.{first}; assert all(callable(getattr(tasks, n)) for n in {names})"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
