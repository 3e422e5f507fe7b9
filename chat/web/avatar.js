// Avatars are drawn here, of a name and an id: no picture is loaded from anywhere.

import { make } from "./text.js";

// initials are one or two characters: of two words the first of each, else the
// first and, as in user12, the last digit run.
export function initials(name) {
  const words = name.trim().split(/[\s._-]+/u).filter(Boolean);
  if (words.length === 0) return "?";
  const first = [...words[0]];
  if (words.length > 1) return (first[0] + [...words.at(-1)][0]).toUpperCase();
  const digits = /\p{L}(\d{1,2})$/u.exec(words[0]);
  return (first[0] + (digits ? digits[1] : "")).toUpperCase();
}

// hue spreads ids over the colour circle, neighbours far from each other.
export function hue(id) {
  let h = 7;
  for (const c of id) h = (h * 31 + c.codePointAt(0)) % 9973;
  return Math.round((h * 137.508) % 360);
}

export function avatar(id, name) {
  const element = make("span", { className: "avatar", attr: { "aria-hidden": "true" } }, initials(name));
  element.style.setProperty("--hue", hue(id));
  return element;
}
