"""`python -m explorer.trust`."""

from ..entry import start

start("explorer.trust.command")
