"""`python -m hiri_spec.tasks …` is `hiri-spec tasks …`, which is how torchrun starts it in several processes."""

import sys
from functools import partial

from hiri_spec.cli import app
from hiri_spec.command_line import run_app

if __name__ == "__main__":
    sys.argv.insert(1, "tasks")
    run_app(partial(app, prog_name="hiri-spec"))  # or help would have `tasks` typed twice
