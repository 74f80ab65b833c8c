"""The class of the whole network, and the file around all classes."""

from __future__ import annotations

import textwrap

from ..cost import CONVENTION, cost
from ..files import as_spec, to_data, to_yaml
from ..network import Segment
from ..quantities import format_resolution
from ..schema import ModelSpec
from ..scopes import Scope
from .arguments import literal
from .classes import BODY, ClassWriter, escape
from .layers import RATE
from .layout import INDENT, Apply, Each, Expression, lay_out

Placed = list[tuple[Segment, Scope]]
"""The parts of a network in order, each with the scope that stands for it."""


def write_network(name: str, spec: ModelSpec, placed: Placed, classes: ClassWriter) -> str:
    """The text of the network's class; has the classes that it needs written."""
    made = _modules(placed, classes)
    stages = [made[name] for name in made if name.startswith("stages.")]
    blocks = sum(segment.repeats or 0 for segment, _ in placed)
    body: list[str] = []
    drops = any(_reads_rate(classes.make(scope)) for _, scope in placed)
    if drops:
        body += [
            f"{BODY}# stochastic depth: its rate rises from block to block",
            f"{BODY}rates = [drop_path_rate * index / {max(1, blocks - 1)} for index in range({blocks})]",
        ]
    body += lay_out(BODY, "self.stem = ", made["stem"][0][1])
    chains = tuple(("", Apply("Chain", tuple((f"{key}=", value) for key, value in parts))) for parts in stages)
    body += lay_out(BODY, "self.stages = ", Apply("nn.Sequential", chains))
    body += lay_out(BODY, "self.head = ", made["head"][0][1])
    argument = f", drop_path_rate: float = {literal(float(spec.drop_path_rate))}" if drops else ""
    features = "tuple[Tensor, ...]" if len(placed[-1][1].inputs) > 1 else "Tensor"
    return "\n".join(
        [
            f"class {name}(nn.Module):",
            f'{INDENT}"""(B, {spec.in_channels}, H, W) → (B, {spec.head.classes})."""',
            "",
            f"{INDENT}def __init__(self{argument}) -> None:",
            f"{BODY}super().__init__()",
            *body,
            f"{BODY}self.apply(initialise)",
            "",
            f"{INDENT}def forward_features(self, x: Tensor) -> {features}:",
            f'{BODY}"""Image → what the last stage gives."""',
            f"{BODY}return self.stages(self.stem(x))",
            "",
            f"{INDENT}def forward_head(self, x: {features}, pre_logits: bool = False) -> Tensor:",
            f'{BODY}"""What the last stage gives → class scores, or the pooled features if `pre_logits`."""',
            f"{BODY}return self.head(x, pre_logits)",
            "",
            f"{INDENT}def forward(self, x: Tensor) -> Tensor:",
            f"{BODY}return self.forward_head(self.forward_features(x))",
            "",
        ]
    )


def _modules(placed: Placed, classes: ClassWriter) -> dict[str, list[tuple[str, Expression]]]:
    """How each module of the stem, of each stage and of the head is made, with its name there."""
    made: dict[str, list[tuple[str, Expression]]] = {}
    block = 0
    for segment, scope in placed:
        module = classes.make(scope)
        owner, _, name = segment.scope.rpartition(".")
        whole = module if segment.repeats is None else _run(module, block, segment.repeats)
        block += segment.repeats or 0
        made.setdefault(owner or name, []).append((name, whole))
    return made


def _run(module: Apply, first: int, count: int) -> Expression:
    """A run of equal blocks, each with the rate that is due to it."""
    if count == 1:
        one = tuple((name, f"rates[{first}]" if value is RATE else value) for name, value in module.arguments)
        return Apply("nn.Sequential", (("", Apply(module.function, one)),))
    source = f"rate in rates[{first}:{first + count}]" if _reads_rate(module) else f"_ in range({count})"
    return Apply("nn.Sequential", (("", Each("*[", module, f"for {source}", "]")),))


def _reads_rate(module: Apply) -> bool:
    return any(value is RATE for _, value in module.arguments)


def write_header(name: str, spec: ModelSpec, version: str) -> str:
    """The docstring of the file: what it is, what it costs, how to load weights, and the spec."""
    own = cost(spec)
    costs = f"{own.params / 1e6:.2f} M parameters, {own.macs / 1e9:.3f} GMACs at {format_resolution(own.resolution)}"
    title = f"{spec.name}: {' '.join((spec.description or '').split())}"
    summary = [title] if spec.description and len(title) <= 110 else [f"{spec.name}."]
    rest = [] if not spec.description or summary == [title] else [textwrap.wrap(title.partition(": ")[2], 116)]
    plain = as_spec(to_data(spec.model_copy(update={"description": None})))
    paragraphs = [
        summary,
        *rest,
        [f"{costs} ({CONVENTION})."],
        [
            f"Written by hiri-spec {version}; imports nothing but torch. It takes the state dict of the model that",
            "hiri_spec.build makes of the spec below, and computes the same from it:",
        ],
        [f"    model = {name}()", '    model.load_state_dict(torch.load("weights.pt"))'],
        ["    " + line for line in to_yaml(plain).splitlines()],
    ]
    text = "\n\n".join("\n".join(map(escape, lines)) for lines in paragraphs)
    return f'"""{text}\n"""\n'


def write_demo(name: str, spec: ModelSpec) -> str:
    """What the file does when it is run."""
    height, width = spec.size
    return f"""if __name__ == "__main__":
    model = {name}().eval()
    images = torch.randn(1, {spec.in_channels}, {height}, {width})
    with torch.no_grad():
        scores = model(images)
    params = sum(parameter.numel() for parameter in model.parameters())
    print(f"{{params:,}} parameters, {{tuple(images.shape)}} -> {{tuple(scores.shape)}}")
"""
