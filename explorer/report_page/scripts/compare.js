// Two networks side by side: figures, stages, the settings of the space that differ, and the lines of YAML.

function drawCompare(page) {
  const place = document.getElementById("compare-content");
  const { trials, front, best } = page;
  if (trials.length < 2) {
    place.replaceChildren(element("p", { class: "note" }, "It takes two finished trials."));
    return;
  }
  const first = front[0] === best ? (best === 0 ? 1 : 0) : front[0];
  const pair = [first, best];
  const said = element("p", { class: "note", role: "status" });
  const result = element("div");
  const byNumber = new Map(trials.map((trial, index) => [trial.number, index]));
  const fields = ["A", "B"].map((letter, side) => {
    const field = element("input", { type: "number", min: 0, step: 1, "aria-label": `Trial ${letter}` });
    field.addEventListener("change", () => {
      const index = byNumber.get(Number(field.value));
      said.textContent = index === undefined ? `There is no finished trial ${field.value}.` : "";
      if (index !== undefined) set(side, index, false);
    });
    return field;
  });
  const sketches = fields.map(() => element("strong"));
  const turn = element("button", { type: "button", onclick: () => { pair.reverse(); show(); } }, "Swap");

  function show() {
    fields.forEach((field, side) => {
      field.value = trials[pair[side]].number;
      sketches[side].textContent = trials[pair[side]].sketch;
    });
    result.replaceChildren(...comparison(page, ...pair));
  }

  function set(side, index, isAsked = true) {
    pair[side] = index;
    said.textContent = "";
    show();
    if (isAsked) bringIntoView(document.getElementById("compare"));
  }

  page.setCompared = set;
  page.compareWith = (index) => {
    pair[0] = page.chosen;
    set(1, index);
  };
  const named = fields.map((field, side) => element("label", {}, `${"AB"[side]}: trial `, field, " ", sketches[side]));
  place.replaceChildren(element("div", { class: "row" }, ...named, turn, said), result);
  show();
}

function comparison(page, a, b) {
  const [one, other] = [page.trials[a], page.trials[b]];
  const settings = differences(page, one, other);
  const left = [element("h3", {}, "Figures"), figures(page, one, other)];
  if (page.details[a] && page.details[b]) {
    left.push(element("h3", {}, "Stages"), stages(page.details[a].stages, page.details[b].stages));
  } else {
    const text = "Costs by stage are in this page for the front and the highest scores only.";
    left.push(element("p", { class: "note" }, text));
  }
  const right = [element("h3", {}, "Settings that differ")];
  const columns = ["setting", "A", "B"].map((heading) => [heading, true]);
  if (settings.length) right.push(table("Settings that differ", columns, settings));
  else right.push(element("p", {}, a === b ? "A and B are the same trial." : "None."));
  const lines = lineDifferences(one.yaml.trimEnd().split("\n"), other.yaml.trimEnd().split("\n"));
  const text = lines.map(([sign, line]) =>
    element("div", { class: { "−": "less", "+": "more" }[sign] ?? null }, `${sign} ${line}`),
  );
  left.push(element("h3", {}, "YAML, from A (−) to B (+)"), element("pre", { tabindex: "0" }, ...text));
  return [element("div", { class: "side-by-side" }, element("div", {}, ...left), element("div", {}, ...right))];
}

function figures(page, one, other) {
  const measures = [
    [page.macs.unit, (trial) => trial.macs, page.macs.write],
    [page.params.unit.trim(), (trial) => trial.params, page.params.write],
    ["seconds to evaluate", (trial) => trial.seconds, (value) => value.toFixed(2)],
  ];
  if (one.latency !== null && other.latency !== null) {
    measures.splice(2, 0, ["ms for one image", (trial) => trial.latency, (value) => value.toFixed(2)]);
  }
  if (!page.isByCost) measures.unshift([page.scoreName, (trial) => trial.score, scoreText]);
  const rows = measures.map(([label, read, write]) => {
    const [before, after] = [read(one), read(other)];
    return [label, write(before), write(after), changeText(before, after)];
  });
  const columns = [["", true], [`A: ${one.number}`, false], [`B: ${other.number}`, false], ["change", false]];
  return table("Figures of both", columns, rows);
}

function stages(before, after) {
  const names = [...new Set([...before, ...after].map(([name]) => name))];
  const order = (name) => ({ stem: -1, head: 1e9 })[name] ?? Number(name.split(".")[1]);
  const find = (rows, name) => rows.find((row) => row[0] === name);
  const rows = names.sort((x, y) => order(x) - order(y)).map((name) => {
    const [old, now] = [find(before, name), find(after, name)];
    const cells = (row, place, write) => (row ? write(row[place]) : "–");
    const own = (place, write) => [cells(old, place, write), cells(now, place, write)];
    const same = (value) => value;
    const macs = (row) => (row ? row[4] : 0);
    const change = old && now ? changeText(macs(old), macs(now)) : "";
    return [name, ...own(1, same), ...own(4, mmacs), change, ...own(2, whole)];
  });
  const columns = [
    ["stage", true], ["A", true], ["B", true], ["MMACs A", false], ["MMACs B", false], ["change", false],
    ["params A", false], ["params B", false],
  ];
  return table("Stages of both", columns, rows);
}

/** The parameters of the space that differ; a dash where one has no say. */
function differences(page, one, other) {
  const label = (parameter, place) => (place < 0 ? "–" : String(parameter.labels[place]));
  return page.parameters
    .map((parameter, index) => [parameter.name, ...[one, other].map((trial) => label(parameter, trial.values[index]))])
    .filter(([, before, after]) => before !== after);
}

/** The lines of two texts, each with −, + or a space: as few changes as there can be. */
function lineDifferences(before, after) {
  const shared = Array.from({ length: before.length + 1 }, () => new Array(after.length + 1).fill(0));
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      shared[i][j] = before[i] === after[j] ? shared[i + 1][j + 1] + 1 : Math.max(shared[i + 1][j], shared[i][j + 1]);
    }
  }
  const lines = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      lines.push([" ", before[i]]);
      [i, j] = [i + 1, j + 1];
    } else if (i < before.length && (j === after.length || shared[i + 1][j] >= shared[i][j + 1])) {
      lines.push(["−", before[i]]);
      i += 1;
    } else {
      lines.push(["+", after[j]]);
      j += 1;
    }
  }
  return lines;
}
