// Reads the data, and draws every part of the page.

const FACTS = ["number", "score", "macs", "params", "seconds", "latency"];
const FIELDS = [...FACTS, "stages", "sketch", "widths", "yaml", "values"];

function readPage() {
  const page = JSON.parse(document.getElementById("data").textContent);
  page.trials = page.trials.map((facts) => Object.fromEntries(FIELDS.map((name, place) => [name, facts[place]])));
  const most = (name) => Math.max(0, ...[...page.trials, ...page.failed].map((trial) => trial[name]));
  page.macs = amounts(most("macs"), "MACs");
  page.params = amounts(most("params"), " params");
  page.costs = ({ macs, params, latency }) =>
    `${page.macs.write(macs)} ${page.macs.unit}, ${page.params.write(params)} ${page.params.unit}` +
    (latency === null ? "" : `, ${milliseconds(latency)}`);
  /** What the front is cheap in: its name, and a network's, null if that isn't known. */
  page.cost = page.isByLatency
    ? { unit: "ms for one image", name: "milliseconds", of: (trial) => trial.latency }
    : { unit: page.macs.unit, name: "MACs", of: (trial) => page.macs.number(trial.macs) };
  page.groups = [...new Set(page.trials.map((trial) => trial.stages))].sort((a, b) => a - b);
  page.chosen = page.best ?? -1;
  /** Told of every choice: (index, whether somebody asked for it). */
  page.onChoice = [];
  page.choose = (index, isAsked = true) => {
    page.chosen = index;
    for (const tell of page.onChoice) tell(index, isAsked);
  };
  page.setCompared = () => {};
  page.compareWith = () => {};
  return page;
}

function drawSummary(page) {
  const { trials, best, front, failed, ending } = page;
  const parts = [];
  if (best !== null) {
    const { number, sketch, score } = trials[best];
    const named = page.isByCost ? "" : `${page.scoreName} ${scoreText(score)}, `;
    parts.push(`The best is trial ${number}: ${sketch}, ${named}${page.costs(trials[best])}.`);
    parts.push(`${plural(front.length, "network")} on the Pareto front.`);
  }
  if (failed.length) parts.push(`${plural(failed.length, "trial")} without a score.`);
  if (page.earlier.length) {
    const named = ({ count, scoreName }) => `${plural(count, "network")} by ${scoreName}`;
    const levels = [...page.earlier].reverse().map(named);
    parts.push(`All of them are the best of ${levels.join(", which are the best of ")}.`);
  }
  if (page.isUntrained && !page.isByCost) parts.push("The score needs no training and is no accuracy.");
  if (ending) parts.push(`The search ended early: ${ending}.`);
  document.getElementById("summary").textContent = parts.join(" ");
}

function drawAgain(page) {
  const again = document.getElementById("again");
  if (page.command) {
    const command = element("pre", { class: "command", tabindex: "0" }, page.command);
    const note = `In the same folder this goes on with ${page.out}; elsewhere it makes the same search.`;
    again.append(command, copyButton("Copy", page.command, command), element("p", { class: "note" }, note));
  }
  const settings = document.getElementById("settings");
  for (const [name, value] of page.settings) settings.append(element("dt", {}, name), element("dd", {}, value));
}

const page = readPage();
drawSummary(page);
drawFront(page);
drawDetail(page);
drawNetworks(page);
drawCompare(page);
drawCurves(page);
drawFailed(page);
drawAgain(page);
if (page.best !== null) page.choose(page.best, false);
