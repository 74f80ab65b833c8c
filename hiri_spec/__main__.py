"""`python -m hiri_spec` is `hiri-spec`."""

from .cli import main

main()
