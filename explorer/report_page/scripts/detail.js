// One network: its figures, YAML, drawing and cost by stage.

function drawDetail(page) {
  const place = document.getElementById("detail-content");
  const heading = document.getElementById("detail-heading");
  if (!page.trials.length) {
    place.replaceChildren(element("p", { class: "note" }, "None yet."));
    return;
  }
  page.onChoice.push((index, isAsked) => {
    const trial = page.trials[index];
    heading.textContent = `Trial ${trial.number}: ${trial.sketch}`;
    const yaml = element("pre", { tabindex: "0" }, trial.yaml);
    const name = `trial_${trial.number}.yaml`;
    const buttons = element("div", { class: "row" },
      copyButton("Copy the YAML", trial.yaml, yaml),
      saveButton("Save it", trial.yaml, name),
      element("button", { type: "button", onclick: () => page.setCompared(0, index) }, "Compare as A"),
      element("button", { type: "button", onclick: () => page.setCompared(1, index) }, "Compare as B"),
    );
    place.replaceChildren(facts(page, index), buttons, yaml, ...pictures(page, index, name));
    if (isAsked) bringIntoView(document.getElementById("detail"));
  });
}

function facts(page, index) {
  const trial = page.trials[index];
  const list = element("dl");
  const add = (name, value) => list.append(element("dt", {}, name), element("dd", {}, value));
  const ranks = [index === page.best ? "the highest score" : "", page.front.includes(index) ? "on the front" : ""];
  const said = ranks.filter(Boolean).join(", ");
  if (!page.isByCost) add(page.scoreName, scoreText(trial.score));
  for (const { scoreName, scores } of page.earlier) {
    if (scores[index] !== null) add(`${scoreName} before`, scoreText(scores[index]));
  }
  add("cost", page.costs(trial));
  add("evaluated in", `${trial.seconds.toFixed(trial.seconds < 10 ? 2 : 0)} s`);
  if (said) add("place", said);
  return list;
}

function pictures(page, index, name) {
  const detail = page.details[index];
  if (!detail) {
    const count = Object.keys(page.details).length;
    const text =
      `Drawings and costs by stage are in this page for ${count} networks, those of the front and of the highest ` +
      `scores. For this one save the YAML, and: hiri-spec draw ${name} --out drawing.svg; hiri-spec cost ${name}`;
    return [element("p", { class: "note" }, text)];
  }
  const drawing = new DOMParser().parseFromString(detail.drawing, "image/svg+xml").documentElement;
  const rows = detail.stages.map(([stage, what, params, output, macs]) => [
    stage, what, whole(params), output, mmacs(macs), percent(macs / Math.max(1, page.trials[index].macs)),
  ]);
  const texts = ["stage", "what"].map((name) => [name, true]);
  const columns = [...texts, ...["params", "output", "MMACs", "share"].map((name) => [name, false])];
  return [
    element("h3", {}, "Drawing"),
    scrollable("Drawing", element("div", { class: "drawing" }, document.importNode(drawing, true))),
    element("h3", {}, "Cost by stage"),
    table("Cost by stage", columns, rows),
  ];
}

/** Scroll to a section where it isn't to be seen, as on a narrow window, and take the keyboard there. */
function bringIntoView(section) {
  const { top } = section.getBoundingClientRect();
  if (top < 0 || top > innerHeight * 0.6) section.scrollIntoView();
  section.focus({ preventScroll: true });
}
