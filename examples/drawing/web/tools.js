// The toolbar, and the keys that stand for it.

import { make } from "./people.js";

const $ = (id) => document.getElementById(id);
const NAMES = ["Ink", "Red", "Orange", "Yellow", "Green", "Blue", "Violet", "Pink"];

export class Tools {
  #hooks;
  #view;

  /** The hooks: tool(name), colour(number), undo(), redo(), clear(), view() before the view changes, escape(). */
  constructor(view, colour, hooks) {
    this.#view = view;
    this.#hooks = hooks;
    $("colours").append(...NAMES.map((name, i) => {
      const input = make("input", { type: "radio", name: "colour", value: i, checked: i === colour });
      input.setAttribute("aria-label", name);
      return make("label", { className: "c" + i, title: `${name} (${i + 1})` }, input);
    }));
    $("colours").addEventListener("change", (e) => {
      if (this.#tool === "eraser") this.#choose("pen");
      hooks.colour(+e.target.value);
    });
    $("tool").addEventListener("change", () => hooks.tool(this.#tool));
    for (const name of ["undo", "redo", "clear"]) $(name).addEventListener("click", () => hooks[name]());
    $("in").addEventListener("click", () => this.#look((v) => v.zoom(1.25)));
    $("out").addEventListener("click", () => this.#look((v) => v.zoom(0.8)));
    $("fit").addEventListener("click", () => this.#look((v) => v.fit()));
    addEventListener("keydown", (e) => this.#key(e));
  }

  get width() {
    return +$("width").value;
  }

  /** Whether there is something to undo, or to redo. */
  can(undo, redo) {
    for (const [name, can] of [["undo", undo], ["clear", undo], ["redo", redo]]) $(name).disabled = !can;
  }

  get #tool() {
    return document.querySelector("#tool :checked").value;
  }

  #choose(tool) {
    document.querySelector(`#tool [value=${tool}]`).checked = true;
    this.#hooks.tool(tool);
  }

  #look(change) {
    this.#hooks.view();
    change(this.#view);
  }

  #key(e) {
    if (e.target.matches("input:not([type=radio], [type=range]), textarea") || e.altKey) return;
    const key = e.key.toLowerCase();
    if (e.ctrlKey || e.metaKey) {
      if (key !== "z" && key !== "y") return;
      if (key === "y" || e.shiftKey) this.#hooks.redo();
      else this.#hooks.undo();
    } else if (key === "escape") {
      this.#hooks.escape();
    } else if (key === "+" || key === "=") {
      this.#look((v) => v.zoom(1.25));
    } else if (key === "-") {
      this.#look((v) => v.zoom(0.8));
    } else if (key === "0") {
      this.#look((v) => v.fit());
    } else if (key >= "1" && key <= "8" && key.length === 1) {
      document.querySelectorAll("#colours input")[key - 1].click();
    } else if ({ p: 1, e: 1, h: 1 }[key]) {
      this.#choose({ p: "pen", e: "eraser", h: "hand" }[key]);
    } else {
      return;
    }
    e.preventDefault();
  }
}
