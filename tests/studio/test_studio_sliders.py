"""The slider's panel, with a text that changes while the number under the cursor is being looked for."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nicegui import Client, core
from nicegui.page import page

from hiri_spec.files import builtin_specs
from studio.numbers import Number, number_at
from studio.page import sliders
from studio.page.sliders import SliderPanel

TEXT = builtin_specs()["hiri_s"].read_text()
MOST_SECONDS = 20


class FakeDesk:
    """What the panel asks of a desk."""

    def __init__(self, root: Path) -> None:
        self.text = TEXT
        self.file = root / "mine.yaml"
        self.workspace = self
        self.root = root
        self.put_texts: list[str] = []

    def put(self, text: str, *, is_own_step: bool) -> None:
        assert not is_own_step  # a drag is undone as one
        self.text = text
        self.put_texts.append(text)


class FakeEditor:
    """A cursor that can be moved."""

    def __init__(self) -> None:
        self.offset = 0
        self.on_cursor: list[Callable[[int], None]] = []

    def move(self, offset: int) -> None:
        self.offset = offset
        for listener in self.on_cursor:
            listener(offset)


class Bench:
    """A panel on a page of nobody, and how many times it has looked for a number."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk, self.editor = FakeDesk(root), FakeEditor()
        self.go_on = threading.Event()
        self.go_on.set()
        self.threads: list[threading.Thread] = []
        monkeypatch.setattr(core, "loop", asyncio.get_running_loop())
        monkeypatch.setattr(sliders, "number_at", self._number_at)
        self.client = Client(page("/"), request=None)
        with self.client:
            self.panel = SliderPanel(self.desk, self.editor)  # type: ignore[arg-type]

    def _number_at(self, *arguments: Any, **more: Any) -> Number | None:
        self.threads.append(threading.current_thread())
        assert self.go_on.wait(MOST_SECONDS)
        return number_at(*arguments, **more)

    @property
    def label(self) -> str:
        return str(self.panel._label.text)

    def move(self, piece: str) -> None:
        """Put the cursor behind a piece of the text."""
        with self.client:
            self.editor.move(self.desk.text.index(piece) + len(piece))

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(MOST_SECONDS):
            while not is_so():
                await asyncio.sleep(0.01)

    async def rest(self) -> None:
        """Wait until nothing is being looked for."""
        await self.until(lambda: not self.panel._is_following)

    async def step(self, by: int) -> None:
        with self.client:
            await self.panel._step(by)


def with_bench(check: Callable[[Bench], Any], root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        await check(Bench(root, monkeypatch))

    asyncio.run(go())


def test_a_number_is_looked_for_in_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(bench: Bench) -> None:
        bench.go_on.clear()
        bench.move("depth: ")
        bench.move("depth: 2, width: ")  # while the first is being looked for
        await bench.until(lambda: len(bench.threads) == 1)
        bench.move("depth: 9, width: ")
        bench.go_on.set()
        await bench.rest()
        assert bench.label.startswith("width of stages[3] transformer: 320")
        assert threading.main_thread() not in bench.threads
        assert len(bench.threads) == 2

    with_bench(check, tmp_path, monkeypatch)


def test_an_answer_for_another_text_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(bench: Bench) -> None:
        bench.go_on.clear()
        bench.move("depth: 9, width: ")
        await bench.until(lambda: len(bench.threads) == 1)
        bench.desk.text = "# more\n" + TEXT.replace("width: 320", "width: 640")
        bench.editor.offset = bench.desk.text.index("640")
        bench.go_on.set()
        await bench.rest()
        assert bench.label.startswith("width of stages[3] transformer: 640")
        assert len(bench.threads) == 2

    with_bench(check, tmp_path, monkeypatch)


def test_steps_are_written_without_looking_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(bench: Bench) -> None:
        bench.move("depth: 9")
        await bench.rest()
        await bench.step(1)
        await bench.step(1)
        await bench.step(-1)
        assert bench.desk.put_texts == [TEXT.replace("depth: 9", f"depth: {depth}") for depth in (10, 11, 10)]
        assert bench.label.startswith("depth of stages[3] transformer: 10, from 1 to 18")
        assert len(bench.threads) == 1

    with_bench(check, tmp_path, monkeypatch)


def test_a_step_in_a_text_that_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(bench: Bench) -> None:
        bench.move("depth: 9")
        await bench.rest()
        bench.desk.text = TEXT.replace("classes: 1000", "classes: 10")
        await bench.step(1)
        assert bench.desk.put_texts == [bench.desk.text]
        assert "depth: 10, width: 320" in bench.desk.text
        assert "classes: 10}" in bench.desk.text
        bench.desk.text = f"# {'more' * 200}\n" + TEXT  # the number is elsewhere now
        await bench.step(1)
        assert len(bench.desk.put_texts) == 1

    with_bench(check, tmp_path, monkeypatch)


def test_a_choice_that_the_changed_spec_does_not_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(bench: Bench) -> None:
        bench.move("heads: 10")
        await bench.rest()
        bench.desk.text = TEXT.replace("width: 320", "width: 330")
        await bench.step(1)  # to 16, which doesn't divide 330
        assert bench.desk.put_texts == []
        assert bench.label.startswith("heads of stages[3] transformer: 10, from 1 to 15")

    with_bench(check, tmp_path, monkeypatch)


def test_a_number_of_another_spec_has_choices_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(bench: Bench) -> None:
        bench.move("heads: 10")
        await bench.rest()
        assert bench.label.endswith("from 1 to 20")
        bench.desk.text = TEXT.replace("width: 320", "width: 330")  # opened in place of it
        bench.move("heads: 10")
        await bench.rest()
        assert bench.label == "heads of stages[3] transformer: 10, from 1 to 15"

    with_bench(check, tmp_path, monkeypatch)
