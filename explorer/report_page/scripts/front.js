// Score over cost: every network a point, the front drawn through; the pointer and the arrow keys tell and choose.

const MANY = 800;

function drawFront(page) {
  const { trials, front, groups } = page;
  const place = document.getElementById("front-plot");
  const legend = document.getElementById("front-legend");
  const note = document.getElementById("front-note");
  if (!trials.length) {
    note.textContent = "No trial is finished yet, so there is no network to show.";
    return;
  }
  const isOnFront = new Set(front);
  const hidden = new Set();
  const across = page.cost.of;
  const known = trials.map(across).filter((cost) => cost !== null);
  const whole = [domainOf(known), domainOf(trials.map((trial) => trial.score), 0.08)];
  const size = trials.length > MANY ? 0.7 : 1;
  let domains = whole;
  let points = [];
  let pointed = -1;
  let picture = null;
  const tip = element("div", { class: "tip", role: "status", hidden: true });
  const reset = element("button", { type: "button", hidden: true, onclick: () => show(whole) }, "Show all again");

  groups.forEach((count, group) => {
    const button = element("button", { type: "button", "aria-pressed": "true" });
    const sign = shape("svg", { viewBox: "-6 -6 12 12", "aria-hidden": "true" }, marker(group));
    button.append(sign, plural(count, "stage"));
    button.addEventListener("click", () => {
      hidden[hidden.has(count) ? "delete" : "add"](count);
      button.setAttribute("aria-pressed", String(!hidden.has(count)));
      draw(place.clientWidth);
    });
    legend.append(button);
  });
  legend.append(reset);
  note.textContent =
    "Each point is a network, its shape says how many stages it has; those in rings are on the Pareto front: no " +
    `other has a higher score at no more ${page.cost.name}. Click a point for the network, with Shift to compare it ` +
    "with the one shown; drag with the mouse to enlarge. The keys ← and → go along the front, Enter shows the " +
    `network. ${page.convention}.`;

  function show(next) {
    domains = next;
    reset.hidden = next === whole;
    draw(place.clientWidth);
  }

  function draw(width) {
    const isNarrow = width < 500;
    const name = page.scoreName + (page.isUntrained && !page.isByCost ? " (no training)" : "");
    const about = `${plural(trials.length, "network")}, ${front.length} of them on the Pareto front`;
    const height = isNarrow ? 320 : 430;
    picture = plane(width, height, domains, [page.cost.unit, name], about);
    const { svg, x, y } = picture;
    const isIn = (value, [low, high]) => value !== null && value >= low && value <= high;
    points = trials.map((trial) => {
      const isShown = isIn(across(trial), domains[0]) && isIn(trial.score, domains[1]) && !hidden.has(trial.stages);
      return isShown ? [x(across(trial)), y(trial.score)] : null;
    });
    const area = { x: MARGIN.left, y: 0, width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.bottom };
    svg.append(shape("defs", {}, shape("clipPath", { id: "plane" }, shape("rect", area))));
    const steps = front.map((index) => [across(trials[index]), trials[index].score]).filter(([cost]) => cost !== null);
    svg.append(shape("path", { class: "curve", "clip-path": "url(#plane)", d: stepsThrough(steps, x, y) }));
    points.forEach((point, index) => {
      if (!point) return;
      const trial = trials[index];
      const move = `translate(${point[0].toFixed(1)} ${point[1].toFixed(1)}) scale(${size})`;
      svg.append(marker(groups.indexOf(trial.stages), { transform: move, "data-trial": trial.number }));
    });
    for (const index of isOnFront) {
      const at = points[index];
      if (at) svg.append(shape("circle", { class: "ring", cx: at[0], cy: at[1], r: 7.5 }));
    }
    svg.append(shape("circle", { class: "chosen", r: 10, visibility: "hidden" }));
    svg.setAttribute("role", "application");
    svg.setAttribute("aria-roledescription", "plot");
    svg.setAttribute("tabindex", "0");
    listenToPointer(svg, {
      onMove: (here) => point(nearest(points, here)),
      onLeave: () => point(-1),
      onClick: (here, event) => {
        const index = nearest(points, here);
        if (index < 0) return;
        if (event.shiftKey) page.compareWith(index);
        else page.choose(index);
      },
      onArea: (from, to) => {
        const wide = [from[0], to[0]].map(x.invert).sort((a, b) => a - b);
        const high = [from[1], to[1]].map(y.invert).sort((a, b) => a - b);
        if (wide[1] > wide[0] && high[1] > high[0]) show([wide, high]);
      },
    });
    svg.addEventListener("keydown", onKey);
    svg.addEventListener("blur", () => point(-1));
    place.replaceChildren(svg, tip);
    mark(page.chosen);
  }

  function onKey(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
      const seen = front.filter((index) => points[index]);
      if (!seen.length) return;
      const at = seen.indexOf(pointed >= 0 ? pointed : page.chosen);
      const start = step > 0 ? 0 : seen.length - 1;
      point(at < 0 ? seen[start] : seen[Math.min(seen.length - 1, Math.max(0, at + step))]);
      event.preventDefault();
    } else if (event.key === "Enter" && pointed >= 0) {
      page.choose(pointed);
    } else if (event.key === "Escape") {
      point(-1);
      show(whole);
    }
  }

  /** Show what one point is; -1 for none. */
  function point(index) {
    if (index === pointed && !tip.hidden === index >= 0) return;
    pointed = index;
    tip.hidden = index < 0;
    if (index < 0) return;
    const trial = trials[index];
    const costs = page.costs(trial);
    tip.replaceChildren(
      element("strong", {}, `trial ${trial.number}${isOnFront.has(index) ? ", on the front" : ""}`),
      element("div", {}, trial.sketch),
      element("div", {}, `widths ${trial.widths}`),
      element("div", {}, page.isByCost ? costs : `${page.scoreName} ${scoreText(trial.score)}, ${costs}`),
    );
    const [left, up] = points[index];
    const room = place.clientWidth - tip.offsetWidth;
    tip.style.left = `${Math.max(0, Math.min(room, left + 14))}px`;
    tip.style.top = `${up > tip.offsetHeight + 20 ? up - tip.offsetHeight - 12 : up + 14}px`;
  }

  /** Ring the chosen network. */
  function mark(index) {
    const ring = picture?.svg.querySelector(".chosen");
    if (!ring) return;
    const at = points[index];
    ring.setAttribute("visibility", at ? "visible" : "hidden");
    if (at) {
      ring.setAttribute("cx", at[0]);
      ring.setAttribute("cy", at[1]);
    }
  }

  page.onChoice.push(mark);
  responsive(place, draw);
}
