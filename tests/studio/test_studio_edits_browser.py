"""A thousand random edits in a headless browser: nothing typed is lost, and the page says what the command says."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from edits import SPECS, edited, loaded
from playwright.sync_api import expect
from studios import IN_BROWSER, Seen, Studio

from hiri_spec import cost
from studio.analysis import Analysis, analyse

pytestmark = IN_BROWSER
EDITS = 1000
EDITS_A_LOOK = 25
EDITS_A_SPEC = 50
TYPE = """async (edits) => {
    const view = getElement(+document.querySelector(".nicegui-codemirror").id.slice(1)).editor;
    for (const { change, pause } of edits) {
        view.dispatch({ changes: change, selection: { anchor: change.from + change.insert.length } });
        if (pause) await new Promise((resolve) => setTimeout(resolve, pause));
    }
}"""


def change(before: str, after: str) -> dict[str, object]:
    """What turns one text into another, as CodeMirror takes it."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return {"from": start, "to": len(before) - end, "insert": after[start : len(after) - end]}


def check(seen: Seen, text: str, file: Path) -> Analysis:
    """The page shows of a text what loading and costing it as a file says."""
    file.write_bytes(text.encode())
    spec, problems = loaded(file)
    analysis = analyse(text, file=file, roots=[file.parent])
    count, first = len(problems), problems[0].message if problems else ""
    if spec is not None and analysis.spec is None:  # beyond what the studio builds
        count, first = len(analysis.marks), analysis.marks[0].message
    expect(seen.status()).to_have_text("No mistakes." if not count else f"{count} mistake{'s' * (count != 1)}.")
    if count:
        expect(seen.page.locator(".studio-mistakes li").first).to_contain_text(" ".join(first.split()))
        expect(seen.page.get_by_text("Shown is the network before the mistakes.")).to_be_visible()
    else:
        assert spec is not None
        whole = cost(spec)
        large = seen.page.locator(".studio-large")
        expect(large.nth(0)).to_have_text(f"{whole.macs / 1e9:.3f} GMACs")
        expect(large.nth(1)).to_have_text(f"{whole.params / 1e6:.2f} M params")
    seen.expect_text(text)
    return analysis


def test_a_thousand_edits(show: Callable[..., Seen], studio: Studio) -> None:
    chance = random.Random(8)
    for name, text in SPECS.items():  # those that are extended are beside it
        (studio.folder / f"{name}.yaml").write_text(text)
    file = studio.folder / "typed.yaml"
    seen = show("edited.yaml", text=SPECS["hiri_s"])
    shown = text = SPECS["hiri_s"]
    legal = 0
    edits: list[dict[str, object]] = []

    def type_in(after: str) -> None:
        nonlocal text
        pause = chance.choice([0, 0, 0, 0, 5, 30])
        edits.append({"change": change(text, after), "pause": pause})
        text = after

    for number in range(1, EDITS + 1):
        before = text
        type_in(edited(text, chance))
        # as one who types would: mend most of what is broken before going on
        is_broken = analyse(text, file=file, roots=[file.parent]).spec is None
        if is_broken and chance.random() < 0.9:
            type_in(before)
        if number % EDITS_A_LOOK:
            continue
        seen.page.evaluate(TYPE, edits)
        assert seen.text == text, f"of {shown!r}"
        legal += check(seen, text, file).spec is not None
        edits, shown = [], text
        if number % EDITS_A_SPEC == 0:
            type_in(SPECS[chance.choice(sorted(SPECS))])
    assert 0 < legal < EDITS / EDITS_A_LOOK
    seen.check()
