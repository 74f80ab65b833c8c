"""The studio in a headless browser: what is typed is seen at once, and nothing of the user's is lost."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect
from studios import IN_BROWSER, LINE, ROOT, SPEC, STAGE, Seen, Studio

from hiri_spec import cost, fit_to_budget, load, scale_up

pytestmark = IN_BROWSER
Open = Callable[..., Seen]


def printed(path: Path) -> dict[str, float]:
    """What `hiri-spec cost` says of a file."""
    command = [sys.executable, "-m", "hiri_spec", "cost", str(path), "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    found: dict[str, float] = json.loads(result.stdout)["results"][0]
    return found


def totals_of(found: dict[str, float]) -> tuple[str, str]:
    return f"{found['macs'] / 1e9:.3f} GMACs", f"{found['params'] / 1e6:.2f} M params"


def test_a_mistake_is_seen_at_its_line_and_mended(show: Open, studio: Studio) -> None:
    seen = show()
    expect(seen.page.locator(".studio-large").first).to_have_text("5.009 GMACs")
    seen.type_at_line(LINE, "")
    for _ in range(len(STAGE) - STAGE.index("depth: 9") - len("depth: ")):
        seen.page.keyboard.press("ArrowLeft")
    seen.page.keyboard.press("Delete")
    seen.page.keyboard.type("x")
    expect(seen.status()).to_have_text("1 mistake.")
    mistake = seen.page.locator(".studio-mistakes li")
    assert f"line {LINE}" in mistake.inner_text()
    assert "stages[3].depth" in mistake.inner_text()
    expect(seen.page.locator(".studio-wrong")).to_have_text("x")
    expect(seen.page.get_by_text("Shown is the network before the mistakes.")).to_be_visible()
    seen.page.keyboard.press("Backspace")
    seen.page.keyboard.type("12")
    expect(seen.status()).to_have_text("No mistakes.")
    (studio.folder / "typed.yaml").write_text(SPEC.replace("depth: 9", "depth: 12"))
    macs, params = totals_of(printed(studio.folder / "typed.yaml"))
    expect(seen.page.locator(".studio-large").nth(0)).to_have_text(macs)
    expect(seen.page.locator(".studio-large").nth(1)).to_have_text(params)
    seen.check()


def test_the_table_is_that_of_the_command_line(show: Open, studio: Studio) -> None:
    seen = show()
    rows = seen.page.locator("section[aria-label='Cost by stage'] tbody tr").all_inner_texts()
    expected = cost(load(studio.folder / "mine.yaml")).by_stage()
    assert [row.split("\t")[0] for row in rows] == [row.name for row in expected]
    assert [row.split("\t")[2] for row in rows] == [f"{row.params:,}" for row in expected]
    assert [row.split("\t")[4] for row in rows] == [f"{row.macs / 1e6:,.1f}" for row in expected]
    seen.page.get_by_label("Resolutions").fill("224,448x672")
    expect(seen.page.locator(".studio-large").first).to_have_text(f"{cost('hiri_s', 224).macs / 1e9:.3f} GMACs")
    expect(seen.page.locator("section[aria-label='Cost by stage'] thead")).to_contain_text("MMACs @448x672")
    seen.page.get_by_label("Resolutions").fill("22")
    expect(seen.page.get_by_text("22 is too small")).to_be_visible()
    seen.check()


def test_a_budget_is_shown_and_met(show: Open) -> None:
    seen = show()
    seen.page.get_by_label("Budget", exact=True).fill("4gflops")
    told = seen.page.locator(".studio-gauge-told")
    expect(told).to_contain_text("over the budget")
    expect(seen.page.locator(".studio-gauge")).to_have_class(re.compile("studio-over"))
    seen.button("Fit to budget").click()
    dialog = seen.page.get_by_role("dialog")
    expect(dialog).to_contain_text("stages[3].width")
    before = seen.text
    seen.button("Cancel").click()
    expect(dialog).to_have_count(0)
    seen.expect_text(before)
    seen.button("Fit to budget").click()
    seen.button("Apply").click()
    expect(told).not_to_contain_text("over the budget")
    fitted = cost(fit_to_budget("hiri_s", gmacs=4))
    expect(seen.page.locator(".studio-large").first).to_have_text(f"{fitted.macs / 1e9:.3f} GMACs")
    seen.button("Undo").click()
    expect(seen.page.locator(".studio-large").first).to_have_text("5.009 GMACs")
    seen.expect_text(before)
    seen.button("Redo").click()
    expect(seen.page.locator(".studio-large").first).to_have_text(f"{fitted.macs / 1e9:.3f} GMACs")
    seen.check()


def test_it_is_scaled_up(show: Open) -> None:
    seen = show()
    seen.page.get_by_label("Scale to").fill("896")
    seen.button("Scale up").click()
    dialog = seen.page.get_by_role("dialog")
    expect(dialog).to_contain_text("# stage: new")
    seen.button("Apply").click()
    scaled = cost(scale_up("hiri_s", resolution=896))
    expect(seen.page.locator(".studio-large").first).to_have_text(f"{scaled.macs / 1e9:.3f} GMACs")
    seen.page.get_by_label("Scale to").fill("448")
    seen.button("Scale up").click()
    expect(seen.page.locator(".q-notification").last).to_contain_text("448")
    seen.check()


def test_it_is_saved(show: Open, studio: Studio) -> None:
    seen = show("saved.yaml")
    seen.type_at_line(4, "_mine")
    expect(seen.page.locator(".studio-state")).to_have_text("changed")
    seen.page.keyboard.press("Control+s")
    expect(seen.page.locator(".studio-state")).to_have_text("saved")
    assert (studio.folder / "saved.yaml").read_text() == SPEC.replace("name: hiri_s", "name: hiri_s_mine")
    seen.button("Save as").click()
    seen.page.get_by_label("File in the opened folder").fill("../outside.yaml")
    seen.button("Save").last.click()
    expect(seen.page.locator(".q-notification").last).to_contain_text("../outside.yaml")
    assert not (studio.folder.parent / "outside.yaml").exists()
    seen.button("Save as").click()
    seen.page.get_by_label("File in the opened folder").fill("other.yaml")
    seen.button("Save").last.click()
    expect(seen.page.locator(".studio-name")).to_have_text("other.yaml")
    assert (studio.folder / "other.yaml").read_text() == (studio.folder / "saved.yaml").read_text()
    seen.check()


def test_nothing_is_overwritten_unseen(show: Open, studio: Studio) -> None:
    first, second = show("shared.yaml"), show("shared.yaml")
    for seen in (first, second):
        expect(seen.page.get_by_role("alert")).to_contain_text("open on another page")
    first.type_at_line(4, "_first")
    first.button("Save").click()
    expect(first.page.locator(".studio-state")).to_have_text("saved")
    second.type_at_line(4, "_second")
    second.button("Save").click()
    dialog = second.page.get_by_role("dialog")
    expect(dialog).to_contain_text("shared.yaml")
    second.button("Cancel").click()
    expect(dialog).to_have_count(0)
    assert "name: hiri_s_first" in (studio.folder / "shared.yaml").read_text()
    second.button("Save").click()
    second.button("Write over it").click()
    expect(second.page.locator(".studio-state")).to_have_text("saved")
    assert "name: hiri_s_second" in (studio.folder / "shared.yaml").read_text()
    first.check()
    second.check()


def test_a_link_holds_the_spec(show: Open) -> None:
    seen = show()
    seen.type_at_line(4, "_shared")
    expect(seen.page.locator(".studio-state")).to_have_text("changed")
    text = seen.text
    seen.button("Share").click()
    link = seen.page.get_by_label("Link", exact=True).input_value()
    other = show(fragment="#" + link.partition("#")[2])
    expect(other.page.locator(".studio-name")).to_have_text("shared.yaml")
    expect(other.editor).to_contain_text("hiri_s_shared")
    assert other.text == text
    other.check()


@pytest.mark.parametrize(
    ("item", "name", "beginning"),
    [
        ("YAML", "mine.yaml", SPEC[:30]),
        ("Drawing (SVG)", "mine.svg", "<svg"),
        ("PyTorch source", "mine.py", '"""'),
    ],
    ids=["yaml", "svg", "source"],
)
def test_it_is_downloaded(show: Open, tmp_path: Path, item: str, name: str, beginning: str) -> None:
    seen = show()
    seen.button("Download").click()
    with seen.page.expect_download() as download:
        seen.page.get_by_role("menuitem", name=item).click()
    assert download.value.suggested_filename == name
    download.value.save_as(tmp_path / name)
    assert (tmp_path / name).read_text().startswith(beginning)
    seen.check()


def test_it_is_compared(show: Open) -> None:
    seen = show()
    seen.page.get_by_role("tab", name="Compare").click()
    seen.choose(seen.page.get_by_role("combobox", name="Compare with"), "built-in: hiri_b")
    expect(seen.page.locator(".studio-pair figcaption").first).to_have_text("hiri_b")
    changes = seen.page.get_by_role("region", name="Differences")
    expect(changes).to_contain_text("stages[3].depth")
    ratio = cost("hiri_s").macs / cost("hiri_b").macs
    expect(seen.page.get_by_role("region", name="Cost", exact=True).last).to_contain_text(f"{ratio:.3f}")
    seen.check()


def test_the_inside_of_a_block(show: Open) -> None:
    seen = show()
    stage = seen.page.locator('.studio-drawing [data-scope="stages.0"]').first
    before = seen.page.locator(".studio-drawing").first.inner_html()
    stage.focus()
    stage.press("Enter")
    expect(seen.page.locator(".studio-drawing").first).not_to_have_text(before)
    seen.check()


def test_completion_names_fields(show: Open) -> None:
    seen = show()
    seen.type_at_line(LINE, "")
    seen.page.keyboard.press("ArrowLeft")
    seen.page.keyboard.type(", exp")
    option = seen.page.locator(".cm-tooltip-autocomplete li", has_text="expansion").first
    expect(option).to_be_visible()
    seen.page.wait_for_timeout(200)  # so long CodeMirror takes Enter for a new line, in case it was meant so
    seen.page.keyboard.press("Enter")
    expect(seen.editor).to_contain_text("expansion: ")
    seen.page.keyboard.type("4")
    seen.page.keyboard.press("Escape")
    for blanks in (" ", "  "):
        seen.page.keyboard.type(f",{blanks}")
        expect(seen.page.locator(".cm-tooltip-autocomplete li", has_text="layer_scale")).to_be_visible()
        seen.page.keyboard.press("Escape")
        for _ in f",{blanks}":
            seen.page.keyboard.press("Backspace")
    seen.page.keyboard.type(", mlp")
    expect(seen.page.locator(".cm-tooltip-autocomplete li", has_text="mlp_norm")).to_be_visible()
    seen.page.wait_for_timeout(200)
    seen.page.keyboard.press("Enter")
    expect(seen.editor).to_contain_text("expansion: 4, mlp: cffn}")
    expect(seen.status()).to_have_text("No mistakes.")
    seen.check()


def test_a_number_is_slid(show: Open) -> None:
    seen = show()
    seen.type_at_line(LINE, "")
    for _ in range(len(STAGE) - STAGE.index("depth: 9") - len("depth: ")):
        seen.page.keyboard.press("ArrowLeft")
    label = seen.page.locator(".studio-slider-label")
    expect(label).to_contain_text("depth of stages[3] transformer: 9")
    seen.button("more").click()
    expect(label).to_contain_text("depth of stages[3] transformer: 10")
    expect(seen.editor).to_contain_text("depth: 10, width: 320")
    slider = seen.page.get_by_role("slider")
    slider.focus()
    slider.press("ArrowRight")
    expect(seen.editor).to_contain_text("depth: 11, width: 320")
    seen.check()


MANY_ALIASES = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text", ["a: &a [*a]", "!!python/object/apply:os.system [ls]", "a: " * 400, "- " * 3000, MANY_ALIASES]
)
def test_pasted_texts_do_no_harm(show: Open, text: str) -> None:
    seen = show()
    seen.editor.focus()
    seen.page.keyboard.press("Control+a")
    seen.page.keyboard.insert_text(text)
    expect(seen.status()).to_contain_text("mistake")
    seen.page.keyboard.press("Control+a")
    seen.page.keyboard.insert_text(SPEC)
    expect(seen.status()).to_have_text("No mistakes.")
    expect(seen.page.locator(".studio-large").first).to_have_text("5.009 GMACs")
    seen.check()
