// What is shown above the log: announcements, errors and the TV.

import { clip, make } from "./text.js";

const shownFor = 12_000; // in ms

export class Notices {
  #bar = document.getElementById("announce");
  #text = document.getElementById("announcement");
  #screen = document.getElementById("screen");
  #tv = document.getElementById("tv");
  #timer;

  constructor() {
    document.getElementById("dismiss").addEventListener("click", () => (this.#bar.hidden = true));
    document.getElementById("off").addEventListener("click", () => this.tv(null));
  }

  // announce shows a text for a while; with a link it stays until it is dismissed.
  announce(text, { link, error = false } = {}) {
    clearTimeout(this.#timer);
    this.#text.replaceChildren(clip(text, 500));
    if (link) {
      const a = make("a", { id: "visit", href: link, target: "_blank", rel: "noopener noreferrer nofollow" }, clip(link, 300));
      a.addEventListener("click", () => (this.#bar.hidden = true));
      this.#text.append(" ", a);
    } else {
      this.#timer = setTimeout(() => (this.#bar.hidden = true), shownFor);
    }
    this.#bar.classList.toggle("error", error);
    this.#bar.hidden = false;
  }

  // tv shows an element, or nothing.
  tv(element) {
    this.#screen.replaceChildren(...(element ? [element] : []));
    this.#tv.hidden = element === null;
  }
}
