// Pictures of people: the server draws or knows them, and tells everyone.

import { make } from "./text.js";

// drawn reports whether a picture comes with its address: nobody is asked for it.
export function drawn(url) {
  return typeof url === "string" && url.startsWith("data:image/");
}

// face is somebody's picture. Their name stands beside it.
export function face(url) {
  if (!url) return make("span", { className: "avatar unknown", attr: { "aria-hidden": "true" } }, "?");
  const image = make("img", {
    className: "avatar", src: url, alt: "", width: 34, height: 34, decoding: "async", referrerPolicy: "no-referrer",
  });
  image.addEventListener("error", () => image.replaceWith(face("")), { once: true });
  return image;
}
