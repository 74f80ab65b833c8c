"""What the first of several processes does for all of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list, gather_object

from ..errors import SpecError
from .devices import check_launcher, is_on_cpu

Given = TypeVar("Given")


class Once(Protocol):
    """Gives what `read` gives, in whichever process it is run; all processes call it, in the same order."""

    def __call__(self, read: Callable[[], Given]) -> Given: ...


def read_here(read: Callable[[], Given]) -> Given:
    """Read in this process, whatever others do."""
    return read()


def read_by_first(device: str) -> Once:
    """Have the first process read and all others be told, as reading may take memory that is there only once.

    Processes on a device find one another by it. A SpecError that is raised in the first is raised in all.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return read_here
    check_launcher()
    PartialState(cpu=is_on_cpu(device))

    def once(read: Callable[[], Given]) -> Given:
        given: Any = None
        if PartialState().is_main_process:
            try:
                given = read()
            except SpecError as error:
                given = error
        given = told_by_first(given)
        if isinstance(given, SpecError):
            raise given
        told: Given = given
        return told

    return once


def gathered_by_first(own: Given) -> list[Given] | None:
    """What all processes have, by their number; None in all but the first."""
    state = PartialState()
    if state.num_processes == 1:
        return [own]
    everyones: list[Any] | None = [None] * state.num_processes if state.is_main_process else None
    torch.distributed.gather_object(own, everyones)
    return everyones


def gathered_by_all(own: Given) -> list[Given]:
    """What all processes have, by their number, in each of them."""
    everyones: list[Given] = gather_object([own])
    return everyones


def told_by_first(value: Given) -> Given:
    """The first process's value in all of them."""
    told: list[Given] = broadcast_object_list([value])
    return told[0]
