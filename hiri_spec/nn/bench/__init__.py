"""Honest latency: networks from specs and from timm, in several modes, all measured in turn in one run."""

from ..timing import Limits, Spread
from .models import Subject, read_subjects
from .profile import Profile, profile_network
from .results import BenchInfo, ModeRow, NetworkRow, Report, get_bench_info
from .run import DTYPES, Settings, Watcher, run_bench

__all__ = [
    "DTYPES",
    "BenchInfo",
    "Limits",
    "ModeRow",
    "NetworkRow",
    "Profile",
    "Report",
    "Settings",
    "Spread",
    "Subject",
    "Watcher",
    "get_bench_info",
    "profile_network",
    "read_subjects",
    "run_bench",
]
