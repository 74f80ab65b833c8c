"""A small space that is quick to search, and searches of it."""

from __future__ import annotations

from pathlib import Path

from explorer.results import SearchResult
from explorer.search import search

BUDGET = "4mmacs"
SMALL_SPACE = """\
name: small
resolution: 64
stem: {stem: conv, width: {choice: [8, 16]}}
stages:
  choice:
    - - &first
        choice:
          - {block: hr, depth: {range: [1, 4]}, width: {choice: [8, 16, 24]}}
          - {block: cffn, depth: {range: [1, 4]}, width: {choice: [8, 16, 24]}, expansion: {choice: [2, 4]}}
      - &second
        choice:
          - {block: hr, depth: {range: [1, 6]}, width: {choice: [16, 32, 48]}, downsample: irds_a}
          - {block: transformer, depth: {range: [1, 3]}, width: {choice: [16, 32, 48]}, heads: {choice: [2, 3]},
             downsample: irds_a}
    - - *first
      - *second
      - {block: transformer, depth: {range: [1, 4]}, width: {range: [32, 64, 16]}, heads: 4, downsample: irds_b}
head: {classes: 10}
"""


def run(space_file: Path, out: Path, trials: int = 12, budget: str = BUDGET, **options: object) -> SearchResult:
    return search(budget, space=space_file, out=out, trials=trials, **{"evaluator": "params", **options})


def told(result: SearchResult) -> list[tuple[object, ...]]:
    return [(member.number, member.spec, member.score, member.macs) for member in result.members]
