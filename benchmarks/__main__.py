"""Run every benchmark; exit status 1 if one misses its target."""

import sys

from .cold_start import cold_cost
from .cost_speed import against_fvcore, candidates_a_second, enumerated_a_second
from .loading import loading
from .search_overhead import beside_bare_optuna, overhead_a_trial
from .studio import keystrokes
from .workers import two_workers

BENCHMARKS = (
    against_fvcore,
    candidates_a_second,
    enumerated_a_second,
    cold_cost,
    overhead_a_trial,
    beside_bare_optuna,
    two_workers,
    loading,
    keystrokes,
)

sys.exit(0 if sum(not benchmark() for benchmark in BENCHMARKS) == 0 else 1)
