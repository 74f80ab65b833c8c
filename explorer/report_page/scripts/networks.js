// The networks as a table, in which every one can be reached by keyboard; and the trials that have no score.

const ROWS = 50;

function drawNetworks(page) {
  const place = document.getElementById("networks-content");
  const { trials, front } = page;
  if (!trials.length) {
    place.replaceChildren(element("p", { class: "note" }, "None yet."));
    return;
  }
  const kept = element("select", { "aria-label": "Which networks" },
    element("option", { value: "front" }, `the front (${whole(front.length)})`),
    element("option", { value: "all" }, `all (${whole(trials.length)})`),
  );
  const columns = [
    ["trial", "trial", (trial) => trial.number, (trial) => String(trial.number), false],
    ["sketch", "network", (trial) => trial.sketch, (trial) => trial.sketch, true],
    ["score", page.scoreName, (trial) => trial.score, (trial) => scoreText(trial.score), false],
    ["macs", "GMACs", (trial) => trial.macs, (trial) => gmacs(trial.macs), false],
    ["params", "params M", (trial) => trial.params, (trial) => millions(trial.params), false],
    ["stages", "stages", (trial) => trial.stages, (trial) => String(trial.stages), false],
    ["seconds", "seconds", (trial) => trial.seconds, (trial) => trial.seconds.toFixed(2), false],
  ].filter(([key]) => key !== "score" || !page.isByCost);
  let sorted = { key: "macs", isDown: false };
  let shown = ROWS;
  const body = element("tbody");
  const heads = columns.map(([key, label, , , isText]) => {
    const button = element("button", { type: "button", onclick: () => sort(key) }, label);
    return element("th", { scope: "col", class: isText ? "text" : null, "data-key": key }, button);
  });
  const more = element("button", { type: "button", onclick: () => { shown += ROWS * 4; fill(); } });
  const list = element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body);
  kept.addEventListener("change", () => { shown = ROWS; fill(); });

  function sort(key) {
    sorted = { key, isDown: sorted.key === key ? !sorted.isDown : key === "score" };
    fill();
  }

  function fill() {
    const indices = kept.value === "front" ? [...front] : trials.map((_, index) => index);
    const [, , read] = columns.find(([key]) => key === sorted.key);
    const order = (a, b) => {
      const [one, other] = [read(trials[a]), read(trials[b])];
      return (one < other ? -1 : one > other ? 1 : a - b) * (sorted.isDown ? -1 : 1);
    };
    indices.sort(order);
    heads.forEach((head) => {
      const isThis = head.dataset.key === sorted.key;
      const [, label] = columns.find(([key]) => key === head.dataset.key);
      head.firstChild.textContent = isThis ? `${label} ${sorted.isDown ? "↓" : "↑"}` : label;
      if (isThis) head.setAttribute("aria-sort", sorted.isDown ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    body.replaceChildren(...indices.slice(0, shown).map(row));
    more.hidden = indices.length <= shown;
    more.textContent = `Show more of ${whole(indices.length)}`;
  }

  function row(index) {
    const trial = trials[index];
    const cells = columns.map(([key, , , write, isText]) => {
      const text = write(trial);
      const open = () => page.choose(index);
      const about = { class: "link", type: "button", "aria-label": `Show trial ${text}`, onclick: open };
      return element("td", { class: isText ? "text" : null }, key === "trial" ? element("button", about, text) : text);
    });
    return element("tr", { "data-index": index, class: index === page.chosen ? "chosen" : null }, ...cells);
  }

  page.onChoice.push((index) => {
    for (const each of body.rows) each.classList.toggle("chosen", Number(each.dataset.index) === index);
  });
  place.replaceChildren(
    element("div", { class: "row" }, element("label", {}, "Show ", kept)),
    element("div", { class: "wide", tabindex: "0" }, list),
    element("div", { class: "row" }, more),
  );
  fill();
}

function drawFailed(page) {
  if (!page.failed.length) return;
  document.getElementById("failed").hidden = false;
  const rows = page.failed.map((trial) => {
    const text = element("pre", { tabindex: "0" }, trial.yaml);
    const yaml = element("details", {}, element("summary", {}, trial.file), text);
    const reason = element("div", { class: "fold" }, trial.reason);
    return [String(trial.number), trial.state, reason, trial.sketch, gmacs(trial.macs), millions(trial.params), yaml];
  });
  const figures = ["GMACs", "params M"].map((name) => [name, false]);
  const texts = ["state", "reason", "network"].map((name) => [name, true]);
  const columns = [["trial", false], ...texts, ...figures, ["YAML", true]];
  document.getElementById("failed-content").replaceChildren(table(columns, rows));
}
