"""`hiri-spec …` as users type it: results on stdout, errors on stderr, exit statuses, nothing lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from told import Command

import hiri_spec

COMMANDS = ["cost", "draw", "diff", "check", "list", "schema", "show", "scale", "summary", "export", "code", "bench"]


@pytest.fixture
def run(hiri_spec_command: Command) -> Command:
    """Run `hiri-spec` with arguments."""
    return hiri_spec_command


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestHelp:
    """Help, versions and mistyped commands."""

    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_command_has_help_with_an_example(self, run: Command, command: str) -> None:
        told = run(command, "--help")
        assert told.status == 0
        assert f"Example: hiri-spec {command}" in told.out

    def test_the_help_of_all_has_an_example(self, run: Command) -> None:
        assert "Example: hiri-spec cost hiri_s" in run("--help").out

    def test_help_lists_every_command(self, run: Command) -> None:
        told = run("-h")
        assert all(f"\n  {command} " in told.out for command in COMMANDS)

    def test_version(self, run: Command) -> None:
        assert run("--version") == (0, f"hiri-spec {hiri_spec.__version__}\n", "")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["cots", "hiri_s"], "No such command 'cots'"),
            (["cost"], "Missing argument 'SPEC'"),
            (["cost", "hiri_s", "--resolutoin", "224"], "--resolution"),
            (["diff", "hiri_s"], "Missing argument 'B'"),
        ],
        ids=["command", "argument", "option", "second-argument"],
    )
    def test_usage_errors(self, run: Command, arguments: list[str], message: str) -> None:
        told = run(*arguments)
        assert (told.status, told.out) == (2, "")
        assert message in told.err


class TestCost:
    """`hiri-spec cost`."""

    def test_totals_side_by_side(self, run: Command) -> None:
        told = run("cost", "hiri_s", "--resolution", "224,448,768")
        assert told.status == 0
        assert [f"{gmacs}" in told.out for gmacs in ("1.288", "5.009", "16.05", "34.39")] == [True] * 4

    def test_json(self, run: Command) -> None:
        told = run("cost", "hiri_s", "--resolution", "224,448", "--json")
        results = json.loads(told.out)["results"]
        assert [result["gmacs"] for result in results] == [1.288, 5.009]
        assert {"params", "macs", "memory_bytes", "training_memory_bytes", "resolution", "rows"} <= results[0].keys()
        assert sum(row["macs"] for row in results[1]["rows"]) == results[1]["macs"]

    @pytest.mark.parametrize("by", ["stage", "block", "op"])
    def test_breakdowns(self, run: Command, by: str) -> None:
        told = run("cost", "hiri_s", "--by", by)
        assert {"stage": "stages.3", "block": "stages.3.blocks.8", "op": "attention"}[by] in told.out

    def test_set(self, run: Command) -> None:
        deeper = run("cost", "hiri_s", "--set", "stages.3.depth=12", "--set", "head.classes=10", "--json")
        assert json.loads(deeper.out)["results"][0]["params"] != hiri_spec.cost("hiri_s").params
        expected = hiri_spec.cost(hiri_spec.load("hiri_s", set={"stages.3.depth": 12, "head.classes": 10}))
        assert json.loads(deeper.out)["results"][0]["params"] == expected.params

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["hiri_x"], "error: 'hiri_x' is no file and no built-in spec; did you mean 'hiri_s'"),
            (["none.yaml"], "error: none.yaml: no such file; "),
            (["hiri_s", "-r", "16"], "16 is too small"),
            (["hiri_s", "-r", "big"], "error: --resolution: 'big' is no image size"),
            (["hiri_s", "--by", "stages"], "error: --by: 'stages' is none of stage, block, op; did you mean 'stage'?"),
            (
                ["hiri_s", "--set", "stages.3.width=99"],
                "--set stages[3].width: 99 is not a multiple of heads=10; use",
            ),
            (["hiri_s", "--set", "stages.3.depth"], "error: --set: 'stages.3.depth' sets nothing; write PATH=VALUE"),
        ],
        ids=["name", "file", "small", "no-size", "by", "width", "set"],
    )
    def test_mistakes(self, run: Command, arguments: list[str], message: str) -> None:
        told = run("cost", *arguments)
        assert (told.status, told.out) == (2, "")
        assert message in told.err
        assert "Traceback" not in told.err

    def test_a_mistake_in_a_file_names_file_and_line(self, run: Command, folder: Path) -> None:
        Path("a.yaml").write_text("extends: hiri_s\nname: a\nset:\n  stages.3.heads: 3\n")
        assert run("cost", "a.yaml").err == (
            "error: a.yaml:4 stages[3].width: 320 is not a multiple of heads=3; use 318 or 321\n"
        )


class TestDraw:
    """`hiri-spec draw`."""

    def test_svg_by_default_mermaid_by_the_ending(self, run: Command, folder: Path) -> None:
        assert run("draw", "hiri_s").out.startswith("<svg")
        told = run("draw", "hiri_s", "-o", "a.mmd")
        assert (told.out, told.err) == ("", "wrote a.mmd\n")
        assert Path("a.mmd").read_text().startswith("flowchart")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--format", "png"], "error: --format: 'png' is none of svg, mermaid"),
            (["-o", "a.png"], "error: --out: a.png would hold no such picture; end it with .svg, .mmd, "),
            (["--by", "op"], "error: --by: op is a level of detail for mermaid; add --format mermaid, or use block"),
            (["-r", "224,448"], "error: --resolution: a drawing shows one size; give one"),
            (
                ["-o", "no/such/folder/a.svg"],
                "error: no/such/folder/a.svg: cannot be written: No such file or directory",
            ),
            (["-o", "/dev/full"], "error: /dev/full: cannot be written: No space left on device"),
        ],
        ids=["format", "ending", "by-op", "sizes", "folder", "full-disk"],
    )
    def test_mistakes(self, run: Command, folder: Path, arguments: list[str], message: str) -> None:
        told = run("draw", "hiri_s", *arguments)
        assert (told.status, told.out) == (2, "")
        assert message in told.err


class TestDiff:
    """`hiri-spec diff`."""

    def test_changes_and_costs(self, run: Command) -> None:
        told = run("diff", "hiri_s", "hiri_b")
        assert told.status == 0
        assert "stages[3].depth" in told.out
        assert "9.288" in told.out

    def test_json(self, run: Command) -> None:
        told = run("diff", "hiri_s", "hiri_s", "--set", "stages.3.depth=12", "-r", "224", "--json")
        data = json.loads(told.out)
        assert data["changes"] == [{"path": "stages[3].depth", "before": 9, "after": 12}]
        assert data["costs"][0]["after"]["macs"] > data["costs"][0]["before"]["macs"]

    def test_status_1_on_request(self, run: Command) -> None:
        assert run("diff", "hiri_s", "hiri_b", "--exit-code").status == 1
        assert run("diff", "hiri_s", "hiri_s", "--exit-code") == (0, "no differences\n", "")


class TestCheck:
    """`hiri-spec check`."""

    def test_all_well(self, run: Command) -> None:
        told = run("check", "hiri_s", "hiri_b", "--budget", "10gflops", "--max-params", "50m")
        assert (told.status, told.err) == (0, "")
        assert told.out.splitlines()[0] == "ok hiri_s: 34.39 M params, 5.009 GMACs at 448"

    def test_over_the_budget(self, run: Command) -> None:
        told = run("check", "hiri_s", "hiri_b", "--budget", "5.1gflops", "--max-params", "35m")
        assert told.status == 1
        assert "ok hiri_s" in told.out
        assert "error: hiri_b: 9.288 GMACs at 448 are over the 5.100 G allowed" in told.err
        assert "error: hiri_b: 45.06 M params are over the 35.00 M allowed" in told.err

    def test_not_valid_is_worse_than_over_the_budget(self, run: Command, folder: Path) -> None:
        Path("a.yaml").write_text("name: a\nstem: vit\n")
        told = run("check", "hiri_b", "a.yaml", "hiri_s", "--budget", "5.1gflops")
        assert told.status == 2
        assert "error: a.yaml:1 stages: stages is missing; add `stages: …`" in told.err
        assert "ok hiri_s" in told.out, "the others are checked all the same"

    def test_json(self, run: Command) -> None:
        told = run("check", "hiri_s", "hiri_x", "--json")
        data = json.loads(told.out)
        assert (told.status, data["status"]) == (2, 2)
        assert [result["valid"] for result in data["results"]] == [True, False]

    @pytest.mark.parametrize("budget", ["five", "0", "5parrots"])
    def test_no_budget(self, run: Command, budget: str) -> None:
        told = run("check", "hiri_s", "--budget", budget)
        assert told.status == 2
        assert told.err.startswith(f"error: --budget: '{budget}'")


class TestListSchemaShow:
    """`hiri-spec list`, `schema` and `show`."""

    def test_list(self, run: Command) -> None:
        assert "hiri_s_6stage" in run("list").out
        costs = {row["name"]: row["macs"] for row in json.loads(run("list", "--json").out)}
        assert round(costs["hiri_l"] / 1e9, 2) == 18.72

    @pytest.mark.parametrize("flags", [[], ["--space"]], ids=["spec", "space"])
    def test_schema(self, run: Command, flags: list[str]) -> None:
        assert json.loads(run("schema", *flags).out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"

    def test_show_gives_a_spec_that_stands_alone(self, run: Command, folder: Path) -> None:
        Path("a.yaml").write_text("extends: hiri_s\nname: a\nset: {stages.3.depth: 12}\n")
        told = run("show", "a.yaml", "-o", "b.yaml")
        assert (told.status, told.err) == (0, "wrote b.yaml\n")
        assert "extends" not in Path("b.yaml").read_text()
        assert hiri_spec.load("b.yaml") == hiri_spec.load("a.yaml")

    def test_show_as_json(self, run: Command) -> None:
        assert json.loads(run("show", "hiri_s", "--json").out)["stages"][3]["heads"] == 10
