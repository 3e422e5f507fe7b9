// Who is here: a list, and their pointers.

const $ = (id) => document.getElementById(id);

/** An element with properties and children; texts stay texts. */
export function make(name, properties = {}, ...children) {
  const e = Object.assign(document.createElement(name), properties);
  e.append(...children);
  return e;
}

const SVG = "http://www.w3.org/2000/svg";
const EYE = "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6z";
const ARROW = "M3 2.5 17 9l-6 2-2.5 6z", CROSS = "M12 3v7M12 14v7M3 12h7M14 12h7";

function icon(path) {
  const svg = document.createElementNS(SVG, "svg"), p = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", path === ARROW ? "0 0 20 20" : "0 0 24 24");
  p.setAttribute("d", path);
  svg.append(p);
  return svg;
}

export class People {
  /** What somebody does, by user: {at, view, width, drawing}. */
  doing = new Map();
  watchers = new Set(); // who watches this page
  #members = new Map(); // user → member, all but this page's
  #watch;
  #shown = "";

  /** watch is called with the user whose button was pressed. */
  constructor(watch) {
    this.#watch = watch;
    $("people").addEventListener("click", (e) => {
      const user = e.target.closest("[data-user]")?.dataset.user;
      if (user) this.#watch(user);
    });
  }

  get(user) {
    return this.#members.get(user);
  }

  get others() {
    return this.#members.size;
  }

  /** Shows a list, where it is another one than before. */
  show(members, me, watched) {
    const list = members.filter((m) => m.user !== me && !/^-\d+$/.test(m.user)); // who only looks on is nobody
    this.#members = new Map(list.map((m) => [m.user, m]));
    for (const user of this.doing.keys()) if (!this.#members.has(user)) this.doing.delete(user);
    for (const user of this.watchers) if (!this.#members.has(user)) this.watchers.delete(user);
    const shown = JSON.stringify([list, watched, [...this.watchers], [...this.doing].filter(([, d]) => d.drawing).map(([u]) => u)]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    // What is there stays the same element, so that a click or the focus isn't lost.
    const there = new Map([...$("people").children].map((li) => [li.dataset.user, li]));
    list.forEach((m, i) => {
      const li = there.get(m.user) ?? entry(m.user);
      there.delete(m.user);
      this.#fill(li, m, watched);
      if ($("people").children[i] !== li) $("people").insertBefore(li, $("people").children[i] ?? null);
    });
    for (const li of there.values()) li.remove();
    $("alone").hidden = list.length > 0;
  }

  #fill(li, { user, meta, name }, watched) {
    const shown = meta.name || name, drawing = this.doing.get(user)?.drawing;
    const does = watched === user ? "watching" : this.watchers.has(user) ? "watches you" : drawing ? "draws" : "";
    const button = li.firstChild;
    li.className = colour(meta) + (drawing ? " active" : "");
    button.title = watched === user ? "Stop watching" : "Watch " + shown;
    button.querySelector("bdi").textContent = shown;
    button.querySelector(".does").textContent = does;
    button.setAttribute("aria-pressed", String(watched === user));
    button.setAttribute("aria-label", `Watch ${shown}${does && ", who " + (watched === user ? "you are watching" : does)}`);
  }

  /** Puts the pointers where they are now; keys is the own one of the keyboard. */
  point(view, keys, own) {
    const there = new Map();
    for (const [user, { at, drawing }] of this.doing) {
      const m = this.#members.get(user);
      if (m && at) there.set(user, { at, name: m.meta.name || m.name, className: `cursor ${colour(m.meta)}${drawing ? " drawing" : ""}` });
    }
    if (keys) there.set("", { at: keys.at, name: "", className: `cursor keys c${own}${keys.down ? " down" : ""}` });
    for (const e of [...$("cursors").children]) {
      const c = there.get(e.dataset.user);
      if (!c) e.remove();
      else this.#put(e, c, view);
      there.delete(e.dataset.user);
    }
    for (const [user, c] of there) {
      const e = user ? make("div", {}, icon(ARROW), make("bdi")) : make("div", {}, icon(CROSS));
      e.dataset.user = user;
      this.#put(e, c, view);
      $("cursors").append(e);
    }
  }

  #put(e, { at, name, className }, view) {
    const [x, y] = view.place(at);
    const transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
    if (e.className !== className) e.className = className;
    if (e.style.transform !== transform) e.style.transform = transform;
    if (name && e.lastChild.textContent !== name) e.lastChild.textContent = name;
  }
}

function entry(user) {
  const button = make("button", { type: "button" }, make("span", { className: "dot" }), make("bdi"), make("span", { className: "does" }), icon(EYE));
  const li = make("li", {}, button);
  li.dataset.user = user;
  return li;
}

export function colour(meta) {
  return "c" + (meta.colour || 0);
}
