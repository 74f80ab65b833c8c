"""Settings of all tests."""

import os

from hypothesis import settings

# the tests run in as many processes as there are cores; torch's own threads would only get in each other's way
os.environ.setdefault("OMP_NUM_THREADS", "1")
# the same examples on every run, so that a red run can be repeated
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")
