"""images/s: how many images go through one after the other, timed on this machine (--device cuda for its GPU)."""

from __future__ import annotations

from hiri_spec import ModelSpec

from ..latency import measure_latencies_ms

SETTINGS = {"device": False}


class Latency:
    """A thousand by the median milliseconds of one image, of seven, in eager mode; times depend on what else runs."""

    def __init__(self, device: str = "cpu") -> None:
        """Raises SpecError for "cuda" where there is none."""
        if device != "cpu":
            from hiri_spec.nn.cuda import check_cuda

            check_cuda()
        self._device = device

    def __call__(self, spec: ModelSpec, seed: int) -> float:
        """Time it; the seed has no say."""
        return 1e3 / measure_latencies_ms([(spec, spec.size)], device=self._device)[0]
