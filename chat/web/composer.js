// The field where messages are written.

import { Recall, candidates, complete } from "./input.js";
import { make } from "./text.js";

const maxOffered = 8;

export class Composer {
  #field;
  #list;
  #recall = new Recall();
  #names;
  #limit;
  #left;
  #offer = null; // what may complete the name that is being written
  #chosen = 0;

  // send is called with what was typed and resolves to true when it was sent;
  // names() gives those who can be addressed.
  constructor({ form, field, left, list, limit }, { send, names }) {
    this.#field = field;
    this.#list = list;
    this.#names = names;
    this.#left = left;
    this.#limit = limit;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(send);
    });
    field.addEventListener("keydown", (event) => this.#key(event, form));
    field.addEventListener("input", () => {
      this.#changed();
      this.#suggest();
    });
    field.addEventListener("blur", () => this.#close());
    list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    list.addEventListener("click", (event) => this.#accept(event.target.closest("[role=option]")?.dataset.handle));
  }

  set text(text) {
    this.#put(text, text.length);
    this.#field.focus();
  }

  // address begins a message to one user, and keeps what was written.
  address(handle) {
    const rest = this.#field.value.replace(/^@\S*\s?/u, "");
    this.text = `@${handle} ${rest}`;
  }

  #put(text, caret) {
    this.#field.value = text;
    this.#field.setSelectionRange(caret, caret);
    this.#close();
    this.#changed();
  }

  async #submit(send) {
    const text = this.#field.value;
    if (text.trim() === "") return;
    this.#recall.add(text.trim());
    this.#put("", 0);
    // What could not be sent comes back, unless something else is there by now.
    if (!(await send(text)) && this.#field.value === "") this.text = text;
  }

  #key(event, form) {
    if (event.isComposing || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    if (this.#offer && this.#choose(event.key)) event.preventDefault();
    else if (event.key === "Enter") {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === "ArrowUp" && this.#onLine("first")) this.#walk(event, this.#recall.back(this.#field.value));
    else if (event.key === "ArrowDown" && this.#onLine("last")) this.#walk(event, this.#recall.forward());
  }

  #walk(event, line) {
    if (line === null) return;
    event.preventDefault();
    this.text = line;
  }

  #onLine(which) {
    const { value, selectionStart, selectionEnd } = this.#field;
    return which === "first" ? !value.slice(0, selectionStart).includes("\n") : !value.slice(selectionEnd).includes("\n");
  }

  // choose does what a key does to the list of names. It returns false if that is nothing.
  #choose(key) {
    const { handles, prefix } = this.#offer;
    const chosen = handles[this.#chosen];
    switch (key) {
      case "ArrowDown":
      case "ArrowUp":
        this.#mark((this.#chosen + (key === "ArrowDown" ? 1 : -1) + handles.length) % handles.length);
        return true;
      case "Escape":
        this.#close();
        return true;
      case "Enter": // of a name that is complete, it sends
        return prefix !== chosen && this.#accept(chosen);
      case " ":
      case "ArrowRight":
        return prefix !== "" && this.#accept(chosen);
      case "Tab":
        return this.#accept(chosen);
    }
    return false;
  }

  #accept(handle) {
    if (!this.#offer || !handle) return false;
    const { text, caret } = complete(this.#field.value, this.#field.selectionStart, this.#offer, handle);
    this.#put(text, caret);
    return true;
  }

  #suggest() {
    const { value, selectionStart, selectionEnd } = this.#field;
    this.#offer = selectionStart === selectionEnd ? candidates(value, selectionStart, this.#names()) : null;
    if (!this.#offer) return this.#close();
    this.#offer.handles = this.#offer.handles.slice(0, maxOffered);
    this.#list.replaceChildren(...this.#offer.handles.map((handle, i) =>
      make("li", { id: `suggestion-${i}`, data: { handle }, attr: { role: "option" } }, make("bdi", {}, `@${handle}`))));
    this.#list.hidden = false;
    this.#mark(0);
  }

  #mark(index) {
    this.#chosen = index;
    [...this.#list.children].forEach((e, i) => e.setAttribute("aria-selected", String(i === index)));
    this.#field.setAttribute("aria-activedescendant", `suggestion-${index}`);
  }

  #close() {
    this.#offer = null;
    this.#list.hidden = true;
    this.#field.removeAttribute("aria-activedescendant");
  }

  #changed() {
    const left = this.#limit - [...this.#field.value].length;
    this.#left.hidden = left > 200;
    this.#left.textContent = left < 0 ? `${-left} characters too many` : `${left} characters left`;
    this.#left.classList.toggle("over", left < 0);
    this.#field.style.height = "auto";
    this.#field.style.height = `${Math.min(this.#field.scrollHeight, 160)}px`;
  }
}
