"""`python -m explorer.scale`."""

from .command import main

main()
