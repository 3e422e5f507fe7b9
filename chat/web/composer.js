// The field where messages are written.

import { Recall, completion } from "./input.js";

export class Composer {
  #field;
  #recall = new Recall();
  #turn = -1;
  #base = null;
  #names;
  #limit;
  #left;

  // send is called with what was typed and resolves to true when it was sent;
  // names() gives those who can be addressed.
  constructor(form, field, left, limit, { send, names }) {
    this.#field = field;
    this.#names = names;
    this.#left = left;
    this.#limit = limit;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(send);
    });
    field.addEventListener("keydown", (event) => this.#key(event, form));
    field.addEventListener("input", () => this.#changed());
  }

  set text(text) {
    this.#field.value = text;
    this.#changed();
    this.#field.focus();
    this.#field.setSelectionRange(text.length, text.length);
  }

  // address begins a message to one user, and keeps what was written.
  address(handle) {
    const rest = this.#field.value.replace(/^@\S*\s?/u, "");
    this.text = `@${handle} ${rest}`;
  }

  async #submit(send) {
    const text = this.#field.value;
    if (text.trim() === "") return;
    this.#recall.add(text.trim());
    this.#field.value = "";
    this.#changed();
    // What could not be sent comes back, unless something else is there by now.
    if (!(await send(text)) && this.#field.value === "") this.text = text;
  }

  #key(event, form) {
    if (event.isComposing) return;
    const plain = !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (event.key === "Enter" && plain) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === "Tab" && plain) {
      if (this.#complete()) event.preventDefault();
    } else if (event.key === "ArrowUp" && plain && this.#onLine("first")) {
      this.#walk(event, this.#recall.back(this.#field.value));
    } else if (event.key === "ArrowDown" && plain && this.#onLine("last")) {
      this.#walk(event, this.#recall.forward());
    } else if (event.key !== "Shift") {
      this.#base = null;
    }
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

  // complete completes the @name before the caret; again, it takes the next.
  #complete() {
    const { value, selectionStart } = this.#field;
    const again = this.#base !== null && this.#base.result === value;
    if (!again) this.#base = { value, caret: selectionStart, result: null };
    this.#turn = again ? this.#turn + 1 : 0;
    const found = completion(this.#base.value, this.#base.caret, this.#names(), this.#turn);
    if (!found) {
      this.#base = null;
      return false;
    }
    this.#field.value = this.#base.result = found.text;
    this.#field.setSelectionRange(found.caret, found.caret);
    this.#fit();
    return true;
  }

  #changed() {
    const left = this.#limit - [...this.#field.value].length;
    this.#left.hidden = left > 200;
    this.#left.textContent = left < 0 ? `${-left} characters too many` : `${left} characters left`;
    this.#left.classList.toggle("over", left < 0);
    this.#fit();
  }

  #fit() {
    this.#field.style.height = "auto";
    this.#field.style.height = `${Math.min(this.#field.scrollHeight, 160)}px`;
  }
}
