// Scales and axes: where a value lies in a picture, and the lines and figures that say so.

const MARGIN = { left: 64, right: 14, top: 10, bottom: 42 };

/** Draws now, and anew whenever the place has another width: `draw(width)` fills it. */
function responsive(place, draw) {
  let before = 0;
  new ResizeObserver(() => {
    const width = Math.floor(place.clientWidth);
    if (width && width !== before) {
      before = width;
      draw(width);
    }
  }).observe(place);
}

/** A linear scale from values to pixels, and back. */
function linear([low, high], [start, end]) {
  const factor = (end - start) / (high - low);
  const scale = (value) => start + (value - low) * factor;
  scale.invert = (pixel) => low + (pixel - start) / factor;
  scale.domain = [low, high];
  return scale;
}

/** The values' least and greatest with some air around, never of no width. */
function domainOf(values, air = 0.05) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (!(low <= high)) return [0, 1];
  const room = high > low ? (high - low) * air : Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

/** Round values within a domain, about so many, and how they are written. */
function ticksOf([low, high], count) {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const isLarge = Math.max(Math.abs(low), Math.abs(high)) >= 1e6;
  const write = (value) => (isLarge ? value.toExponential(2) : value.toFixed(Math.min(digits, 12)));
  const values = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high * (1 + 1e-12) + step * 1e-9; index += 1) {
    values.push(index * step);
  }
  return values.map((value) => [value, write(value === 0 ? 0 : value)]);
}

/** An empty picture of a size, with what it shows in words. */
function blank(width, height, description) {
  return shape("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": description });
}

/** An empty picture of a size with both axes; returns the picture and its scales. */
function plane(width, height, domains, labels, description) {
  const x = linear(domains[0], [MARGIN.left, width - MARGIN.right]);
  const y = linear(domains[1], [height - MARGIN.bottom, MARGIN.top]);
  const svg = blank(width, height, description);
  const right = width - MARGIN.right;
  const bottom = height - MARGIN.bottom;
  for (const [value, text] of ticksOf(domains[0], Math.max(2, (width - 80) / 90))) {
    svg.append(shape("line", { class: "grid", x1: x(value), x2: x(value), y1: MARGIN.top, y2: bottom }));
    svg.append(shape("text", { class: "faint", x: x(value), y: bottom + 16, "text-anchor": "middle" }, text));
  }
  for (const [value, text] of ticksOf(domains[1], Math.max(2, (height - 50) / 50))) {
    svg.append(shape("line", { class: "grid", x1: MARGIN.left, x2: right, y1: y(value), y2: y(value) }));
    svg.append(shape("text", { class: "faint", x: MARGIN.left - 6, y: y(value) + 4, "text-anchor": "end" }, text));
  }
  const middle = (MARGIN.left + right) / 2;
  svg.append(shape("text", { x: middle, y: height - 6, "text-anchor": "middle" }, labels[0]));
  const turned = `translate(14 ${(MARGIN.top + bottom) / 2}) rotate(-90)`;
  svg.append(shape("text", { transform: turned, "text-anchor": "middle" }, labels[1]));
  return { svg, x, y, width, height };
}

/** The path through points, which stays level until the next one. */
function stepsThrough(points, x, y) {
  return points
    .map(([across, up], index) => {
      const [column, line] = [x(across).toFixed(1), y(up).toFixed(1)];
      return index ? `H${column}V${line}` : `M${column} ${line}`;
    })
    .join("");
}
