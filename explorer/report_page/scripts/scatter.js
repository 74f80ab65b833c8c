// Markers that differ in shape as well as in colour, the nearest of many points, and a rectangle drawn with the mouse.

const MARKERS = [
  "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0 -4 0Z",
  "M-3.5 -3.5H3.5V3.5H-3.5Z",
  "M0 -4.6L4.4 3.4H-4.4Z",
  "M0 -5L5 0L0 5L-5 0Z",
  "M0 4.6L4.4 -3.4H-4.4Z",
  "M-4.5 -1.5H-1.5V-4.5H1.5V-1.5H4.5V1.5H1.5V4.5H-1.5V1.5H-4.5Z",
];
const NEAR = 24;

/** The marker of a group. */
function marker(group, attributes = {}) {
  const kind = group % MARKERS.length;
  return shape("path", { ...attributes, class: `point group-${kind}`, d: MARKERS[kind] });
}

/** The place among `points`, each [x, y] in pixels or null, of the one nearest to a position; -1 if none is near. */
function nearest(points, [across, up]) {
  let best = -1;
  let least = NEAR * NEAR;
  points.forEach((point, index) => {
    if (!point) return;
    const distance = (point[0] - across) ** 2 + (point[1] - up) ** 2;
    if (distance < least) [best, least] = [index, distance];
  });
  return best;
}

/** Where the pointer is in a picture, in its pixels. */
function positionIn(svg, event) {
  const box = svg.getBoundingClientRect();
  const { width, height } = svg.viewBox.baseVal;
  return [((event.clientX - box.left) * width) / box.width, ((event.clientY - box.top) * height) / box.height];
}

/** Tell clicks and rectangles apart: `onClick(position, event)`, `onArea(corner, corner)` for the mouse only. */
function listenToPointer(svg, { onMove, onLeave, onClick, onArea }) {
  let start = null;
  const brush = shape("rect", { class: "brush", width: 0, height: 0 });
  const isDrag = (from, to) => Math.hypot(to[0] - from[0], to[1] - from[1]) > 6;
  svg.append(brush);
  const clear = () => {
    start = null;
    brush.setAttribute("width", 0);
    brush.setAttribute("height", 0);
  };
  svg.addEventListener("pointerdown", (event) => {
    if (event.button === 0) start = positionIn(svg, event);
  });
  svg.addEventListener("pointermove", (event) => {
    const here = positionIn(svg, event);
    if (start && event.pointerType === "mouse" && isDrag(start, here)) {
      brush.setAttribute("x", Math.min(start[0], here[0]));
      brush.setAttribute("y", Math.min(start[1], here[1]));
      brush.setAttribute("width", Math.abs(here[0] - start[0]));
      brush.setAttribute("height", Math.abs(here[1] - start[1]));
      onLeave();
    } else if (!start) {
      onMove(here);
    }
  });
  svg.addEventListener("pointerup", (event) => {
    if (!start) return;
    const [from, here] = [start, positionIn(svg, event)];
    clear();
    if (!isDrag(from, here)) onClick(here, event);
    else if (event.pointerType === "mouse") onArea(from, here);
  });
  svg.addEventListener("pointercancel", clear);
  svg.addEventListener("pointerleave", () => {
    clear();
    onLeave();
  });
}
