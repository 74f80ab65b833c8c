"""The scores: found by their files, repeatable, finite for whatever can be built, and telling networks apart."""

import math
import random
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import explorer.evaluators
import hiri_spec
from examples import REQUIRED
from explorer.budget import Budget, fit
from explorer.evaluators import EVALUATORS, UNTRAINED, choose, load_evaluator, read_entry
from explorer.results import GMACS, PARAMS
from explorer.space import load_space
from hiri_spec import ModelSpec, SpecError
from hiri_spec.block import Block, Downsample, Part, Stem

ROOT = Path(__file__).parent.parent.parent
COUNTED = ("macs", "params")
WITHOUT_TORCH = (*COUNTED, "random")
NOISY = ("gradnorm", "meco")
"""One batch's gradients, and channels drawn at random, differ more from seed to seed than the rest do."""


def names_of(family: type[Part], *, takes_streams: bool = False) -> list[str]:
    """The parts of a family that are the project's own, tests register others."""
    parts = {name: part for name, part in family.registry.items() if part.__module__.startswith("hiri_spec.blocks.")}
    return sorted(name for name, part in parts.items() if part.takes_streams == takes_streams)


def small_spec(block: str) -> ModelSpec:
    """Two stages of one block type; stems and downsamplings take turns from block to block."""
    fields = Block.registry[block].model_fields
    required = {name: REQUIRED[name] for name, field in fields.items() if field.is_required()}
    run = {"block": block, **required}
    if Block.registry[block].takes_streams:
        stages = [{**run, "streams": count, "downsample": "add_stream"} for count in (2, 3)]
        return ModelSpec.model_validate(
            {"name": block, "resolution": 64, "stem": {"stem": "hrnet", "depth": 1}, "stages": stages}
            | {"head": {"head": "hrnet", "width": 64}}
        )
    place = names_of(Block).index(block)
    stems = [name for name in names_of(Stem) if not Stem.registry[name].has_own_width]
    stem = {"stem": stems[place % len(stems)], "width": 16}
    if "width" not in Stem.registry[stem["stem"]].model_fields:
        del stem["width"]
    downsample = names_of(Downsample)[place % len(names_of(Downsample))]
    stages = [run, {**run, "downsample": downsample}]
    return ModelSpec.model_validate({"name": block, "resolution": 64, "stem": stem, "stages": stages})


BLOCKS = [*names_of(Block), *names_of(Block, takes_streams=True)]


@pytest.mark.parametrize("name", UNTRAINED)
@pytest.mark.parametrize("block", BLOCKS)
def test_a_score_of_every_block_type_is_finite(block: str, name: str) -> None:
    assert math.isfinite(load_evaluator(name)(small_spec(block), 0))


@pytest.mark.parametrize("name", ["synflow", "zen", "gradnorm", "meco"])
def test_a_score_of_a_deep_network_is_finite(name: str) -> None:
    """Deep enough for values that float32 does not hold, were they not scaled."""
    run = {"block": "hr", "depth": 100, "width": 8}
    spec = {"name": "deep", "resolution": 64, "stem": "vit", "stages": [run, {**run, "downsample": "irds_b"}]}
    score = load_evaluator(name)(ModelSpec.model_validate(spec), 0)
    assert math.isfinite(score)
    if name in ("synflow", "zen"):
        assert score > math.log(torch.finfo(torch.float32).max)


@pytest.mark.parametrize("name", UNTRAINED)
def test_a_score_is_repeatable_and_leaves_everything_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(seed: int) -> None:
        raise AssertionError("the generators of GPUs were seeded")

    monkeypatch.setattr(torch.cuda, "manual_seed_all", refuse)
    spec = hiri_spec.load(ROOT / "specs" / "tiny.yaml")
    evaluate = load_evaluator(name)
    first = evaluate(spec, 3)
    torch.default_generator.manual_seed(7)
    random.seed(7)
    states = torch.get_rng_state(), random.getstate()
    with torch.no_grad():
        assert evaluate(spec, 3) == first
        assert not torch.is_grad_enabled()
    with torch.inference_mode():
        assert load_evaluator(name)(spec, 3) == first
        assert torch.is_inference_mode_enabled()
    assert torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert (evaluate(spec, 4) == first) == (name in COUNTED)


def test_every_file_is_found_and_says_what_it_is() -> None:
    folder = Path(explorer.evaluators.__file__).parent
    assert set(EVALUATORS) == {path.stem for path in folder.iterdir() if path.suffix == ".py"} - {"__init__"}
    assert len({entry.score_name for entry in EVALUATORS.values()}) == len(EVALUATORS)
    for name, entry in EVALUATORS.items():
        settings = {"data": "digits"} if "data" in entry.settings else {}
        chosen = choose(name, settings)
        assert (chosen.score_name, chosen.is_untrained) == (entry.score_name, name in UNTRAINED)
        assert entry.description.endswith(".")
        assert chosen.load().__doc__
    assert (EVALUATORS["macs"].score_name, EVALUATORS["params"].score_name) == (GMACS, PARAMS)


@pytest.mark.parametrize(
    "text", ["", "import math\n", '"""Depth."""\n', '"""Depth score:\n"""\n', '""": the depth."""\n'], ids=repr
)
def test_a_file_that_does_not_say_what_it_is(tmp_path: Path, text: str) -> None:
    (tmp_path / "depth.py").write_text(text)
    with pytest.raises(ValueError, match=r"depth\.py needs a docstring that begins with a name, a colon and what"):
        read_entry(tmp_path / "depth.py")


def test_a_new_evaluator_is_one_file(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "explorer", tmp_path / "explorer", ignore=shutil.ignore_patterns("__pycache__"))
    code = ["class Depth:", "    def __call__(self, spec, seed):", "        return len(spec.stages)"]
    text = "\n".join(['"""Depth score: the number of stages."""', *code])
    (tmp_path / "explorer" / "evaluators" / "depth.py").write_text(text)
    code = "import explorer, hiri_spec; from explorer.evaluators import choose\nprint(explorer.__file__)\n"
    code += "chosen = choose('depth'); print(chosen.score_name, chosen.load()(hiri_spec.load('hiri_s'), 0))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert result.stdout.splitlines() == [str(tmp_path / "explorer" / "__init__.py"), "Depth score 5"]


def test_names_and_descriptions_need_no_torch() -> None:
    code = (
        "import sys\nfrom explorer.command import app\nfrom explorer.evaluators import choose\n"
        "try: choose('zicco')\nexcept ValueError as error: print(error)\n"
        "app(['--help'], standalone_mode=False)\nprint(sorted({'torch', 'timm', 'optuna'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "unknown evaluator 'zicco'; did you mean 'zico'?" in result.stdout
    shown = " ".join(result.stdout.split())
    assert all(f"{name} {entry.description}" in shown for name, entry in EVALUATORS.items())
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", WITHOUT_TORCH)
def test_baselines_need_no_torch(name: str) -> None:
    code = f"import sys, hiri_spec; from explorer.evaluators import load_evaluator\nload_evaluator({name!r})"
    code += "(hiri_spec.load('hiri_s'), 0)\nprint('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout == "False\n"


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("naswat", "unknown evaluator 'naswat'; did you mean 'naswot'"),
        ("mine.score", r"unknown evaluator 'mine\.score'; for your own, write package\.module:function"),
        (math.sqrt, r"unknown evaluator <built-in function sqrt>; for your own, write package\.module:function"),
        (None, r"unknown evaluator null; known: gradnorm, latency, macs"),
    ],
    ids=str,
)
def test_unknown_evaluators(name: object, match: str) -> None:
    with pytest.raises(SpecError, match=match):
        load_evaluator(name)


def test_naswot_orders_table_viii_as_the_text_does() -> None:
    """Rows 1 to 3 put Transformers into more stages and gain; row 4 stays level with row 3 at less cost."""
    rows = [
        {
            "stages.2.block": "hr",
            "stages.2.depth": 8,
            "stages.3": {"block": "hr", "depth": 18, "width": 320, "downsample": "irds_b"},
        },
        {"stages.2.block": "hr", "stages.2.depth": 8},
        {"stages.2": {"block": "transformer", "depth": 4, "width": 128, "heads": 4, "downsample": "irds_a"}},
        {},
    ]
    naswot = load_evaluator("naswot")
    scores = [naswot(hiri_spec.load("hiri_s", set=row), 0) for row in rows]
    assert scores[0] < scores[1] < scores[2]
    assert scores[3] == pytest.approx(scores[2], abs=0.3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "times"), [(name, 5 if name in NOISY else 20) for name in UNTRAINED if name not in WITHOUT_TORCH]
)
def test_networks_of_one_cost_are_told_apart(name: str, times: int) -> None:
    space, budget, rng = load_space(), Budget(1_000_000_000), random.Random(0)
    specs: list[ModelSpec] = []
    while len(specs) < 8:
        candidate = fit(space, budget, space.draw(rng), rng)
        if candidate is not None:
            specs.append(candidate.spec)
    evaluate = load_evaluator(name)
    scores = [[evaluate(spec, seed) for seed in range(3)] for spec in specs]
    between = statistics.stdev(statistics.mean(row) for row in scores)
    within = statistics.mean(statistics.stdev(row) for row in scores)
    assert between > times * within
