// What a search had reached after each trial, which parameters mattered, and how rare feasible networks are.

const CURVE_HEIGHT = 220;

function drawCurves(page) {
  drawHistory(page);
  drawHypervolume(page);
  drawImportances(page);
  drawFeasible(page);
}

/** Say in the place of a picture why there is none. */
function leaveOut(id, why) {
  document.getElementById(`${id}-note`).textContent = why;
}

function drawHistory(page) {
  const { trials, failed, scoreName } = page;
  if (!trials.length) {
    leaveOut("history", "No trial is finished yet.");
    return;
  }
  const place = document.getElementById("history");
  const last = Math.max(trials[trials.length - 1].number, ...failed.map((trial) => trial.number), 1);
  responsive(place, (width) => {
    const domains = [[0, last], domainOf(trials.map((trial) => trial.score))];
    const about = `Scores of ${plural(trials.length, "trial")} in the order of their numbers, and the best so far`;
    const { svg, x, y, height } = plane(width, CURVE_HEIGHT, domains, ["trial", scoreName], about);
    for (const trial of trials) {
      const at = { transform: `translate(${x(trial.number).toFixed(1)} ${y(trial.score).toFixed(1)}) scale(0.6)` };
      svg.append(marker(page.groups.indexOf(trial.stages), at));
    }
    const best = trials.map((trial, index) => [trial.number, page.bestSoFar[index]]);
    svg.append(shape("path", { class: "curve", d: stepsThrough(best, x, y) }));
    for (const trial of failed) {
      const across = x(trial.number);
      const bottom = height - MARGIN.bottom;
      svg.append(shape("line", { class: "failure", x1: across, x2: across, y1: bottom - 8, y2: bottom }));
    }
    place.replaceChildren(svg);
  });
  const lost = failed.length ? ` Marks at the bottom are trials without a score (${failed.length}).` : "";
  leaveOut("history", `Each network's score, and the best so far as a line.${lost}`);
}

function drawHypervolume(page) {
  const { trials, dominated } = page;
  if (!dominated.some((share) => share > 0)) {
    leaveOut("hypervolume", "It takes two trials that differ in score and in cost.");
    return;
  }
  const place = document.getElementById("hypervolume");
  responsive(place, (width) => {
    const points = trials.map((trial, index) => [trial.number, 100 * dominated[index]]);
    const domains = [[0, Math.max(1, trials[trials.length - 1].number)], [0, 100]];
    const about = `Hypervolume after each trial; at the end ${percent(dominated[dominated.length - 1])}`;
    const { svg, x, y } = plane(width, CURVE_HEIGHT, domains, ["trial", "per cent of the box"], about);
    svg.append(shape("path", { class: "curve", d: stepsThrough(points, x, y) }));
    place.replaceChildren(svg);
  });
  const best = `the highest score at the fewest ${page.cost.name} seen`;
  const box = `the box between the lowest score at the limit and ${best}`;
  const reached = percent(dominated[dominated.length - 1]);
  leaveOut("hypervolume", `How much of ${box} the front dominates; at the end ${reached}.`);
}

function drawImportances(page) {
  const { shares, note } = page.importances;
  leaveOut("importances", `${note[0].toUpperCase()}${note.slice(1)}.`);
  if (!shares.length) return;
  const place = document.getElementById("importances");
  const most = Math.max(...shares.map(([, share]) => share));
  responsive(place, (width) => {
    const row = 22;
    const names = Math.min(190, width * 0.45);
    const about = `Importances: ${shares.map(([name, share]) => `${name} ${percent(share, 0)}`).join(", ")}`;
    const height = row * shares.length + 6;
    const svg = blank(width, height, about);
    shares.forEach(([name, share], index) => {
      const up = index * row + 15;
      const mostLetters = Math.floor(names / 6.6);
      const short = name.length > mostLetters ? `…${name.slice(1 - mostLetters)}` : name;
      const label = shape("text", { x: names - 8, y: up, "text-anchor": "end" }, short, shape("title", {}, name));
      const long = Math.max(1, ((width - names - 52) * share) / most);
      svg.append(label, shape("rect", { class: "bar", x: names, y: up - 11, width: long, height: 14, rx: 2 }));
      svg.append(shape("text", { x: names + long + 6, y: up }, percent(share, share < 0.1 ? 1 : 0)));
    });
    place.replaceChildren(svg);
  });
}

function drawFeasible(page) {
  if (!page.feasibility) {
    leaveOut("feasible", "It was not measured.");
    return;
  }
  const { draws, valid, feasible } = page.feasibility;
  const place = document.getElementById("feasible");
  const bars = [["networks in order", valid], ["within the budget too", feasible]];
  responsive(place, (width) => {
    const about = `${percent(valid)} are networks in order, ${percent(feasible)} are within the budget too`;
    const svg = blank(width, 64, about);
    const names = Math.min(150, width * 0.4);
    bars.forEach(([name, share], index) => {
      const up = 20 + index * 26;
      const room = width - names - 60;
      svg.append(
        shape("text", { x: names - 8, y: up, "text-anchor": "end" }, name),
        shape("rect", { class: "grid", fill: "none", x: names, y: up - 12, width: room, height: 16, rx: 2 }),
        shape("rect", { class: "bar", x: names, y: up - 12, width: Math.max(1, room * share), height: 16, rx: 2 }),
        shape("text", { x: names + room + 6, y: up }, percent(share)),
      );
    });
    place.replaceChildren(svg);
  });
  const fitted = "Every candidate of the search is fitted to the budget before it is built.";
  leaveOut("feasible", `Of ${whole(draws)} draws that know nothing of the budget. ${fitted}`);
}
