"""What is in the page of a search, and that nothing in it can break out."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from reports import NASTY, with_nasty_texts, with_trials

from explorer.choices import Parameter
from explorer.report_page.curves import Point, best_so_far, dominated_shares
from explorer.report_page.data import MOST_DETAILED, choose_detailed, page_data
from explorer.report_page.importances import FEWEST_TRIALS, importances
from explorer.report_page.page import json_in_html, render
from explorer.results import Member, SearchResult
from hiri_spec import SpecError, load


class Elements(HTMLParser):
    """The elements of a page, and the attributes that would have a browser fetch something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attributes if name in ("src", "href", "action", "data")]


def parsed(text: str) -> Elements:
    elements = Elements()
    elements.feed(text)
    return elements


def data_of(text: str) -> dict[str, object]:
    (inside,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)
    data: dict[str, object] = json.loads(inside)
    return data


def test_it_fetches_nothing(found: SearchResult) -> None:
    elements = parsed(render(page_data(found)))
    assert elements.fetched == ["data:,"]
    assert elements.tags.count("script") == 2
    assert "img" not in elements.tags


def test_texts_of_users_stay_texts(found: SearchResult) -> None:
    plain, nasty = render(page_data(found)), render(page_data(with_nasty_texts(found)))
    assert parsed(nasty).tags == parsed(plain).tags
    assert NASTY not in nasty
    data = data_of(nasty)
    assert data["command"] == f"python -m explorer.search --evaluator '{NASTY}'"
    assert data["failed"][0]["reason"] == NASTY  # type: ignore[index]


def test_json_in_html() -> None:
    assert json.loads(json_in_html([NASTY, "\u2028"])) == [NASTY, "\u2028"]
    assert not re.search(r"[<>&\u2028]", json_in_html([NASTY, "\u2028"]))


def test_report_goes_where_it_is_told(found: SearchResult, tmp_path: Path) -> None:
    assert found.report() == found.out / "report.html"
    assert found.report(str(tmp_path / "page.html")) == tmp_path / "page.html"
    assert (tmp_path / "page.html").read_text() == (found.out / "report.html").read_text()
    with pytest.raises(SpecError, match=r"page\.html: cannot be written: No such file or directory"):
        found.report(tmp_path / "none" / "page.html")


def test_every_network_is_there(found: SearchResult, tmp_path: Path) -> None:
    data = page_data(found)
    names = [parameter["name"] for parameter in data["parameters"]]
    for member, facts in zip(found.members, data["trials"], strict=True):
        number, score, macs, params, _, _, stages, sketch, _, yaml, values = facts
        assert (number, score, macs, params) == (member.number, member.score, member.macs, member.params)
        assert (stages, sketch) == (len(member.spec.stages), member.sketch)
        (tmp_path / "spec.yaml").write_text(yaml)
        assert load(tmp_path / "spec.yaml") == member.spec
        labels = [parameter["labels"] for parameter in data["parameters"]]
        chosen = {name: own[at] for name, own, at in zip(names, labels, values, strict=True) if at >= 0}
        assert chosen == member.values
    assert [found.members[place].number for place in data["front"]] == [member.number for member in found.front]
    for place, detail in data["details"].items():
        assert sum(row[4] for row in detail["stages"]) == found.members[place].macs
        assert detail["drawing"].startswith("<svg")


def test_so_many_have_details(found: SearchResult) -> None:
    result = with_trials(found, 400)
    detailed = choose_detailed(result)
    assert len(detailed) == MOST_DETAILED
    assert {member.number for member in result.front} <= {member.number for member in detailed}
    all_on_front = replace(result, front=result.members)
    assert result.best in choose_detailed(all_on_front)
    assert len({member.number // 50 for member in choose_detailed(all_on_front)}) == 8
    assert choose_detailed(replace(result, members=(), front=())) == []


def test_best_so_far() -> None:
    assert best_so_far([1.0, 3.0, 2.0, 4.0]) == [1.0, 3.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("points", "shares"),
    [
        ([], []),
        ([(1, 5)], [0.0]),
        ([(1, 5), (1, 5)], [0.0, 0.0]),
        # of the box from score 0 to 4 and 5 to 10 MACs
        ([(0, 10), (4, 5)], [0.0, 1.0]),
        ([(0, 5), (2, 5), (4, 8), (3, 9)], [0.0, 0.5, 0.7, 0.7]),
        ([(4, 8), (2, 5), (0, 9)], [0.4, 0.7, 0.7]),
    ],
    ids=str,
)
def test_dominated_shares(points: list[tuple[float, float]], shares: list[float]) -> None:
    assert dominated_shares([Point(*point) for point in points], 10) == pytest.approx(shares)


def test_hypervolume_as_optuna_has_it(found: SearchResult) -> None:
    import numpy as np
    from optuna._hypervolume import compute_hypervolume

    members = with_trials(found, 60).members
    budget = 4_000_000
    worst, best = min(m.score for m in members), max(m.score for m in members)
    losses = np.array([[-member.score, member.macs] for member in members])
    box = (best - worst) * (budget - losses[:, 1].min())
    expected = compute_hypervolume(losses, np.array([-worst, budget])) / box
    shares = dominated_shares([Point(member.score, member.macs) for member in members], budget)
    assert shares[-1] == pytest.approx(expected)
    assert shares == sorted(shares)


def scored_by_width(found: SearchResult, count: int) -> tuple[list[Member], dict[str, Parameter]]:
    """Networks whose score depends on one parameter, a little on a second that only every other one has."""
    parameters = {
        "width": Parameter("width", tuple(range(8, 81, 8)), is_range=True, signature=""),
        "block": Parameter("block", ("hr", "cffn"), is_range=False, signature=""),
        "heads": Parameter("heads", (2, 4, 8), is_range=False, signature=""),
        "rate": Parameter("rate", (0.0, 0.1, 0.2), is_range=True, signature=""),
    }
    members = []
    for number in range(count):
        values = {"width": 8 + 8 * (number % 10), "block": ("hr", "cffn")[number % 2], "rate": (number % 3) / 10}
        values |= {"heads": (2, 4, 8)[number % 3]} if number % 2 else {}
        score = 10.0 * values["width"] + values.get("heads", 0)
        members.append(replace(found.members[0], number=number, score=score, values=values))
    return members, parameters


def test_importances(found: SearchResult) -> None:
    members, parameters = scored_by_width(found, 120)
    shares = importances(members, parameters)
    assert next(iter(shares)) == "width"
    assert shares["width"] > 0.5
    assert sum(shares.values()) == pytest.approx(1)


def test_importances_that_nothing_tells(found: SearchResult) -> None:
    members, parameters = scored_by_width(found, 30)
    assert importances(members[: FEWEST_TRIALS - 1], parameters) == {}
    assert importances([replace(member, score=1.0) for member in members], parameters) == {}


def test_why_there_are_no_importances(found: SearchResult) -> None:
    def told(result: SearchResult) -> str:
        return str(page_data(result)["importances"]["note"])

    assert told(with_trials(found, 3)) == "it takes 10 finished trials, there are 3"
    same = replace(found, members=tuple(replace(member, score=1.0) for member in found.members))
    assert told(same) == "all scores are the same, or no parameter sets the best apart from the rest"
    assert told(found).startswith("what sets the best 42 % apart from all, by PED-ANOVA (Watanabe et al. 2023)")
    assert told(found).endswith("of so few trials a hint at most")
