"""Where the pieces of a block stand: by depth from top to bottom, branches side by side, long ones in columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .pieces import Join, Piece

BOX_WIDTH, LANE = 156.0, 168.0
HEIGHTS = {"end": 24.0, "light": 24.0, "heavy": 50.0, "group": 50.0}
ROW_GAP = 20.0
FORK, MERGE = 7.0, 8.0
"""Pixels below a box where its lines part, and above one where they meet."""
TRACK = 9.0
COLUMN_GAP = 34.0
FEWEST_ROWS, MOST_ROWS = 10, 15
"""Rows of one column, where it can be parted: half of all within these."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A piece at its place; `is_again` if it stands at the head of a column to go on from the one before."""

    piece: Piece
    x: float
    y: float
    height: float
    is_again: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A way from box to box, dashed where only the size of a map is needed."""

    points: tuple[Point, ...]
    is_for_size: bool
    has_arrow: bool = True


@dataclass(slots=True)
class Flow:
    """Boxes and lines, from 0 on both ways, with the size that they take."""

    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0


@dataclass(slots=True)
class _Column:
    """The pieces of one column by number, with the row and the lane of each."""

    numbers: list[int]
    rows: dict[int, int]
    lanes: dict[int, int]
    again: int | None


def lay_out_flow(pieces: Sequence[Piece]) -> Flow:
    """Place every piece and every line between them."""
    rows: list[int] = []
    for piece in pieces:
        rows.append(1 + max((rows[join.source] for join in piece.joins), default=-1))
    flow = Flow()
    x = 0.0
    came_from: Point | None = None
    for column in _columns(pieces, rows):
        x, came_from = _place(flow, pieces, column, x, came_from)
    flow.width = x - COLUMN_GAP
    return flow


def _columns(pieces: Sequence[Piece], rows: Sequence[int]) -> Iterator[_Column]:
    """The pieces, parted where no more than one goes on, into columns that are not too long where that can be."""
    last = max(rows, default=0)
    most = max(FEWEST_ROWS, min(MOST_ROWS, (last + 2) // 2))
    crossing: list[set[int]] = [set() for _ in range(last + 1)]
    for number, piece in enumerate(pieces):
        for join in piece.joins:
            for row in range(rows[join.source], rows[number]):
                crossing[row].add(join.source)
    start = 0
    again: int | None = None
    while start <= last:
        end = last
        if last - start + 1 > most:
            cuts = [row for row in range(start, last - 1) if len(crossing[row]) == 1]
            fitting = [row for row in cuts if row - start < most]
            end = max(fitting) if fitting else min(cuts, default=last)
            if end - start < 2:
                end = min((row for row in cuts if row > start + 1), default=last)
        numbers = [number for number, row in enumerate(rows) if start <= row <= end]
        if again is not None:
            numbers = [again, *numbers]
        own_rows = {number: rows[number] - start + (again is not None) for number in numbers}
        if again is not None:
            own_rows[again] = 0
        yield _Column(numbers, own_rows, _lanes(pieces, numbers, own_rows), again)
        again = next(iter(crossing[end])) if end < last else None
        start = end + 1


def _lanes(pieces: Sequence[Piece], numbers: Sequence[int], rows: dict[int, int]) -> dict[int, int]:
    """The lane of each piece: that of an input that nothing has gone on from yet, or the first that is free."""
    lanes: dict[int, int] = {}
    ends: dict[int, int] = {}
    until = {number: rows[number] for number in numbers}
    for number in numbers:
        for join in pieces[number].joins:
            if join.source in until and not join.is_for_size:
                until[join.source] = max(until[join.source], rows[number])
    for number in numbers:
        sources = [join.source for join in pieces[number].joins if join.source in lanes and not join.is_for_size]
        going_on = [lanes[source] for source in sources if ends.get(lanes[source]) == source]
        if going_on and rows[number]:
            lane = min(going_on)
        else:
            taken = {lane for lane, end in ends.items() if until[end] >= rows[number] or rows[end] >= rows[number]}
            lane = next(lane for lane in range(len(ends) + 1) if lane not in taken)
        lanes[number] = lane
        ends[lane] = number
    return lanes


def _place(
    flow: Flow, pieces: Sequence[Piece], column: _Column, left: float, came_from: Point | None
) -> tuple[float, Point | None]:
    """Add a column at `left`; returns where the next begins, and where the line to it comes from."""
    rows, lanes = column.rows, column.lanes
    count = 1 + max(rows.values(), default=0)
    heights = [0.0] * count
    for number in column.numbers:
        look = "end" if number == column.again else pieces[number].look
        heights[rows[number]] = max(heights[rows[number]], HEIGHTS[look])
    tops = [sum(heights[:row]) + ROW_GAP * row for row in range(count)]
    joins = [
        (join, number)
        for number in column.numbers
        if number != column.again
        for join in pieces[number].joins
        if join.source in rows
    ]
    at = {(lanes[number], rows[number]) for number in column.numbers}
    tracked = [each for each in joins if _way(each, rows, lanes, at) == "track"]
    tracks = _tracks(tracked, rows)
    indent = TRACK * (1 + max(tracks.values(), default=-1))
    boxes: dict[int, Box] = {}
    for number in column.numbers:
        is_again = number == column.again
        height = HEIGHTS["end" if is_again else pieces[number].look]
        y = tops[rows[number]] + (heights[rows[number]] - height) / 2
        boxes[number] = Box(pieces[number], left + indent + LANE * lanes[number], y, height, is_again)
    for join, number in joins:
        way = _way((join, number), rows, lanes, at)
        track = left + indent - TRACK * (1 + tracks.get((join.source, number), 0)) + 2
        gap = tops[rows[join.source]] + heights[rows[join.source]] + FORK, tops[rows[number]] - MERGE
        flow.lines.append(Line(_points(boxes[join.source], boxes[number], way, track, gap), join.is_for_size))
    if column.again is not None and came_from is not None:
        flow.lines.append(_line_on(came_from, boxes[column.again], left - COLUMN_GAP / 2))
    flow.boxes += boxes.values()
    last = boxes[max(column.numbers, key=lambda number: (rows[number], -lanes[number]))]
    flow.height = max(flow.height, *(box.y + box.height for box in boxes.values()))
    right = left + indent + LANE * (1 + max(lanes.values())) - (LANE - BOX_WIDTH)
    return right + COLUMN_GAP, (last.x + BOX_WIDTH / 2, last.y + last.height)


def _way(each: tuple[Join, int], rows: dict[int, int], lanes: dict[int, int], at: set[tuple[int, int]]) -> str:
    """How a line goes: down in the lane that it leads to, down in its own and then across, or on a track beside all."""
    join, number = each
    between = range(rows[join.source] + 1, rows[number])
    if not any((lanes[number], row) in at for row in between):
        return "across first"
    if not any((lanes[join.source], row) in at for row in between):
        return "across last"
    return "track"


def _tracks(tracked: Sequence[tuple[Join, int]], rows: dict[int, int]) -> dict[tuple[int, int], int]:
    """Which track each line takes, such that no two are on one at the same height; short ones are nearest."""
    taken: list[list[tuple[int, int]]] = []
    found = {}
    for join, number in sorted(tracked, key=lambda each: rows[each[1]] - rows[each[0].source]):
        span = rows[join.source], rows[number]
        free = next((i for i, spans in enumerate(taken) if all(span[1] <= a or b <= span[0] for a, b in spans)), None)
        if free is None:
            free = len(taken)
            taken.append([])
        taken[free].append(span)
        found[join.source, number] = free
    return found


def _points(source: Box, target: Box, way: str, track: float, gap: Point) -> tuple[Point, ...]:
    start = source.x + BOX_WIDTH / 2, source.y + source.height
    end = target.x + BOX_WIDTH / 2, target.y
    fork, merge = gap
    if start[0] == end[0] and way != "track":
        return start, end
    if way == "across first":
        return start, (start[0], fork), (end[0], fork), end
    if way == "across last":
        return start, (start[0], merge), (end[0], merge), end
    return start, (start[0], fork), (track, fork), (track, merge), (end[0], merge), end


def _line_on(came_from: Point, head: Box, between: float) -> Line:
    """The line from the foot of a column to the head of the next."""
    x, y = came_from
    middle = head.y + head.height / 2
    return Line(((x, y), (x, y + 10), (between, y + 10), (between, middle), (head.x, middle)), False)
