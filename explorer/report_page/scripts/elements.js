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

/** A table: columns are [heading, isText], rows are lists of texts or elements; `classOf` gives a row's class. */
function table(columns, rows, classOf = () => null) {
  const kind = (index) => (columns[index][1] ? "text" : null);
  const head = columns.map(([name], index) => element("th", { scope: "col", class: kind(index) }, name));
  const body = rows.map((cells, place) => {
    const items = cells.map((cell, index) => element("td", { class: kind(index) }, cell));
    return element("tr", { class: classOf(place) }, ...items);
  });
  const parts = [element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body)];
  return element("div", { class: "wide", tabindex: "0" }, element("table", {}, ...parts));
}

const gmacs = (macs) => (macs / 1e9).toFixed(3);
const mmacs = (macs) => (macs / 1e6).toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const millions = (count) => (count / 1e6).toFixed(2);
const whole = (count) => count.toLocaleString("en");
const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;
const plural = (count, word) => `${whole(count)} ${word}${count === 1 ? "" : "s"}`;

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
