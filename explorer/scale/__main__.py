"""`python -m explorer.scale`."""

from ..entry import start

start("explorer.scale.command")
