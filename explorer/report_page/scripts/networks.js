// The networks as a table, in which every one can be reached by keyboard; and the trials that have no score.

const ROWS = 50;
const MOST_FAILED = 200;

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
  const isTimed = trials.some((trial) => trial.latency !== null);
  const columns = [
    ["trial", "trial", (trial) => trial.number, (trial) => String(trial.number), false],
    ["sketch", "network", (trial) => trial.sketch, (trial) => trial.sketch, true],
    ["score", page.scoreName, (trial) => trial.score, (trial) => scoreText(trial.score), false],
    ["macs", page.macs.unit, (trial) => trial.macs, (trial) => page.macs.write(trial.macs), false],
    ["params", page.params.unit, (trial) => trial.params, (trial) => page.params.write(trial.params), false],
    ["seconds", "seconds", (trial) => trial.seconds, (trial) => trial.seconds.toFixed(2), false],
    ["latency", "ms", (trial) => trial.latency ?? Infinity, (trial) => trial.latency?.toFixed(2) ?? "–", false],
  ].filter(([key]) => (key !== "score" || !page.isByCost) && (key !== "latency" || isTimed));
  let sorted = { key: page.isByLatency ? "latency" : "macs", isDown: false };
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
    scrollable("Networks", list),
    element("div", { class: "row" }, more),
  );
  fill();
}

function drawFailed(page) {
  if (!page.failed.length) return;
  document.getElementById("failed").hidden = false;
  const rows = page.failed.slice(0, MOST_FAILED).map((trial) => {
    const text = element("pre", { tabindex: "0" }, trial.yaml);
    const yaml = element("details", {}, element("summary", {}, trial.file || "show"), text);
    const reason = element("div", { class: "fold" }, trial.reason);
    const costs = [page.macs.write(trial.macs), page.params.write(trial.params)];
    return [String(trial.number), trial.state, reason, trial.sketch, ...costs, yaml];
  });
  const figures = [page.macs.unit, page.params.unit].map((name) => [name, false]);
  const texts = ["state", "reason", "network"].map((name) => [name, true]);
  const columns = [["trial", false], ...texts, ...figures, ["YAML", true]];
  const left = page.failed.length - rows.length;
  const more = left > 0 ? element("p", { class: "note" }, `${whole(left)} more are in trials.csv.`) : null;
  const shown = [table("Trials without a score", columns, rows), more].filter(Boolean);
  document.getElementById("failed-content").replaceChildren(...shown);
}
