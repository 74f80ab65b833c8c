"""What a name on the bench's command line means, and what it costs."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
import timm.layers

import hiri_spec
from hiri_spec import SpecError
from hiri_spec.nn.bench.models import read_subject, read_subjects


@pytest.mark.parametrize(
    ("text", "label", "source"),
    [
        ("hiri_s", "hiri_s@448", "spec"),
        ("hiri_s@512x1024", "hiri_s@512x1024", "spec"),
        ("pvt_v2_b0@64", "pvt_v2_b0@64", "spec"),
        ("timm:pvt_v2_b0@64", "pvt_v2_b0@64", "timm"),
        ("resnet10t", "resnet10t@176", "timm"),
        ("resnet10t@64x96", "resnet10t@64x96", "timm"),
    ],
)
def test_names(text: str, label: str, source: str) -> None:
    subject = read_subject(text)
    assert (subject.label, subject.source) == (label, source)


def test_a_name_that_both_have_is_told() -> None:
    assert "timm:pvt_v2_b0 is timm's" in str(read_subject("pvt_v2_b0").note)
    import_module("hiri_spec.timm_models")  # what is registered there from a spec is no other model
    assert read_subject("hiri_s").note is None
    assert read_subject("timm:pvt_v2_b0@64").note is None


def test_a_size_behind_the_name_goes_before_the_common_one() -> None:
    subjects = read_subjects(["pvt_v2_b0@64", "hiri_s", "resnet10t"], (96, 128))
    assert [subject.resolution for subject in subjects] == [(64, 64), (96, 128), (96, 128)]


def test_files(tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_subject(tiny).label == "tiny@64"
    assert read_subject(f"{tiny}@96").label == "tiny@96"
    monkeypatch.chdir(tmp_path)
    Path(tiny).rename("resnet10t")
    assert read_subject("resnet10t").source == "spec", "a file goes before timm's model"
    Path("resnet10t").rename("tiny@32")
    assert read_subject("tiny@32").label == "tiny@64"
    assert read_subject("tiny@32@96").label == "tiny@96"


def test_two_files_with_specs_of_one_name(tiny: str) -> None:
    other = Path(tiny).with_name("other.yaml")
    other.write_text(Path(tiny).read_text().replace("heads: 2", "heads: 4"))
    labels = [subject.label for subject in read_subjects([tiny, f"{other}@64", "hiri_s", "hiri_s"])]
    assert labels == [f"{tiny}@64", f"{other}@64", "hiri_s@448", "hiri_s@448"]


@pytest.mark.parametrize("name", ["pvt_v2_b0", "swin_tiny_patch4_window7_224"])
def test_ours_and_timms_are_equal_in_numbers(name: str) -> None:
    uses_fused = timm.layers.use_fused_attn()
    ours, timms = read_subjects([name, f"timm:{name}"], 224)
    assert (ours.params, ours.macs) == (timms.params, timms.macs)
    assert ours.macs == hiri_spec.cost(name, 224).macs
    assert timm.layers.use_fused_attn() == uses_fused


def test_a_model_of_fixed_size_is_told_another() -> None:
    native, larger = read_subjects(["vit_tiny_patch16_224", "vit_tiny_patch16_224@32x64"])
    assert larger.params < native.params, "fewer position embeddings"
    assert larger.macs < native.macs


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pvt_v2_b9", "is no file, no built-in spec and no timm model; did you mean 'pvt_v2_b"),
        ("qqqqqqqq", "`hiri-spec list` shows the specs"),
        ("", "'' is no file"),
        ("timm:resnet10", "timm has no model 'resnet10'; did you mean 'resnet10t'"),
        ("timm:hf_hub:someone/something", "timm has no model 'hf_hub:someone/something'"),
        ("hiri_s@big", "hiri_s@big: 'big' is no image size"),
        ("hiri_s@224,448", "one size behind its @"),
        ("hiri_s@16", "hiri_s@16: 16 is too small"),
        ("resnet10t@16", "resnet10t@16: 16 is too small; use 32 to 10,000,000 pixels a side"),
        ("maxvit_tiny_tf_224@100", "maxvit_tiny_tf_224: doesn't run at 100: .*; its own size is 224"),
        ("hiri_s@900000", r"hiri_s: 3.*e\+21 MACs are more than the limit of 1e\+14"),
        ("/no/such.yaml", "/no/such.yaml: no such file"),
        ("/", "is a folder"),
    ],
    ids=str,
)
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read_subject(text)


def test_builds_what_it_counted(tiny: str) -> None:
    for subject in read_subjects([tiny, "pvt_v2_b0@64", "timm:pvt_v2_b0@64", "resnet10t@64"]):
        module = subject.build()
        assert not module.training
        assert sum(parameter.numel() for parameter in module.parameters()) == subject.params
