// What the editor of the page has beyond NiceGUI's: mistakes underlined, completion by the schema, the place of the
// cursor, a name for screen readers, undo from a button. CodeMirror comes from NiceGUI's own files.
//
// The text in the browser is the one that counts: whatever changes it, changes it here, and the server follows. NiceGUI
// can write into the editor too, but whatever is typed until that arrives would be lost; so its own decorations and
// tooltips, which come with the whole text, are not used.
import * as CM from "nicegui-codemirror";

// As in desk.py; a message to the server holds no more.
const LARGEST_TEXT = 200000;
const IDLE_MS = 400;
const CURSOR_MS = 80;
const TYPES = { field: "property", value: "constant", block: "class" };

// Python counts characters, CodeMirror UTF-16 units.
const toCharacters = (text, unit) => [...text.slice(0, unit)].length;
const toUnits = (text, characters) => [...text].slice(0, characters).join("").length;

async function complete(context) {
  const word = context.matchBefore(/[\w.-]+/);
  const opening = context.matchBefore(/(^|[:{,\-[])\s*/);
  if (!context.explicit && !word && !opening) return null;
  const text = context.state.doc.toString();
  const answer = await fetch("/studio-completions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ text, offset: toCharacters(text, context.pos) }),
  }).catch(() => null); // the studio has ended, which the page says by itself
  if (!answer?.ok || context.aborted) return null;
  const found = await answer.json();
  if (!found || !found.options.length) return null;
  return {
    from: toUnits(text, found.start),
    options: found.options.map((option, place) => ({
      label: option.label,
      apply: option.insert,
      detail: option.detail,
      info: option.documentation || undefined,
      type: TYPES[option.kind],
      boost: -place / 10,
    })),
    validFor: /^[\w.-]*$/,
  };
}

const setMarks = CM.StateEffect.define();
const marksField = CM.StateField.define({
  create: () => CM.Decoration.none,
  update(marks, transaction) {
    const moved = marks.map(transaction.changes);
    return transaction.effects.reduce((held, effect) => (effect.is(setMarks) ? effect.value : held), moved);
  },
  provide: (field) => CM.EditorView.decorations.from(field),
});

const mistakeTip = CM.hoverTooltip((view, position) => {
  const line = view.state.doc.lineAt(position);
  const messages = [];
  view.state.field(marksField).between(line.from, line.to, (_from, _to, mark) => {
    if (mark.spec.message) messages.push(mark.spec.message);
  });
  if (!messages.length) return null;
  const create = () => {
    const dom = document.createElement("div");
    dom.textContent = messages.join("\n");
    return { dom };
  };
  return { pos: line.from, above: true, create };
});

const later = (milliseconds, action) => {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...values), milliseconds);
  };
};

// The editors of the page that are ready, by the number of their element.
const ready = new Map();
const readiness = (id) => {
  if (!ready.has(id)) {
    let resolve;
    const promise = new Promise((done) => (resolve = done));
    ready.set(id, { promise, resolve });
  }
  return ready.get(id);
};

// Ask before a page goes whose text is not saved, and keep that for when the page is loaded again.
let current = null;
const keepDraft = () => {
  const state = document.querySelector(".studio-state");
  const isChanged = () => state.textContent === "changed";
  window.addEventListener("beforeunload", (event) => {
    if (isChanged()) event.preventDefault();
  });
  window.addEventListener("pagehide", () => {
    if (!isChanged()) return;
    const draft = { ...JSON.parse(state.dataset.draft), text: current.state.doc.toString() };
    sessionStorage.setItem("studio-draft", JSON.stringify(draft));
  });
};

window.studio = {
  async equip(id, label) {
    const view = await getElement(id).editorPromise;
    const tellCursor = later(CURSOR_MS, (state) => {
      const text = state.doc.toString();
      emitEvent("studio_cursor", { id, offset: toCharacters(text, state.selection.main.head) });
    });
    // edits travel as changes; the whole text follows once nobody types, so that a lost one is noticed
    const tellText = later(IDLE_MS, (state) => emitEvent("studio_text", { id, text: state.doc.toString() }));
    view.dispatch({
      effects: CM.StateEffect.appendConfig.of([
        marksField,
        mistakeTip,
        CM.EditorState.changeFilter.of((transaction) => {
          if (transaction.newDoc.length <= LARGEST_TEXT) return true;
          emitEvent("studio_too_long", {});
          return false;
        }),
        CM.EditorView.contentAttributes.of({
          "aria-label": label,
          "aria-description": "Tab indents; Escape and then Tab leaves the editor. Control and Space completes.",
        }),
        CM.EditorState.languageData.of(() => [{ autocomplete: complete }]),
        CM.EditorView.updateListener.of((update) => {
          if (update.docChanged) tellText(update.state);
          if (update.docChanged || update.selectionSet) tellCursor(update.state);
        }),
      ]),
    });
    if (!current) keepDraft();
    current = view;
    view.dom.closest(".studio-editor").setAttribute("data-ready", "true");
    readiness(id).resolve(view);
  },

  // Underline the mistakes of a text of so many characters, unless another is there by now.
  async mark(id, characters, marks) {
    const view = await readiness(id).promise;
    const text = view.state.doc.toString();
    if ([...text].length !== characters) return;
    const ranges = [];
    for (const { line, start, end, message } of marks) {
      const [from, to] = [toUnits(text, start), toUnits(text, end)];
      if (from < to) ranges.push(CM.Decoration.mark({ class: "studio-wrong", message }).range(from, to));
      const place = view.state.doc.line(Math.min(Math.max(1, line), view.state.doc.lines));
      ranges.push(CM.Decoration.line({ class: "studio-wrong-line" }).range(place.from));
    }
    view.dispatch({ effects: setMarks.of(CM.Decoration.set(ranges, true)) });
  },

  // Write a text in place of what is there, for undo as a step of its own or with those just before; the change is told
  // like one that was typed.
  async put(id, text, isOwnStep) {
    const view = await readiness(id).promise;
    const old = view.state.doc.toString();
    let start = 0;
    while (start < old.length && start < text.length && old[start] === text[start]) start++;
    let end = 0;
    const most = Math.min(old.length, text.length) - start;
    while (end < most && old[old.length - 1 - end] === text[text.length - 1 - end]) end++;
    const insert = text.slice(start, text.length - end);
    if (start === old.length - end && !insert) return;
    view.dispatch({
      changes: { from: start, to: old.length - end, insert },
      annotations: isOwnStep ? CM.isolateHistory.of("full") : [],
    });
  },

  async undo(id) {
    const view = await readiness(id).promise;
    CM.undo(view);
    view.focus();
  },

  async redo(id) {
    const view = await readiness(id).promise;
    CM.redo(view);
    view.focus();
  },

  async goTo(id, line) {
    const view = await readiness(id).promise;
    const place = view.state.doc.line(Math.min(Math.max(1, line), view.state.doc.lines));
    view.dispatch({ selection: { anchor: place.from }, scrollIntoView: true });
    view.focus();
  },
};
window.dispatchEvent(new Event("studio-ready"));
