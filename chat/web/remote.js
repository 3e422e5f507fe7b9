// Remote control: what messages may do to this page. Anyone on a channel may send any
// selector; only what stands in the table acts, with the values that it names. Anything
// else is shown and does nothing. All of it can be undone by a click, and nothing of it loads
// from, goes to or plays at another host without one.

import { clip, localPicture, make, safeUrl, videoOf } from "./text.js";
import { Style } from "./style.js";

// Remote runs the table. page has announce(text, link), title(text or null), tv(element or null),
// listen(yes), trigger(value) and changed(yes), which is told whether there is something to undo.
export class Remote {
  #page;
  #table;
  #style = new Style();
  #takesWindow = false;
  #titled = false;

  constructor(page) {
    this.#page = page;
    this.#table = {
      "cmd.announce": ({ body }) => text(body) && this.#done(page.announce(body)),
      "cmd.toggle": ({ css }) => this.#style.toggle(css),
      "css.background": (asked) => this.#style.paint(asked),
      "css.background-color": (asked) => this.#style.paint(asked),
      "css.background-image": (asked) => this.#style.paper(asked),
      "css.color": (asked) => this.#style.ink(asked),
      "css.visibility": (asked) => this.#style.veil(asked),
      "document.title": (asked) => this.#title(asked),
      "tv.watch": (asked) => this.#watch(asked),
      "tv.off": () => this.#done(page.tv(null)),
      "cmd.addReceiver": ({ body }) => this.#receiver(body, true),
      "cmd.removeReceiver": ({ body }) => this.#receiver(body, false),
      "window.location": (asked) => this.#go(asked),
      "trigger.customEvent": ({ value }) => this.#done(page.trigger(value)),
      "cmd.stopListening": () => this.#done(page.listen(false)),
      "cmd.startListening": () => this.#done(page.listen(true)),
    };
  }

  // run does what a message asks for, which has the parts of its selector, its text as body and its
  // value. It returns false if this page does not know the selector, or does not take the text.
  run(asked) {
    const name = `${asked.op}.${asked.target}`;
    const done = Object.hasOwn(this.#table, name) && this.#table[name](asked);
    this.#page.changed(this.#titled || this.#style.changed);
    return done;
  }

  // undo takes back what the page looks like now.
  undo() {
    this.#style.undo();
    this.#titled = false;
    this.#page.title(null);
    this.#page.changed(false);
  }

  #done() {
    return true;
  }

  #title({ body }) {
    if (!text(body)) return false;
    this.#titled = true;
    this.#page.title(clip(body.trim(), 60));
    return true;
  }

  // receiver: there is one receiver that has to be added first.
  #receiver(name, add) {
    if (name !== "window") return false;
    this.#takesWindow = add;
    return true;
  }

  // go offers a link: where it leads can be read before it is followed.
  #go({ body }) {
    const url = this.#takesWindow && text(body) ? safeUrl(body.trim()) : null;
    if (!url) return false;
    this.#page.announce("You are asked to go to", url);
    return true;
  }

  // watch shows a picture of this server, and after a click one of another, or a video:
  // loading it tells its host who looks.
  #watch({ body }) {
    const local = localPicture(body);
    const video = videoOf(body);
    const url = typeof body === "string" ? safeUrl(body.trim()) : null;
    if (local) this.#page.tv(image(local));
    else if (video) this.#page.tv(curtain("Play the video from YouTube", () => player(video)));
    else if (url?.startsWith("https:")) {
      const host = new URL(url).host;
      this.#page.tv(curtain(`Show the picture from ${host}`, () => image(url, host)));
    } else return false;
    return true;
  }
}

function text(value) {
  return typeof value === "string" && value.trim() !== "";
}

// curtain is a button that gives way to what is behind it.
function curtain(label, show) {
  const button = make("button", { type: "button", className: "plain" }, label);
  button.addEventListener("click", () => {
    const shown = show();
    button.replaceWith(shown);
    shown.focus();
  });
  return button;
}

function image(url, host = "this server") {
  const img = make("img", { src: url, alt: `Picture from ${host}`, referrerPolicy: "no-referrer" });
  img.addEventListener("error", () => img.replaceWith(make("p", {}, `${host} sent no picture.`)));
  return img;
}

function player(id) {
  return make("iframe", {
    src: `https://www.youtube-nocookie.com/embed/${id}`, title: "Video from YouTube", allow: "encrypted-media; fullscreen; picture-in-picture",
    referrerPolicy: "strict-origin-when-cross-origin", // it does not play for whom it does not know
    attr: { sandbox: "allow-scripts allow-same-origin allow-presentation allow-popups" },
  });
}
