"use strict";
// Elements of the page, made without ever reading text as HTML, and numbers as people read them.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element with attributes and children; texts are texts, functions listen: {onclick: …}. */
function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** An SVG element, alike. */
function shape(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A table of what `label` says: columns are [heading, isText], rows are lists of texts or elements. */
function table(label, columns, rows) {
  const kind = (index) => (columns[index][1] ? "text" : null);
  const head = columns.map(([name], index) => element("th", { scope: "col", class: kind(index) }, name));
  const body = rows.map((cells) => {
    const items = cells.map((cell, index) => element("td", { class: kind(index) }, cell));
    return element("tr", {}, ...items);
  });
  const parts = [element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body)];
  return scrollable(label, element("table", {}, ...parts));
}

/** Something that may be wider than the window, which arrow keys scroll too. */
function scrollable(label, inside) {
  return element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": label }, inside);
}

const mmacs = (macs) => (macs / 1e6).toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const milliseconds = (time) => `${time.toFixed(time < 10 ? 2 : 1)} ms`;
const whole = (count) => count.toLocaleString("en");
const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;
const plural = (count, word) => `${whole(count)} ${word}${count === 1 ? "" : "s"}`;

/** How amounts of something up to `most` are told: in which unit, as what number of it, and with how many digits. */
function amounts(most, what) {
  const [prefix, scale] = [["G", 1e9], ["M", 1e6], ["k", 1e3]].find(([, size]) => most >= size / 10) ?? ["", 1];
  const digits = Math.min(3, Math.max(0, 3 - Math.floor(Math.log10(Math.max(most, 1) / scale))));
  const number = (amount) => amount / scale;
  return { unit: `${prefix}${what}`, number, write: (amount) => number(amount).toFixed(digits) };
}

/** A score with five digits or so, however large it is. */
function scoreText(score) {
  const size = Math.abs(score);
  if (size >= 1e7 || (size > 0 && size < 1e-3)) return score.toExponential(3);
  return score.toFixed(size >= 1000 ? 1 : size >= 100 ? 2 : size >= 10 ? 3 : 4);
}

/** How much one number is above another, in per cent. */
function changeText(before, after) {
  if (before === after) return "same";
  if (!before) return "–";
  const change = 100 * (after / before - 1) * Math.sign(before);
  return `${change < 0 ? "−" : "+"}${Math.abs(change).toFixed(1)} %`;
}

/** A button that puts a text on the clipboard and says so; where the browser refuses, the text is selected. */
function copyButton(label, text, shown) {
  const button = element("button", { type: "button" }, label);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(shown);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = label; }, 1500);
  });
  return button;
}

/** A link that saves a text as a file. */
function saveButton(label, text, name) {
  return element("button", {
    type: "button",
    onclick: () => {
      const address = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
      element("a", { href: address, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    },
  }, label);
}
