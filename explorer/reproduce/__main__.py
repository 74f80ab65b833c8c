"""`python -m explorer.reproduce`."""

from ..entry import start

start("explorer.reproduce.command")
