// Remote control: what messages may do to this page. Anyone on a channel may send any
// selector; only what stands in the table acts, on the elements and with the values
// that it names. Anything else is shown and does nothing.

import { clip, make, safeUrl } from "./text.js";

// colour is a colour as CSS spells it, and nothing else of CSS: no url(), no var().
export function colour(value) {
  if (typeof value !== "string") return null;
  const v = value.trim().toLowerCase();
  const plain = /^#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/u.test(v) || /^[a-z]{3,24}$/u.test(v);
  const called = /^(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch)\([\d\s.,%/+-]{1,64}(?:deg|turn)?[\d\s.,%/+-]{0,64}\)$/u.test(v);
  return plain || called ? v : null;
}

// picture is the address of an image over https, or null.
export function picture(value) {
  const url = typeof value === "string" ? safeUrl(value.trim()) : null;
  return url?.startsWith("https:") ? url : null;
}

// isDark reports of a computed rgb() colour whether light text reads better on it;
// null for another spelling.
export function isDark(computed) {
  const parts = /^rgba?\((\d+(?:\.\d+)?), (\d+(?:\.\d+)?), (\d+(?:\.\d+)?)/u.exec(computed);
  if (!parts) return null;
  const [r, g, b] = parts.slice(1).map((v) => {
    const c = Number(v) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.2;
}

const toggled = ["#channels", "#people", "#tv"];
const painted = { "": "body", body: "body", "#top": "#top", "#log": "#log" };

// Remote runs the table. page has announce(text), title(text) and tv(element or null).
export class Remote {
  #page;
  #table;

  constructor(page) {
    this.#page = page;
    this.#table = {
      "cmd.announce": (frame) => this.#announce(frame),
      "cmd.toggle": (frame) => toggle(frame),
      "css.background": (frame) => paint(frame),
      "css.background-color": (frame) => paint(frame),
      "document.title": (frame) => this.#title(frame),
      "tv.watch": (frame) => this.#watch(frame),
      "tv.off": () => this.#off(),
    };
  }

  // run does what a frame asks for. It returns false if this page does not know the
  // selector, or does not take the value.
  run(frame) {
    const name = `${frame.op}.${frame.target}`;
    return Object.hasOwn(this.#table, name) && this.#table[name](frame);
  }

  #announce({ body }) {
    if (typeof body !== "string" || body.trim() === "") return false;
    this.#page.announce(body);
    return true;
  }

  #title({ body }) {
    if (typeof body !== "string" || body.trim() === "") return false;
    this.#page.title(clip(body.trim(), 60));
    return true;
  }

  // watch shows a picture after a click: loading one tells its host who looks.
  #watch({ body }) {
    const url = picture(body);
    if (!url) return false;
    const host = new URL(url).host;
    const show = make("button", { type: "button", className: "plain" }, `Show the picture from ${host}`);
    show.addEventListener("click", () => {
      const image = make("img", { src: url, alt: `Picture from ${host}`, referrerPolicy: "no-referrer" });
      image.addEventListener("error", () => image.replaceWith(make("p", {}, `${host} sent no picture.`)));
      show.replaceWith(image);
    });
    this.#page.tv(show);
    return true;
  }

  #off() {
    this.#page.tv(null);
    return true;
  }
}

function toggle({ css }) {
  if (!toggled.includes(css)) return false;
  document.querySelector(css)?.classList.toggle("toggled-off");
  return true;
}

// paint sets a background, and the colour scheme in which text can be read on it.
function paint({ css, body }) {
  const where = painted[css ?? ""];
  if (!where) return false;
  const element = document.querySelector(where);
  const value = body === null || body === "none" ? "" : colour(body);
  if (value === null || (value !== "" && !CSS.supports("color", value))) return false;
  element.style.backgroundColor = value;
  element.classList.toggle("painted", value !== "");
  element.style.colorScheme = "";
  const dark = value === "" ? null : isDark(getComputedStyle(element).backgroundColor);
  if (dark !== null) element.style.colorScheme = dark ? "dark" : "light";
  return true;
}
