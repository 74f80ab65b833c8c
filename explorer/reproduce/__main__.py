"""`python -m explorer.reproduce`."""

from .command import main

main()
