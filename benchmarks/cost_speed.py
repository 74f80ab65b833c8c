"""How fast a cost is known: against building and counting, and in candidates a second."""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

import hiri_spec
from explorer.budget import Budget
from explorer.space import load_space
from explorer.survey import survey
from hiri_spec.block import Block
from hiri_spec.cost import part_cost, run_cost
from hiri_spec.files import to_data
from hiri_spec.network import forget_traces
from hiri_spec.nn.timing import time_call
from hiri_spec.schema import ModelSpec

from .timing import median_seconds, report

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))


def against_fvcore() -> bool:
    """Cost of a spec object never seen before, against build + fvcore on the same spec, in one run."""
    from contract import count_with_fvcore

    data = to_data(hiri_spec.load("hiri_s"))
    image = torch.randn(1, 3, 448, 448)

    def build_and_count() -> None:
        with torch.no_grad():
            count_with_fvcore(hiri_spec.build(spec).eval(), image)

    def fresh(*, memoised: bool) -> float:
        spec = ModelSpec.model_validate(data)
        if not memoised:
            forget_traces()
            part_cost.cache_clear()
            run_cost.cache_clear()
        return time_call(lambda: hiri_spec.cost(spec, 448))

    spec = hiri_spec.load("hiri_s")
    build_and_count()
    rounds = [
        [
            time_call(build_and_count),
            statistics.median(fresh(memoised=False) for _ in range(101)),
            statistics.median(fresh(memoised=True) for _ in range(101)),
            median_seconds(lambda: ModelSpec.model_validate(data), 101),
        ]
        for _ in range(5)
    ]
    slow, unseen, seen, validated = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"       build + fvcore {slow * 1e3:.0f} ms; cost of a new spec object with nothing memoised ", end="")
    print(f"{unseen * 1e6:.0f} µs, with blocks seen before {seen * 1e6:.1f} µs; validating it {validated * 1e6:.0f} µs")
    ratio, memoised = (statistics.median(row[0] / row[place] for row in rounds) for place in (1, 2))
    what = "cost of a fresh 5-stage spec object against build + fvcore"
    met = report(f"{what}, nothing memoised", f"{ratio:,.0f} x", "2,000 x", ratio >= 2000)
    return report(f"{what}, blocks memoised", f"{memoised:,.0f} x", "2,000 x", memoised >= 2000) and met


def candidates(count: int, seed: int = 0) -> list[ModelSpec]:
    """Random 5-stage networks, all different, whose runs come from a pool as in a search."""
    rng = random.Random(seed)
    base = to_data(hiri_spec.load("hiri_s"))

    def run(stage: int, block: str, downsample: str | None) -> list[Any]:
        widths = [(32, 48, 64), (64, 96, 128), (128, 160, 192), (256, 320, 384), (512, 640, 768)][stage]
        extra: list[dict[str, Any]] = [{"heads": 8}, {"heads": 16}] if block == "transformer" else [{}]
        return [
            {"block": block, "depth": depth, "width": width, "expansion": expansion, "downsample": downsample, **more}
            for depth in (2, 4, 6, 8)
            for width in widths
            for expansion in (2, 3, 4)
            for more in extra
        ]

    downs = [None, "irds_a", "irds_a", "irds_b", "irds_b"]
    blocks = [("hr", "cffn")] * 2 + [("cffn", "transformer")] * 3
    pools = [[*run(i, blocks[i][0], down), *run(i, blocks[i][1], down)] for i, down in enumerate(downs)]
    parsed = [[Block.registry[each["block"]].model_validate(each) for each in pool] for pool in pools]
    seed_spec = ModelSpec.model_validate(base)
    return [
        seed_spec.model_copy(update={"stages": tuple((rng.choice(pool),) for pool in parsed)}) for _ in range(count)
    ]


def candidates_a_second() -> bool:
    """Different networks made of repeated blocks, costed one after the other on one core."""
    specs = candidates(20_000)
    for spec in specs[:2000]:
        hiri_spec.cost(spec, 448)
    rates = []
    for _ in range(5):
        began = time.perf_counter()
        for spec in specs:
            hiri_spec.cost(spec, 448)
        rates.append(len(specs) / (time.perf_counter() - began))
    rate = statistics.median(rates)
    return report("candidates costed a second, blocks memoised", f"{rate:,.0f}", "50,000", rate >= 50_000)


def enumerated_a_second() -> bool:
    """`--objective cost-only` over a million draws from the default space on one core, first costs and file counted."""
    space, rates = load_space(), []
    for seed in range(3):
        with tempfile.TemporaryDirectory() as folder:
            rates.append(survey(space, Budget(5 * 10**9), 1_000_000, seed, Path(folder) / "run").rate)
    rate = statistics.median(rates)
    return report("candidates a second, --objective cost-only", f"{rate:,.0f}", "50,000", rate >= 50_000)
