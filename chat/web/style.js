// What remote control may change of how the page looks, and how it is undone.

import { localPicture } from "./text.js";

// colour is a colour as CSS spells it, and nothing else of CSS: no url(), no var().
export function colour(value) {
  if (typeof value !== "string") return null;
  const v = value.trim().toLowerCase();
  const plain = /^#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/u.test(v) || /^[a-z]{3,24}$/u.test(v);
  const called = /^(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch)\([\d\s.,%/+-]{1,64}(?:deg|turn)?[\d\s.,%/+-]{0,64}\)$/u.test(v);
  return plain || called ? v : null;
}

// isDark reports of a computed rgb() colour whether white text reads better on it;
// null for another spelling.
export function isDark(computed) {
  const parts = /^rgba?\((\d+(?:\.\d+)?), (\d+(?:\.\d+)?), (\d+(?:\.\d+)?)/u.exec(computed);
  if (!parts) return null;
  const [r, g, b] = parts.slice(1).map((v) => {
    const c = Number(v) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.179;
}

// imageAddress is what stands in url(), or the text itself.
export function imageAddress(value) {
  if (typeof value !== "string") return null;
  const called = /^url\(\s*(?:"([^"]*)"|'([^']*)'|([^"'()\s]*))\s*\)$/u.exec(value.trim());
  return called ? (called[1] ?? called[2] ?? called[3]) : value.trim();
}

const toggled = ["#channels", "#people", "#commands", "#tv"];
const maxSelector = 120; // characters
const maxElements = 1000;

// Style changes elements. css is a selector, or null for the whole page; what it does not
// know it leaves, and returns false.
export class Style {
  #changed = new Set();

  get changed() {
    return this.#changed.size > 0;
  }

  toggle(css) {
    if (!toggled.includes(css)) return false;
    for (const element of this.#find(css)) element.classList.toggle("toggled-off");
    return true;
  }

  // paint sets a background colour, and the colour scheme in which text can be read on it.
  paint({ css, body }) {
    const value = unset(body) ? "" : colour(body);
    if (value === null || (value !== "" && !CSS.supports("color", value))) return false;
    return this.#each(css, (element) => {
      element.style.backgroundColor = value;
      element.classList.toggle("painted", value !== "");
      element.style.colorScheme = "";
      const dark = value === "" ? null : isDark(getComputedStyle(element).backgroundColor);
      if (dark !== null) element.style.colorScheme = dark ? "dark" : "light";
    });
  }

  // paper sets a background picture of this server, or one that the message holds itself: loading
  // another would tell its host who is here, and what the selector matches.
  paper({ css, body }) {
    const url = unset(body) ? "" : localPicture(imageAddress(body));
    if (url === null) return false;
    return this.#each(css, (element) => {
      element.style.backgroundImage = url && `url("${quoted(url)}")`;
      element.classList.toggle("papered", url !== "");
    });
  }

  ink({ css, body }) {
    const value = unset(body) ? "" : colour(body);
    if (value === null || (value !== "" && !CSS.supports("color", value))) return false;
    return this.#each(css, (element) => (element.style.color = value));
  }

  veil({ css, body }) {
    if (!unset(body) && body !== "hidden" && body !== "visible") return false;
    return this.#each(css, (element) => (element.style.visibility = unset(body) ? "" : body));
  }

  undo() {
    for (const element of this.#changed) {
      element.classList.remove("painted", "papered", "toggled-off");
      for (const name of ["background-color", "background-image", "color", "color-scheme", "visibility"]) element.style.removeProperty(name);
    }
    this.#changed.clear();
  }

  #each(css, change) {
    const found = this.#find(css);
    found.forEach(change);
    return found.length > 0;
  }

  #find(css) {
    let found = [document.body];
    if (css !== null) {
      try {
        found = css.length > maxSelector ? [] : [...document.body.parentElement.querySelectorAll(css)].slice(0, maxElements);
      } catch {
        found = []; // no selector
      }
    }
    found = found.filter((e) => document.body.contains(e));
    for (const element of found) this.#changed.add(element);
    return found;
  }
}

function unset(body) {
  return body === null || body === "none" || body === "";
}

// quoted is a text within a CSS string.
function quoted(text) {
  return text.replace(/["\\\n\r\f]/gu, (c) => `\\${c.charCodeAt(0).toString(16)} `);
}
