// What the editor of the page has beyond NiceGUI's: completion by the schema, the place of the cursor, a name for
// screen readers, undo from a button. CodeMirror comes from NiceGUI's own files.
import * as CM from "nicegui-codemirror";

const IDLE_MS = 400;
const CURSOR_MS = 80;
const TYPES = { field: "property", value: "constant", block: "class" };

// Python counts characters, CodeMirror UTF-16 units.
const toCharacters = (text, unit) => [...text.slice(0, unit)].length;
const toUnits = (text, characters) => [...text].slice(0, characters).join("").length;

async function complete(context) {
  const word = context.matchBefore(/[\w.-]+/);
  const opening = context.matchBefore(/(^|[:{,\-[] ?|^\s+)/);
  if (!context.explicit && !word && !opening) return null;
  const text = context.state.doc.toString();
  const answer = await fetch("/studio-completions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ text, offset: toCharacters(text, context.pos) }),
  });
  if (!answer.ok || context.aborted) return null;
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

const later = (milliseconds, action) => {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...values), milliseconds);
  };
};

window.studio = {
  async equip(id, label) {
    const view = await getElement(id).editorPromise;
    const tellCursor = later(CURSOR_MS, (state) => {
      const text = state.doc.toString();
      emitEvent("studio_cursor", { offset: toCharacters(text, state.selection.main.head) });
    });
    // edits travel as changes; the whole text follows once nobody types, so that a lost one is noticed
    const tellText = later(IDLE_MS, (state) => emitEvent("studio_text", { text: state.doc.toString() }));
    view.dispatch({
      effects: CM.StateEffect.appendConfig.of([
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
    view.dom.closest(".studio-editor")?.setAttribute("data-ready", "true");
  },
  undo(id) {
    CM.undo(getElement(id).editor);
    getElement(id).editor.focus();
  },
  redo(id) {
    CM.redo(getElement(id).editor);
    getElement(id).editor.focus();
  },
  goTo(id, line) {
    const view = getElement(id).editor;
    const place = view.state.doc.line(Math.min(Math.max(1, line), view.state.doc.lines));
    view.dispatch({ selection: { anchor: place.from }, scrollIntoView: true });
    view.focus();
  },
};
window.dispatchEvent(new Event("studio-ready"));
