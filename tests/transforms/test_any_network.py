"""Scaling and fitting hold for any network: it is served whole and told, or refused with the rule."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import model_specs

import hiri_spec
from hiri_spec import ModelSpec, SpecError
from hiri_spec.document import parse
from hiri_spec.messages import validate
from hiri_spec.network import run_names
from hiri_spec.transforms import RULES, Scaled, find_carried, fit, scale


def refused(error: SpecError, rule: str) -> None:
    """Another network, please, if this one was refused by the rule."""
    assert rule in str(error)
    assume(False)


def scaled_or_refused(spec: ModelSpec, times: float, without: list[str]) -> Scaled:
    """The scaled network; a refusal must name the rule."""
    height, width = spec.size
    try:
        return scale(spec, resolution=(round(height * times), round(width * times)), without=without)
    except SpecError as error:
        refused(error, "rule stage: ")
        raise


SOME_RULES = st.lists(st.sampled_from(list(RULES)), unique=True, max_size=3)


@given(model_specs(max_width=96), st.sampled_from((1.6, 2, 3, 4)), SOME_RULES)
def test_scaled(spec: ModelSpec, times: float, without: list[str]) -> None:
    scaled = scaled_or_refused(spec, times, without)
    assert validate(parse(scaled.text, "a.yaml")) == scaled.spec
    assert not {note.rule for notes in scaled.notes.values() for note in notes} & set(without)
    carried = find_carried(scaled)
    assert carried.params + sum(carried.new.values()) == hiri_spec.cost(scaled.spec).params
    assert len(set(carried.places.values())) == len(carried.places)
    assert all(reason for counts in carried.reasons.values() for reason in counts)
    for index, origin in enumerate(scaled.origins):
        kept = run_names(spec.stages[origin]) if origin is not None and index > scaled.origins.index(0) else []
        assert [name for name in kept if name not in run_names(scaled.spec.stages[index])] == []


@given(model_specs(max_width=96), st.sampled_from((0.3, 0.8, 1, 1.7, 5)))
@settings(max_examples=25)
def test_fitted(spec: ModelSpec, times: float) -> None:
    gmacs = hiri_spec.cost(spec).macs * times / 1e9
    try:
        fitted = fit(spec, gmacs=gmacs, at_least=0.8)
    except SpecError as error:
        refused(error, "rule fit: ")
        raise
    assert 0.8 * gmacs * 1e9 <= hiri_spec.cost(fitted.spec).macs <= gmacs * 1e9 * (1 + 1e-9)
    assert validate(parse(fitted.text, "a.yaml")) == fitted.spec
    carried = find_carried(fitted)
    assert carried.params + sum(carried.new.values()) == hiri_spec.cost(fitted.spec).params
