// The log: a feed of messages and lines for each channel.

import { append, clip, make } from "./text.js";
import { face } from "./picture.js";

const maxEntries = 600; // kept per feed
const maxNotices = 20; // joins and leaves in a row
const together = 5 * 60_000; // messages closer than this share a heading, in ms

// continues reports whether a message belongs under the heading of the one before it.
export function continues(prev, next) {
  return (
    prev !== null && prev.from === next.from && prev.program === next.program &&
    prev.private === next.private && prev.to === next.to && Math.abs(next.at - prev.at) < together
  );
}

// chatMessage reads the data of a chat message, or an entry of the history; null if it is none.
export function chatMessage(body) {
  if (body === null || typeof body !== "object" || !Number.isSafeInteger(body.id) || body.id <= 0) return null;
  if (typeof body.message !== "string" || typeof body.fromUserId !== "string") return null;
  const text = (value) => (typeof value === "string" ? value : "");
  return {
    id: body.id, channel: text(body.channel), from: body.fromUserId, name: text(body.fromName) || body.fromUserId,
    text: body.message, private: body.private === true, to: text(body.toUserId), toName: text(body.toName),
    note: text(body.note), picture: text(body.profileUrl), at: Number.isFinite(body.createdAt) ? body.createdAt : Date.now(), program: false,
  };
}

// before orders messages: by the server's clock, and by id within a millisecond. Ids alone
// would not do: a server that keeps nothing begins anew with each start.
export function before(a, b) {
  return a.at === b.at ? a.id < b.id : a.at < b.at;
}

// place is the index before which a message goes in a list, in which null stands for
// lines: before the first of the later ones at the end.
export function place(list, message) {
  let at = list.length;
  for (let i = list.length - 1; i >= 0; i--) {
    if (list[i] === null) continue;
    if (!before(message, list[i])) break;
    at = i;
  }
  return at;
}

const key = (m) => `${m.id} ${m.at}`;

export class Log {
  #root;
  #feeds = new Map();
  #messages = new WeakMap(); // element → message
  #active = null;
  #is; // what the page knows
  #more;

  // is.me() gives the own {user, name}, is.picture(message) the address of the sender's picture;
  // is.pick(name) is called for a click on a name.
  constructor(root, more, is) {
    this.#root = root;
    this.#more = more;
    this.#is = is;
    more.addEventListener("click", () => this.#toEnd(this.#feeds.get(this.#active)));
    // Whoever reads the newest goes on doing so when there is less room for it.
    new ResizeObserver(() => {
      const feed = this.#feeds.get(this.#active);
      if (feed?.stuck) this.#toEnd(feed);
    }).observe(root);
  }

  open(channel) {
    if (this.#feeds.has(channel)) return;
    const feed = make("ol", {
      className: "feed", id: `feed-${this.#feeds.size}-${Date.now()}`, hidden: true, tabIndex: 0,
      data: { feed: channel }, attr: { role: "tabpanel", "aria-label": `Messages on ${channel}` },
    });
    // stuck: the reader is at the end and stays there. Only scrolling changes that.
    const state = { element: feed, shown: new Map(), floor: null, stuck: true };
    feed.addEventListener("scroll", () => this.#scrolled(state), { passive: true });
    this.#feeds.set(channel, state);
    this.#root.append(feed);
    return feed.id;
  }

  close(channel) {
    this.#feeds.get(channel)?.element.remove();
    this.#feeds.delete(channel);
  }

  show(channel) {
    this.#active = channel;
    for (const [name, feed] of this.#feeds) feed.element.hidden = name !== channel;
    const feed = this.#feeds.get(channel);
    if (feed?.stuck) this.#toEnd(feed);
    this.#showMore();
  }

  // clear empties the feed for this page alone. What was there does not come back.
  clear(channel) {
    const feed = this.#feeds.get(channel);
    if (!feed) return;
    for (const element of feed.shown.values()) this.#lower(feed, element);
    feed.shown.clear();
    feed.element.replaceChildren();
  }

  set busy(yes) {
    this.#root.setAttribute("aria-busy", String(yes));
  }

  // message shows a message in its place, once: false if it is there already.
  // It says whether it names the reader.
  message(m) {
    const feed = this.#feeds.get(m.channel) ?? this.#feeds.get(this.#active);
    if (!feed || (m.id && feed.floor && !before(feed.floor, m))) return false;
    const known = m.id ? this.#known(m) : undefined;
    if (known) {
      if (m.note) this.#note(known, m.note);
      return false;
    }
    const { element, mentioned } = this.#entry(m);
    this.#add(feed, element, m);
    return { mentioned, channel: feed.element.dataset.feed };
  }

  // line shows a line of the page's own, on one channel or several: a text, or a list of texts and
  // names, which are {name}. action is {label, run}, of a button in it.
  line(channel, kind, text, { user = "", channels, action } = {}) {
    for (const name of channels ?? [channel ?? this.#active]) {
      const feed = this.#feeds.get(name);
      if (!feed) continue;
      const data = user ? { kind, user } : { kind };
      const line = make("li", { className: "line", data }, make("span", { className: "text" }, ...[text].flat().map(part)));
      if (action) line.append(" ", button(action));
      this.#add(feed, line, null);
      if (kind === "join" || kind === "leave") this.#thin(feed.element);
    }
  }

  #known(m) {
    for (const feed of this.#feeds.values()) if (feed.shown.has(key(m))) return feed.shown.get(key(m));
    return undefined;
  }

  // lower has what is no longer shown not come back.
  #lower(feed, element) {
    const m = this.#messages.get(element);
    if (m?.id && (!feed.floor || before(feed.floor, m))) feed.floor = m;
  }

  #add(feed, element, m) {
    const list = feed.element;
    let next = null;
    if (m?.id) {
      const entries = [...list.children];
      next = entries[place(entries.map((e) => this.#messages.get(e) ?? null), m)] ?? null;
      feed.shown.set(key(m), element);
    }
    const height = list.scrollHeight;
    list.insertBefore(element, next);
    this.#regroup(element);
    this.#regroup(element.nextElementSibling);
    while (list.childElementCount > maxEntries) this.#removeFirst(feed);
    if (feed.stuck) this.#toEnd(feed);
    else if (next && next.offsetTop < list.scrollTop) list.scrollTop += list.scrollHeight - height;
    this.#showMore();
  }

  #removeFirst(feed) {
    const first = feed.element.firstElementChild;
    this.#lower(feed, first);
    if (first.dataset.id) feed.shown.delete(key(this.#messages.get(first)));
    first.remove();
    this.#regroup(feed.element.firstElementChild);
  }

  // thin keeps a crowd that comes and goes from filling the log.
  #thin(list) {
    let run = 0;
    let oldest = null;
    for (let e = list.lastElementChild; e && ["join", "leave"].includes(e.dataset.kind); e = e.previousElementSibling) {
      run++;
      oldest = e;
    }
    if (run > maxNotices) oldest.remove();
  }

  #regroup(element) {
    const message = element && this.#messages.get(element);
    if (!message) return;
    const before = element.previousElementSibling;
    element.classList.toggle("continued", continues((before && this.#messages.get(before)) ?? null, message));
  }

  #entry(m) {
    const me = this.#is.me();
    const own = !m.program && m.from === me.user;
    const body = make("p", { className: "text", dir: "auto" });
    const mentioned = append(body, m.text, own || m.program ? "" : me.name) || (m.private && !own);
    const who = m.program
      ? make("span", { className: "who" }, m.name)
      : make("button", { type: "button", className: "who", title: `Write to ${m.name} alone` }, make("bdi", {}, m.name));
    if (!m.program) who.addEventListener("click", () => this.#is.pick(m.name));
    const at = new Date(m.at);
    const time = make("time", { dateTime: at.toISOString(), title: at.toLocaleString() }, clockTime(at));
    const data = { from: m.from, private: String(m.private), channel: m.channel };
    if (m.id) data.id = String(m.id);
    const element = make("li", { className: "message", data },
      m.program ? make("span", { className: "avatar program", attr: { "aria-hidden": "true" } }, "›_") : face(this.#is.picture(m)),
      make("div", { className: "head" }, who, ...privacy(m, own), time), body);
    element.classList.toggle("own", own);
    element.classList.toggle("mention", mentioned && !own);
    this.#messages.set(element, m);
    if (m.note && own) this.#note(element, m.note);
    return { element, mentioned: mentioned && !own };
  }

  #note(element, note) {
    if (element.querySelector(".note")) return;
    element.append(make("p", { className: "note" }, `${this.#messages.get(element).toName || "They"}: ${note}`));
  }

  #scrolled(feed) {
    const list = feed.element;
    if (!list.hidden) feed.stuck = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
    this.#showMore();
  }

  #toEnd(feed) {
    if (!feed) return;
    feed.stuck = true;
    feed.element.scrollTop = feed.element.scrollHeight;
    this.#showMore();
  }

  #showMore() {
    const feed = this.#feeds.get(this.#active);
    this.#more.hidden = feed?.stuck ?? true;
  }
}

function privacy(m, own) {
  if (!m.private) return [];
  const to = own ? `to ${m.to === m.from ? "yourself" : m.toName || m.to}, privately` : "to you alone";
  return [make("span", { className: "privacy" }, to)];
}

// part of a line: a name has its own direction.
function part(value) {
  return typeof value === "string" ? clip(value, 400) : make("bdi", {}, clip(value.name, 100));
}

function button({ label, run }) {
  const element = make("button", { type: "button", className: "action" }, label);
  element.addEventListener("click", run);
  return element;
}

function clockTime(date) {
  const time = { hour: "numeric", minute: "2-digit" };
  const today = date.toDateString() === new Date().toDateString();
  return date.toLocaleString(undefined, today ? time : { day: "numeric", month: "short", ...time });
}
